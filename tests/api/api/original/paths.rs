//! Paths and methods, and the list byte by byte.

use super::Body::{Begins, Code, Json, Nothing, Page};
use super::{FIRST, Row, ask, original};
use crate::harness::{TestServer, assert_has};

#[tokio::test]
async fn paths_and_methods_answer_like_the_original() {
    let (server, token) = original().await;
    let with = |method: &str, path: &str| server.call(method, path).token(&token);
    let without = |method: &str, path: &str| server.call(method, path);
    let name = r#"{"name":"x"}"#;
    let row = |case, call, status, body| Row { case, call, status, body };
    ask(
        &server,
        vec![
            row("root", without("GET", "/"), 404, Page("Not Found")),
            row("unknown path", without("GET", "/nope"), 404, Page("Not Found")),
            row("api-auth login", without("GET", "/api-auth/login/"), 404, Page("Not Found")),
            row("another icon", without("GET", "/apple-touch-icon.png"), 404, Page("Not Found")),
            row("unknown path with a token", with("POST", "/nope"), 404, Page("Not Found")),
            // The original redirects to the slash, which costs a POST its body.
            row("no slash, no token", without("GET", "/articles"), 401, Code("no_token")),
            row("no slash, good token", with("GET", "/articles"), 200, Begins(FIRST)),
            row("no slash with query", with("GET", "/articles?format=json"), 200, Begins(FIRST)),
            row("no slash POST", with("POST", "/articles").json(name), 201, Json(r#"{"id":{next},"name":"x"}"#)),
            row("two slashes", with("GET", "/articles//"), 404, Page("Not Found")),
            row("slash before", with("GET", "//articles/"), 404, Page("Not Found")),
            row("encoded slash", with("GET", "/articles%2f"), 404, Page("Not Found")),
            row("climbing", with("GET", "/static/..%2f..%2fCargo.toml"), 404, Page("Not Found")),
            row("good token", with("GET", "/articles/"), 200, Begins(FIRST)),
            row("no token", without("GET", "/articles/"), 401, Code("no_token")),
            row("OPTIONS no token", without("OPTIONS", "/articles/"), 401, Code("no_token")),
            row("POST no token", without("POST", "/articles/").json(name), 401, Code("no_token")),
            row("POST no token, unreadable", without("POST", "/articles/").json("{"), 401, Code("no_token")),
            row("DELETE no token", without("DELETE", "/articles/"), 401, Code("no_token")),
            row("HEAD", with("HEAD", "/articles/"), 200, Nothing),
            row("HEAD no token", without("HEAD", "/articles/"), 401, Nothing),
            row("PUT", with("PUT", "/articles/").json(name), 405, Json(r#"{"detail":"Method \"PUT\" not allowed."}"#)),
            row(
                "PATCH",
                with("PATCH", "/articles/").json(name),
                405,
                Json(r#"{"detail":"Method \"PATCH\" not allowed."}"#),
            ),
            row("DELETE", with("DELETE", "/articles/"), 405, Json(r#"{"detail":"Method \"DELETE\" not allowed."}"#)),
            row("TRACE", with("TRACE", "/articles/"), 405, Json(r#"{"detail":"Method \"TRACE\" not allowed."}"#)),
            row(
                "unknown verb FOO",
                with("FOO", "/articles/"),
                405,
                Json(r#"{"detail":"Method \"FOO\" not allowed."}"#),
            ),
            row("unknown verb, no token", without("FOO", "/articles/"), 401, Code("no_token")),
            row(
                "X-HTTP-Method-Override DELETE",
                with("POST", "/articles/").header("x-http-method-override", "DELETE").json(r#"{"name":"override"}"#),
                201,
                Json(r#"{"id":{next},"name":"override"}"#),
            ),
            row(
                "_method in a form",
                with("POST", "/articles/").body("application/x-www-form-urlencoded", "_method=DELETE&name=f"),
                201,
                Json(r#"{"id":{next},"name":"f"}"#),
            ),
            row(
                "OPTIONS",
                with("OPTIONS", "/articles/"),
                200,
                Json(concat!(
                    r#"{"name":"List Create Articles","description":"","renders":["application/json","text/html"],"#,
                    r#""parses":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"#,
                    r#""actions":{"POST":{"id":{"type":"integer","required":false,"read_only":true,"label":"ID"},"#,
                    r#""name":{"type":"string","required":true,"read_only":false,"label":"Name","max_length":50}}}}"#
                )),
            ),
            row(
                "Host unknown",
                with("GET", "/articles/").header("host", "evil.example"),
                400,
                Page("Bad Request (400)"),
            ),
            row("Host with markup", with("GET", "/articles/").header("host", "<b>"), 400, Page("Bad Request (400)")),
            row(
                "Host known, with a port",
                with("GET", "/articles/").header("host", "LOCALHOST:80"),
                200,
                Begins(FIRST),
            ),
            row("If-None-Match *", with("GET", "/articles/").header("if-none-match", "*"), 200, Begins(FIRST)),
            row(
                "Accept-Encoding without a coding of ours",
                with("GET", "/articles/").header("accept-encoding", "deflate"),
                200,
                Begins(FIRST),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_list_is_a_plain_array_byte_by_byte() {
    let (server, token) = original().await;
    let answer = server.get("/articles/", &token).await;
    let rows: Vec<String> =
        (1..=20).map(|n| format!(r#"{{"id":{n},"name":"Article {n:06} on DRF with Cognito"}}"#)).collect();
    answer.assert(200, &format!("[{}]", rows.join(",")));
    assert_eq!(answer.body.len(), 1072, "the original's length");
    // The original ignores `limit` too, and answers the whole table.
    server.get("/articles/?page=2&limit=1", &token).await.assert(200, &format!("[{}]", rows[0]));
}

#[tokio::test]
async fn an_empty_list_is_an_empty_array() {
    let (server, token) = TestServer::with_alice().await;
    server.get("/articles/", &token).await.assert(200, "[]");
    assert!(server.get("/articles/?format=api", &token).await.text().contains(">[]</pre>"));
    server
        .call("GET", "/articles/")
        .token(&token)
        .header("accept", "application/json; indent=4")
        .send()
        .await
        .assert(200, "[]");
}

#[tokio::test]
async fn head_answers_with_the_length_of_get_and_without_its_body() {
    let (server, token) = original().await;
    let request = format!(
        "HEAD /articles/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let answer = String::from_utf8(server.exchange(request).await.bytes).expect("the answer is UTF-8");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_has(&answer, &["\r\ncontent-length: 1072\r\n"]);
    assert!(answer.ends_with("\r\n\r\n"), "there is a body: {answer}");
}
