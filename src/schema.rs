// @generated automatically by Diesel CLI.

diesel::table! {
    articles (id) {
        id -> BigInt,
        name -> Text,
        created_by -> Nullable<BigInt>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    history (id) {
        id -> BigInt,
        at -> Timestamp,
        actor_id -> Nullable<BigInt>,
        actor -> Text,
        source -> Text,
        action -> Text,
        model -> Text,
        object_id -> BigInt,
        object -> Text,
        changes -> Text,
    }
}

diesel::table! {
    row_counts (table_name) {
        table_name -> Text,
        row_count -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        email -> Text,
        email_key -> Nullable<Text>,
        first_name -> Text,
        last_name -> Text,
        password -> Nullable<Text>,
        is_active -> Bool,
        is_staff -> Bool,
        is_superuser -> Bool,
        last_login -> Nullable<Timestamp>,
        date_joined -> Timestamp,
        cognito_issuer -> Nullable<Text>,
        cognito_sub -> Nullable<Text>,
        linked_at -> Nullable<Timestamp>,
        last_seen_at -> Nullable<Timestamp>,
        origin -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(articles, history, row_counts, users,);
