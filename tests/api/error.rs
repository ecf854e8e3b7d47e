//! The bodies of 4xx answers: each has its `code`, whoever made the answer. Only where the original has a body without
//! one is ours the same.

use gatepost::crypto::Secret;
use gatepost::error::Error;
use serde_json::json;

use crate::harness::TestServer;
use crate::harness::client::{Answer, Call};
use crate::harness::exchange::{Then, exchange};

#[test]
fn the_log_has_the_cause_of_an_error_on_one_line() {
    let error = Error::Unavailable("one host\n\tis away\nanother, too".to_owned());
    assert_eq!(error.logged().to_string(), "one host\\n\\tis away\\nanother, too");
    assert_eq!(Error::NotFound.logged().to_string(), "");
}

const JSON: (&str, &str) = ("accept", "application/json");

/// Fails unless the answer is JSON with a sentence and this code.
#[track_caller]
fn assert_coded(case: &str, answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (status, "application/json"), "{case}: {answer:?}");
    let body = answer.json();
    assert_eq!(body["code"], code, "{case}: {body}");
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{case}: {body}");
}

fn preflight(server: &TestServer, origin: &str, method: &str, headers: &str) -> Call {
    let call = server.call("OPTIONS", "/articles/").header("origin", origin);
    let call = call.header("access-control-request-method", method);
    if headers.is_empty() { call } else { call.header("access-control-request-headers", headers) }
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.seed_articles(1).await;
    let own = server.post(&token, r#"{"name":"mine"}"#).await.header("location").to_owned();
    let call = |method: &str, path: &str| server.call(method, path);
    let known = |method: &str, path: &str| call(method, path).token(&token);
    let page = "http://localhost:3000";
    let rows = [
        ("no token", 401, "no_token", call("GET", "/articles/")),
        ("a bad token", 401, "token_malformed", call("GET", "/me/").token("x")),
        ("not one's own", 403, "permission_denied", known("DELETE", "/articles/1/")),
        ("no such article", 404, "not_found", known("GET", "/articles/9/")),
        ("no such article to change", 404, "not_found", known("PATCH", "/articles/9/").json("{}")),
        ("too long an id", 404, "not_found", known("DELETE", "/articles/99999999999999999999/")),
        ("no such URL", 404, "not_found", call("GET", "/nope").header(JSON.0, JSON.1)),
        ("no such URL to change", 404, "not_found", call("POST", "/nope").header(JSON.0, JSON.1).json("{}")),
        ("another version", 412, "precondition_failed", known("DELETE", &own).header("if-match", "\"x\"")),
        ("too large a body", 413, "body_too_large", known("POST", "/articles/").json(vec![b' '; 1_048_577])),
        (
            "another host",
            400,
            "host_not_allowed",
            call("GET", "/me/").header("host", "evil.com").header(JSON.0, JSON.1),
        ),
        ("preflight of another page", 400, "preflight_refused", preflight(&server, "http://evil.example", "GET", "")),
        ("preflight of a method", 400, "preflight_refused", preflight(&server, page, "TRACE", "")),
        ("preflight of a header", 400, "preflight_refused", preflight(&server, page, "GET", "x-evil")),
        (
            "the trigger without a secret",
            403,
            "post_confirmation_disabled",
            call("POST", "/cognito/post-confirmation/"),
        ),
    ];
    for (case, status, code, call) in rows {
        assert_coded(case, &call.send().await, status, code);
    }
}

#[tokio::test]
async fn a_caller_beyond_the_limit_is_told_so_by_a_code() {
    let server = TestServer::start_with(|config| config.rate_limit_address = "1/h".parse().ok()).await;
    assert_eq!(server.call("GET", "/me/").send().await.status, 401);
    assert_coded("429", &server.call("GET", "/me/").send().await, 429, "throttled");
}

#[tokio::test]
async fn a_body_that_breaks_its_framing_is_told_so_by_a_code() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let request = format!(
        "POST /articles/ HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
    );
    // actix-http takes a broken chunk for a lost client: it drops the connection unless the handler waits for the body
    // already, which it does at once only for a token and a user that it has seen.
    let mut answer = String::new();
    for _ in 0..20 {
        if !answer.is_empty() {
            break;
        }
        assert_eq!(server.get("/me/", &token).await.status, 200);
        answer = exchange(server.address, request.as_bytes(), Then::Wait).await.text();
    }
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains(r#"{"detail":"The request body cannot be read: "#), "{answer}");
    assert!(answer.contains(r#""code":"parse_error"}"#), "{answer}");
}

/// The framework answers these itself, before there is a request that could have a body for an answer.
#[tokio::test]
async fn a_head_that_cannot_be_read_is_refused_without_a_body() {
    let server = TestServer::start().await;
    let long = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "y".repeat(1_048_576));
    for (case, head, status) in [
        ("a target with a space", "GET / x HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
        ("no host", "GET /articles/ HTTP/1.1\r\n\r\n", 400),
        ("raw bytes in a query", "GET /articles/?search=caf\u{e9} HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
        ("raw bytes in a path", "GET /caf\u{e9} HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
        ("a target that is no URI", "GET http://[/ HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
        ("a header without a colon", "GET / HTTP/1.1\r\nhost localhost\r\n\r\n", 400),
        ("a header of 1 MB", &long, 431),
    ] {
        let answer = exchange(server.address, head.as_bytes(), Then::Wait).await.bytes;
        let answer = String::from_utf8_lossy(&answer);
        // A client that is still sending may lose the answer to the reset that ends it.
        if !answer.is_empty() {
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{case}: {answer}");
            assert!(answer.to_ascii_lowercase().contains("\r\ncontent-length: 0\r\n"), "{case}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_request_that_names_no_host_is_refused_like_one_that_names_another() {
    let server = TestServer::start().await;
    for (case, head) in
        [("none in HTTP/1.0", "GET /articles/ HTTP/1.0\r\n"), ("an empty one", "GET /articles/ HTTP/1.1\r\nhost:\r\n")]
    {
        let request =
            format!("{head}accept: application/json\r\nx-request-id: without-host\r\nconnection: close\r\n\r\n");
        let answer = exchange(server.address, request.as_bytes(), Then::Wait).await.text();
        assert!(answer.starts_with("HTTP/1.") && answer.contains(" 400 Bad Request\r\n"), "{case}: {answer}");
        assert!(answer.to_ascii_lowercase().contains("\r\nx-request-id: without-host\r\n"), "{case}: {answer}");
        assert!(answer.contains(r#""code":"host_not_allowed""#), "{case}: {answer}");
    }
}

#[tokio::test]
async fn outside_the_api_a_wrong_method_has_its_code() {
    let server = TestServer::start_with(|config| {
        config.metrics_address = Some(([127, 0, 0, 1], 0).into());
        config.metrics_token = Some(Secret::new("m".repeat(32)));
    })
    .await;
    for (method, path, allow) in [
        ("DELETE", "/healthz", "GET, HEAD"),
        ("POST", "/readyz", "GET, HEAD"),
        ("PUT", "/openapi.json", "GET, HEAD"),
        ("OPTIONS", "/docs/", "GET, HEAD"),
        ("PATCH", "/docs", "GET, HEAD"),
        ("POST", "/static/x.css", "GET, HEAD"),
        ("POST", "/metrics", "GET, HEAD"),
        ("GET", "/cognito/post-confirmation/", "POST"),
        ("FOO", "/cognito/post-confirmation", "POST"),
        ("GET", "/cognito/user-migration/", "POST"),
    ] {
        let answer = server.call(method, path).send().await;
        assert_coded(&format!("{method} {path}"), &answer, 405, "method_not_allowed");
        assert_eq!(answer.json()["detail"], format!("Method \"{method}\" not allowed."), "{path}");
        assert_eq!(answer.header("allow"), allow, "{path}");
    }
    let metrics = server.metrics.expect("the metrics have an address");
    assert_coded("the metrics' address", &Call::new(metrics, "GET", "/").send().await, 404, "not_found");
    assert_coded(
        "the metrics' address",
        &Call::new(metrics, "PUT", "/metrics").send().await,
        405,
        "method_not_allowed",
    );
}

#[tokio::test]
async fn the_originals_bodies_stay_without_a_code() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let own = server.post(&token, r#"{"name":"mine"}"#).await.header("location").to_owned();
    let known = |method: &str, path: &str| server.call(method, path).token(&token);
    let rows = [
        (404, json!({ "detail": "Not found." }), known("GET", "/articles/?format=xml")),
        (404, json!({ "detail": "Not found." }), known("GET", "/me/?format=xml")),
        (405, json!({ "detail": "Method \"PUT\" not allowed." }), known("PUT", "/articles/")),
        (405, json!({ "detail": "Method \"POST\" not allowed." }), known("POST", &own)),
        (
            406,
            json!({ "detail": "Could not satisfy the request Accept header." }),
            known("GET", "/articles/").header("accept", "application/xml"),
        ),
        (
            415,
            json!({ "detail": "Unsupported media type \"text/plain\" in request." }),
            known("POST", "/articles/").body("text/plain", "x"),
        ),
        (400, json!({ "name": ["This field is required."] }), known("POST", "/articles/").json("{}")),
        (400, json!({ "name": ["This field may not be blank."] }), known("PUT", &own).json(r#"{"name":""}"#)),
        (
            400,
            json!({ "detail": "Multipart form parse error - Invalid boundary in multipart: None" }),
            known("POST", "/articles/").body("multipart/form-data", "x"),
        ),
    ];
    for (status, body, call) in rows {
        let answer = call.send().await;
        assert_eq!((answer.status, answer.json()), (status, body));
    }
    let answer = known("POST", "/articles/").json("{").send().await;
    let body = answer.json();
    assert_eq!((answer.status, body.as_object().map(|body| body.len())), (400, Some(1)), "{body}");
    assert!(body["detail"].as_str().is_some_and(|detail| detail.starts_with("JSON parse error - ")), "{body}");
}
