//! New articles, and what the history has of them and of every change.

use std::collections::BTreeSet;

use crate::harness::TestServer;

/// The history of articles, oldest first, one line a row.
const HISTORY: &str = "SELECT action || ' ' || object_id || ' ' || object || ' by ' || actor || ' ' || coalesce(CAST(actor_id AS TEXT), '-') \
     || ' through ' || source || ': ' || changes FROM history WHERE model = 'article' ORDER BY id";

#[tokio::test]
async fn a_user_creates_an_article_and_finds_it_in_the_list() {
    let (server, token) = TestServer::with_alice().await;
    let answer = server.post_article(&token, "A new article").await;
    answer.assert(201, r#"{"id":1,"name":"A new article"}"#);
    assert_eq!(answer.header("location"), "/articles/1/");
    server.get("/articles/", &token).await.assert(200, r#"[{"id":1,"name":"A new article"}]"#);
    server.get(answer.header("location"), &token).await.assert(200, r#"{"id":1,"name":"A new article"}"#);
    assert_eq!(server.count("history WHERE model = 'article' AND source = 'api'").await, 1);
}

#[tokio::test]
async fn every_change_leaves_its_old_and_new_value_in_the_history() {
    let server = TestServer::start().await;
    let (alice, bob, staff) = (
        server.alice().await,
        server.caller("bob").await,
        server.caller_with("staff", |new| new.is_staff = true).await,
    );
    let change = async |method: &str, path: &str, token: &str, body: &str| {
        server.change(method, path, token, body).status().await
    };
    assert_eq!(change("POST", "/articles/", &alice, r#"{"name":"\"one\""}"#).await, 201);
    assert_eq!(change("PUT", "/articles/1/", &alice, r#"{"name":"two"}"#).await, 200);
    assert_eq!(change("PATCH", "/articles/1/", &staff, r#"{"name":"three"}"#).await, 200);
    let so_far = [
        r#"created 1 "one" by alice 1 through api: {"name":[null,"\"one\""]}"#,
        r#"changed 1 two by alice 1 through api: {"name":["\"one\"","two"]}"#,
        r#"changed 1 three by staff 3 through api: {"name":["two","three"]}"#,
    ];
    assert_eq!(server.texts(HISTORY).await, so_far);

    // Nothing of this changes anything.
    const ROW: &str = "SELECT name || ' ' || updated_at FROM articles";
    let row = server.texts(ROW).await;
    for (method, path, token, body, status) in [
        ("PUT", "/articles/1/", &alice, r#"{"name":"three"}"#, 200),
        ("PUT", "/articles/1/", &alice, r#"{"name":"  three  "}"#, 200),
        ("PATCH", "/articles/1/", &alice, "{}", 200),
        ("PUT", "/articles/1/", &alice, "{}", 400),
        ("PUT", "/articles/1/", &alice, "{", 400),
        ("PUT", "/articles/1/", &bob, r#"{"name":"four"}"#, 403),
        ("DELETE", "/articles/1/", &bob, "", 403),
        ("DELETE", "/articles/2/", &staff, "", 404),
        ("PUT", "/articles/2/", &staff, r#"{"name":"four"}"#, 404),
        ("POST", "/articles/", &alice, r#"{"name":""}"#, 400),
        ("DELETE", "/articles/", &staff, "", 405),
        ("GET", "/articles/1/", &alice, "", 200),
    ] {
        assert_eq!(change(method, path, token, body).await, status, "{method} {path} {body}");
        assert_eq!(server.texts(HISTORY).await, so_far, "{method} {path} {body}");
        assert_eq!(server.texts(ROW).await, row, "{method} {path} {body}");
    }
    let stale = server.change("DELETE", "/articles/1/", &alice, "").header("if-match", "\"old\"").status().await;
    assert_eq!((stale, server.texts(HISTORY).await.len()), (412, 3));

    assert_eq!(change("DELETE", "/articles/1/", &alice, "").await, 204);
    let history = server.texts(HISTORY).await;
    assert_eq!(history[3..], [r#"deleted 1 three by alice 1 through api: {"name":["three",null]}"#]);
    // The history outlives the article and those who changed it.
    server.sql("DELETE FROM users WHERE username = 'alice'").await;
    let history = server.texts(HISTORY).await;
    assert_eq!(history[3..], [r#"deleted 1 three by alice - through api: {"name":["three",null]}"#]);
}

#[tokio::test]
async fn an_id_is_never_given_twice() {
    let (server, token) = TestServer::with_alice().await;
    assert_eq!(server.post_article(&token, "one").await.json()["id"], 1);
    assert_eq!(server.change("DELETE", "/articles/1/", &token, "").status().await, 204);
    assert_eq!(server.post_article(&token, "two").await.json()["id"], 2);
}

#[tokio::test]
async fn of_many_articles_created_at_once_none_is_lost_or_mixed_up() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.alice().await, server.caller("bob").await);
    let calls: Vec<_> = (0..60)
        .map(|n| {
            let token = if n % 2 == 0 { &alice } else { &bob };
            // Every third is refused; in one commit with the others it takes nothing with it.
            let name = if n % 3 == 0 { String::new() } else { format!("number {n}") };
            let call = server.call("POST", "/articles/").token(token).json(format!(r#"{{"name":"{name}"}}"#));
            (name, tokio::spawn(call.send()))
        })
        .collect();
    let mut ids = BTreeSet::new();
    for (name, call) in calls {
        let answer = call.await.expect("the call ends");
        if name.is_empty() {
            answer.assert(400, r#"{"name":["This field may not be blank."]}"#);
            continue;
        }
        assert_eq!(answer.status, 201, "{name}: {answer:?}");
        let id = answer.json()["id"].as_i64().expect("an id");
        assert!(ids.insert(id), "{id} was given twice");
        server.get(&format!("/articles/{id}/"), &alice).await.assert(200, &format!(r#"{{"id":{id},"name":"{name}"}}"#));
    }
    assert_eq!(ids.len(), 40);
    let wrong = "articles a LEFT JOIN history h ON h.model = 'article' AND h.object_id = a.id AND h.object = a.name \
         AND h.actor_id = a.created_by WHERE h.id IS NULL OR (CAST(substr(a.name, 8) AS BIGINT) % 2 = 0) <> (a.created_by = 1)";
    assert_eq!(server.count(wrong).await, 0, "each has its creator and its line in the history");
    assert_eq!(server.count("history WHERE model = 'article'").await, 40);
}
