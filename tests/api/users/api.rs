//! `/me/`: who the API takes the caller for.

use crate::harness::{TestServer, assert_has, assert_lacks};

const ALICE: &str = r#"{"id":1,"username":"alice","email":"alice@example.com","first_name":"","last_name":"","is_staff":false,"is_superuser":false}"#;

#[tokio::test]
async fn the_caller_is_told_who_they_are_and_nothing_secret() {
    let (server, token) = TestServer::with_alice().await;
    server.sql("UPDATE users SET password = '$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaA'").await;
    for path in ["/me/", "/me", "/me/?format=json", "/me/?id=2&username=bob"] {
        let answer = server.get(path, &token).await;
        answer.assert(200, ALICE);
        assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS", "{path}");
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn each_caller_sees_their_own_user_and_changes_at_once() {
    let (server, alice) = TestServer::with_alice().await;
    server.user_with("root", |user| (user.is_staff, user.is_superuser) = (true, true)).await;
    let root = server.pool.token("root").sign();
    for _ in 0..2 {
        assert_eq!(server.get("/me/", &alice).await.json()["username"], "alice");
        assert_eq!(server.get("/me/", &root).await.json()["username"], "root");
    }
    let staff = server.get("/me/", &root).await.json();
    assert_eq!((staff["is_staff"].as_bool(), staff["is_superuser"].as_bool()), (Some(true), Some(true)));

    server.sql("UPDATE users SET first_name = 'Älice', last_name = '<b>\"\u{2028}', is_staff = TRUE WHERE username = 'alice'").await;
    server.get("/me/", &alice).await.assert(
        200,
        r#"{"id":1,"username":"alice","email":"alice@example.com","first_name":"Älice","last_name":"<b>\"\u2028","is_staff":true,"is_superuser":false}"#,
    );
    let page = server.get("/me/?format=api", &alice).await.text();
    assert_has(&page, &["<title>Me – Gatepost</title>", "&#60;b&#62;"]);
    assert_lacks(&page, &["<b>"]);

    server.sql("UPDATE users SET is_active = FALSE WHERE username = 'alice'").await;
    let answer = server.get("/me/", &alice).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "user_inactive"));
    assert_eq!(server.get("/me/", &root).await.status, 200);
}

#[tokio::test]
async fn rights_come_from_the_database_and_never_from_the_token() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let token = server.pool.token("alice").claim("cognito:groups", vec!["admin"]).claim("is_staff", true);
    let token = token.claim("custom:is_superuser", "true").claim("cognito:username", "root").sign();
    server.get("/me/", &token).await.assert(200, ALICE);
}

#[tokio::test]
async fn a_user_whom_their_first_token_created_sees_themselves() {
    let server = TestServer::start_with(|config| config.create_users = true).await;
    let answer = server.get("/me/", &server.pool.token("carol").sign()).await;
    answer.assert(
        200,
        r#"{"id":1,"username":"carol","email":"carol@example.com","first_name":"","last_name":"","is_staff":false,"is_superuser":false}"#,
    );
}

#[tokio::test]
async fn strangers_and_other_methods_are_refused() {
    let (server, token) = TestServer::with_alice().await;
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"] {
        let answer = server.call(method, "/me/").send().await;
        assert_eq!(answer.status, 401, "{method}");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{method}");
        assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS", "{method}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let answer = server.call(method, "/me/").token(&token).json(r#"{"is_staff":true}"#).send().await;
        answer.assert(405, &format!(r#"{{"detail":"Method \"{method}\" not allowed."}}"#));
        assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS", "{method}");
    }
    server.get("/me/", &token).await.assert(200, ALICE);
    for path in ["/me/1/", "/me//", "/mel"] {
        assert_eq!(server.get(path, &token).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn options_describes_an_address_that_takes_nothing() {
    let (server, token) = TestServer::with_alice().await;
    server.call("OPTIONS", "/me/").token(&token).send().await.assert(
        200,
        r#"{"name":"Me","description":"","renders":["application/json","text/html"],"parses":["application/json","application/x-www-form-urlencoded","multipart/form-data"]}"#,
    );
}

#[tokio::test]
async fn an_unchanged_user_is_not_sent_again() {
    let (server, token) = TestServer::with_alice().await;
    let tag = server.get("/me/", &token).await.header("etag").to_owned();
    let again = async || server.call("GET", "/me/").token(&token).header("if-none-match", &tag).status().await;
    assert_eq!(again().await, 304);
    server.sql("UPDATE users SET first_name = 'Alice'").await;
    assert_eq!(again().await, 200);
}
