diesel::table! {
    tags (id) {
        id -> BigInt,
        name -> Text,
    }
}
