//! CORS: pages of which origins may call, and what they may read.

use super::original::original;
use crate::harness::TestServer;
use crate::harness::client::Call;

/// The origin that the settings of the tests allow.
const PAGE: &str = "http://localhost:3000";

fn preflight(server: &TestServer, path: &str, origin: &str, method: &str, headers: &str) -> Call {
    let call = server.call("OPTIONS", path).header("origin", origin).header("access-control-request-method", method);
    if headers.is_empty() { call } else { call.header("access-control-request-headers", headers) }
}

fn words(list: &str) -> Vec<String> {
    let mut words: Vec<String> = list.split(',').map(|word| word.trim().to_ascii_lowercase()).collect();
    words.sort();
    words
}

#[tokio::test]
async fn a_preflight_from_an_allowed_origin_is_answered_without_a_token() {
    let server = TestServer::start().await;
    for path in ["/articles/", "/articles", "/articles/1/", "/me/"] {
        for (method, headers) in [
            ("GET", "authorization"),
            ("GET", "authorization,if-none-match,accept"),
            ("POST", "authorization, content-type"),
            ("PUT", "Authorization,Content-Type,If-Match"),
            ("PATCH", "authorization,content-type"),
            ("DELETE", "authorization"),
            ("HEAD", ""),
        ] {
            let answer = preflight(&server, path, PAGE, method, headers).send().await;
            let context = format!("{method} {path} with {headers}: {answer:?}");
            assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{context}");
            assert_eq!(answer.header("access-control-allow-origin"), PAGE, "{context}");
            assert_eq!(
                words(answer.header("access-control-allow-methods")),
                words("DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT")
            );
            let allowed = words(answer.header("access-control-allow-headers"));
            assert_eq!(allowed, words("accept,authorization,content-type,if-match,if-none-match"), "{context}");
            assert_eq!(answer.header("access-control-max-age"), "600", "{context}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "tokens are no cookies; {context}");
            assert!(words(answer.header("vary")).contains(&"origin".to_owned()), "{context}");
        }
    }
}

#[tokio::test]
async fn a_preflight_that_asks_for_more_is_refused() {
    let server = TestServer::start().await;
    for (origin, method, headers) in [
        ("http://evil.example", "GET", "authorization"),
        ("null", "GET", "authorization"),
        ("http://localhost:3000.evil.example", "GET", ""),
        ("http://localhost:3001", "GET", ""),
        ("https://localhost:3000", "GET", ""),
        ("http://LOCALHOST:3000", "GET", ""),
        ("http://localhost:3000/", "GET", ""),
        ("http://localhost:3000, http://evil.example", "GET", ""),
        (PAGE, "TRACE", ""),
        (PAGE, "FOO", ""),
        (PAGE, "POST", "x-evil"),
        (PAGE, "POST", "authorization,cookie"),
    ] {
        let answer = preflight(&server, "/articles/", origin, method, headers).send().await;
        let context = format!("{origin} {method} {headers}: {answer:?}");
        assert_eq!(answer.status, 400, "{context}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{context}");
    }
}

#[tokio::test]
async fn every_answer_carries_cors_headers_for_the_allowed_origin_alone() {
    let (server, token) = original().await;
    let exposed = words("Allow,ETag,Link,Location,Retry-After,WWW-Authenticate,X-Request-Id,X-Total-Count");
    let calls = |origin: &str| {
        let call = |method: &str, path: &str| server.call(method, path).header("origin", origin);
        [
            (200, call("GET", "/articles/").token(&token)),
            (200, call("OPTIONS", "/articles/").token(&token)),
            (401, call("GET", "/articles/")),
            (401, call("OPTIONS", "/articles/")),
            (401, call("GET", "/articles/").token("garbage")),
            (401, call("GET", "/me/")),
            (400, call("POST", "/articles/").token(&token).json("{")),
            (403, call("DELETE", "/articles/1/").token(&token)),
            (404, call("GET", "/articles/99/").token(&token)),
            (404, call("GET", "/articles/?format=xml")),
            (405, call("DELETE", "/articles/").token(&token)),
            (406, call("GET", "/articles/").header("accept", "image/png")),
            (415, call("POST", "/articles/").token(&token).body("text/plain", "x")),
        ]
    };
    for (status, call) in calls(PAGE) {
        let answer = call.send().await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, PAGE), "{answer:?}");
        assert_eq!(words(answer.header("access-control-expose-headers")), exposed, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{answer:?}");
        assert!(words(answer.header("vary")).contains(&"origin".to_owned()), "{answer:?}");
    }
    // Another origin's page may not read the answer; the request itself is served, as a client that is no
    // browser may send any Origin.
    for origin in ["http://evil.example", "null", "http://localhost:3001"] {
        for (status, call) in calls(origin) {
            let answer = call.send().await;
            assert_eq!(
                (answer.status, answer.header("access-control-allow-origin")),
                (status, ""),
                "{origin}: {answer:?}"
            );
            assert!(words(answer.header("vary")).contains(&"origin".to_owned()), "{answer:?}");
        }
    }
    let answer = server.get("/articles/", &token).await;
    assert_eq!(answer.header("access-control-allow-origin"), "", "no Origin was sent");
    assert!(words(answer.header("vary")).contains(&"origin".to_owned()), "a cache must not mix them up: {answer:?}");
}

#[tokio::test]
async fn without_allowed_origins_no_page_may_read_an_answer() {
    let server = TestServer::start_with(|config| config.cors_allowed_origins.clear()).await;
    let token = server.alice().await;
    let answer = server.call("GET", "/articles/").token(&token).header("origin", PAGE).send().await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));
    assert_eq!(
        preflight(&server, "/articles/", PAGE, "GET", "").send().await.header("access-control-allow-origin"),
        ""
    );
}
