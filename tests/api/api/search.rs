//! `?search=`: the words of a search.

use crate::harness::TestServer;

#[tokio::test]
async fn a_search_finds_the_rows_that_have_every_word() {
    let (server, token) = TestServer::with_alice().await;
    let names = [
        "Red apple",
        "red Pear",
        "Apple pie, warm",
        "100% sure",
        "100 sure",
        "snake_case",
        "snakeXcase",
        "back\\slash",
        "backslash",
        "it's \"quoted\"",
        "ÉCOLE d'été",
        "école",
        "ΟΔΟΣ",
        "Größe",
        "ЯБЛОКО",
    ];
    for name in names {
        assert_eq!(server.post(&token, &serde_json::json!({ "name": name }).to_string()).await.status, 201, "{name}");
    }
    for (search, found) in [
        ("apple", vec!["Red apple", "Apple pie, warm"]),
        ("APPLE", vec!["Red apple", "Apple pie, warm"]),
        ("red apple", vec!["Red apple"]),
        ("apple red", vec!["Red apple"]),
        ("apple,red", vec!["Red apple"]),
        ("app re", vec!["Red apple"]),
        ("apple banana", vec![]),
        ("\"red apple\"", vec!["Red apple"]),
        ("\"apple red\"", vec![]),
        ("\"pie, warm\" APPLE", vec!["Apple pie, warm"]),
        // A quotation mark without a partner opens a word that goes to the end.
        ("\"red pe", vec!["red Pear"]),
        ("100%", vec!["100% sure"]),
        ("1%e", vec![]),
        ("%", vec!["100% sure"]),
        ("snake_case", vec!["snake_case"]),
        ("_", vec!["snake_case"]),
        ("\\", vec!["back\\slash"]),
        ("back\\s", vec!["back\\slash"]),
        ("\\%", vec![]),
        ("it's", vec!["it's \"quoted\""]),
        ("' OR 1=1 --", vec![]),
        ("red\0", vec!["Red apple", "red Pear"]),
        ("ÉCOLE", vec!["ÉCOLE d'été", "école"]),
        ("école", vec!["ÉCOLE d'été", "école"]),
        ("É", vec!["ÉCOLE d'été", "école"]),
        ("ecole", vec![]),
        ("οδος", vec![]),
        ("ΟΔΟΣ", vec!["ΟΔΟΣ"]),
        ("οδο", vec!["ΟΔΟΣ"]),
        ("GRÖSSE", vec![]),
        ("größE", vec!["Größe"]),
        ("яблоко", vec!["ЯБЛОКО"]),
        ("😀", vec![]),
        (&"z ".repeat(20), vec![]),
        (
            &"a ".repeat(20),
            vec!["Red apple", "red Pear", "Apple pie, warm", "snake_case", "snakeXcase", "back\\slash", "backslash"],
        ),
    ] {
        let query = form_urlencoded(search);
        let answer = server.get(&format!("/articles/?search={query}"), &token).await;
        assert_eq!(answer.names(), found, "{search}");
        assert_eq!(answer.header("x-total-count"), found.len().to_string(), "{search}");
    }
    for everything in ["", "%20", "%22%22", ",", "%00", "%20%22%20%22%20"] {
        let answer = server.get(&format!("/articles/?search={everything}"), &token).await;
        assert_eq!(answer.names().len(), names.len(), "{everything}");
    }
    // Bytes that are no UTF-8 find nothing and break nothing.
    assert!(server.get("/articles/?search=%FF%FE", &token).await.ids().is_empty());
    let ordered = server.get("/articles/?search=sure&ordering=-name", &token).await;
    assert_eq!(ordered.names(), ["100% sure", "100 sure"]);
}

fn form_urlencoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
