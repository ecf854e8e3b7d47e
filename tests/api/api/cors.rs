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
            ("GET", "x-requested-with, x-csrftoken, traceparent,tracestate,user-agent"),
            ("GET", "authorization,, accept ,"),
            ("GET", ","),
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
            let expected = "accept,authorization,content-type,if-match,if-none-match,traceparent,tracestate,user-agent,x-csrftoken,x-requested-with";
            assert_eq!(allowed, words(expected), "{context}");
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
async fn answers_that_no_resource_gave_carry_cors_headers_too() {
    let server = TestServer::start().await;
    let call = |method: &str, path: &str| server.call(method, path).header("origin", PAGE);
    let style = gatepost::http::assets::url("gatepost.css");
    let calls = [
        ("an unknown path", 404, call("GET", "/nope")),
        ("an unknown path below a list", 404, call("GET", "/articles/x/")),
        ("an unknown path to change", 404, call("POST", "/nope").json("{}")),
        ("the document", 200, call("GET", "/openapi.json")),
        ("another method", 405, call("DELETE", "/openapi.json")),
        ("the root", 404, call("GET", "/")),
        ("another host", 400, call("GET", "/articles/").header("host", "evil.example")),
        ("a style sheet", 200, call("GET", &style)),
    ];
    for (case, status, call) in calls {
        let answer = call.send().await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, PAGE), "{case}: {answer:?}");
        assert!(words(answer.header("access-control-expose-headers")).contains(&"x-request-id".to_owned()), "{case}");
        assert!(words(answer.header("vary")).contains(&"origin".to_owned()), "{case}: {answer:?}");
    }
    for path in ["/nope", "/openapi.json", "/articles/x/"] {
        let answer = preflight(&server, path, PAGE, "GET", "authorization").send().await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, PAGE), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn no_page_may_call_the_admin_or_the_trigger() {
    let server = TestServer::start().await;
    for path in [
        "/admin",
        "/admin/",
        "/admin/login/",
        "/%61dmin/login/",
        "/cognito/post-confirmation/",
        "/cognito/user-migration/",
    ] {
        for call in [server.call("GET", path).header("origin", PAGE), preflight(&server, path, PAGE, "POST", "")] {
            let answer = call.send().await;
            let has_cors = answer.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
            assert!(!has_cors, "{path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn the_headers_that_pages_may_send_can_be_set() {
    let server = TestServer::start_with(|config| config.cors_allowed_headers = vec!["x-own".to_owned()]).await;
    let answer = preflight(&server, "/articles/", PAGE, "GET", "X-Own").send().await;
    assert_eq!((answer.status, answer.header("access-control-allow-headers")), (200, "x-own"));
    assert_eq!(preflight(&server, "/articles/", PAGE, "GET", "authorization").status().await, 400);
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
