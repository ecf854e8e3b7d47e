//! Errors as problem details (RFC 9457): who gets them, and what is in them.

use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::harness::client::{Answer, Call};

const BOTH: &str = "application/problem+json, application/json";

/// Fails unless the answer is a problem with exactly these members beside those that follow from the status.
#[track_caller]
fn assert_problem(case: &str, answer: &Answer, status: u16, title: &str, members: &Value) {
    assert_eq!(answer.status, status, "{case}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{case}");
    let mut expected = json!({ "type": "about:blank", "title": title, "status": status });
    for (name, value) in members.as_object().expect("an object") {
        expected[name] = value.clone();
    }
    assert_eq!(answer.json(), expected, "{case}");
}

fn wants(call: Call) -> Call {
    call.header("accept", BOTH)
}

#[tokio::test]
async fn every_kind_of_error_is_a_problem_where_it_is_asked_for() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(1).await;
    let call = |method: &str, path: &str| wants(server.call(method, path));
    let known = |method: &str, path: &str| call(method, path).token(&token);
    let rows = [
        (
            "no token",
            call("GET", "/articles/"),
            (401, "Unauthorized"),
            json!({ "code": "no_token", "detail": "No authentication token provided. Send `Authorization: Bearer <idToken>`." }),
        ),
        (
            "not one's own",
            known("PUT", "/articles/1/").json(r#"{"name":"x"}"#),
            (403, "Forbidden"),
            json!({ "code": "permission_denied", "detail": "You do not have permission to perform this action." }),
        ),
        (
            "not there",
            known("GET", "/articles/9/"),
            (404, "Not Found"),
            json!({ "code": "not_found", "detail": "No Article matches the given query." }),
        ),
        (
            "wrong method",
            known("PUT", "/articles/"),
            (405, "Method Not Allowed"),
            json!({ "code": "method_not_allowed", "detail": "Method \"PUT\" not allowed." }),
        ),
        (
            "too large",
            known("POST", "/articles/").json(vec![b' '; 1_048_577]),
            (413, "Payload Too Large"),
            json!({ "code": "body_too_large", "detail": "The request body is larger than 1048576 bytes." }),
        ),
        (
            "unsupported",
            known("POST", "/articles/").body("text/plain", "x"),
            (415, "Unsupported Media Type"),
            json!({ "code": "unsupported_media_type", "detail": "Unsupported media type \"text/plain\" in request." }),
        ),
        (
            "malformed",
            known("POST", "/articles/").body("multipart/form-data", "x"),
            (400, "Bad Request"),
            json!({ "code": "parse_error", "detail": "Multipart form parse error - Invalid boundary in multipart: None" }),
        ),
        (
            "nothing at that address",
            call("GET", "/nope"),
            (404, "Not Found"),
            json!({ "code": "not_found", "detail": "There is nothing at this URL." }),
        ),
        (
            "wrong method outside the API",
            call("DELETE", "/healthz"),
            (405, "Method Not Allowed"),
            json!({ "code": "method_not_allowed", "detail": "Method \"DELETE\" not allowed." }),
        ),
        (
            "a field is wrong",
            known("POST", "/articles/").json(r#"{"name":""}"#),
            (400, "Bad Request"),
            json!({ "code": "invalid", "detail": "Invalid input.", "errors": { "name": ["This field may not be blank."] } }),
        ),
        (
            "no object",
            known("POST", "/articles/").json("[]"),
            (400, "Bad Request"),
            json!({
                "code": "invalid", "detail": "Invalid input.",
                "errors": { "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] },
            }),
        ),
    ];
    for (case, call, (status, title), members) in rows {
        assert_problem(case, &call.send().await, status, title, &members);
    }
    let refused = call("GET", "/me/").send().await;
    assert_eq!((refused.header("www-authenticate"), refused.header("allow")), ("Bearer", "GET, HEAD, OPTIONS"));
    assert!(refused.header("vary").split(", ").any(|name| name == "Accept"), "{refused:?}");
}

#[tokio::test]
async fn successes_stay_what_they_are() {
    let (server, token) = TestServer::with_alice().await;
    let plain = server.get("/me/", &token).await;
    let answer = wants(server.call("GET", "/me/")).token(&token).send().await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!((&answer.body, answer.header("etag")), (&plain.body, plain.header("etag")));
    let created = wants(server.call("POST", "/articles/")).token(&token).json(r#"{"name":"x"}"#).send().await;
    assert_eq!((created.status, created.header("content-type")), (201, "application/json"));
    let same = wants(server.call("GET", "/me/")).token(&token).header("if-none-match", plain.header("etag"));
    assert_eq!(same.status().await, 304);
}

#[tokio::test]
async fn accept_decides_who_gets_a_problem() {
    let (server, token) = TestServer::with_alice().await;
    const PROBLEM: &str = "application/problem+json";
    const JSON: &str = "application/json";
    const HTML: &str = "text/html; charset=utf-8";
    let rows = [
        // The original's answers stay as they are.
        ("", "", JSON),
        ("*/*", "", JSON),
        ("application/*", "", JSON),
        (JSON, "", JSON),
        ("text/html", "", HTML),
        // Only its name asks for it.
        (BOTH, "", PROBLEM),
        ("application/json, application/problem+json", "", PROBLEM),
        ("Application/Problem+JSON, */*", "", PROBLEM),
        ("application/problem+json, application/*;q=0.5", "", PROBLEM),
        ("text/html, application/problem+json", "", PROBLEM),
        ("application/json;q=0.9, application/problem+json;q=0.9", "", PROBLEM),
        // And not where something else is preferred, or it is refused.
        ("application/json, application/problem+json;q=0.9", "", JSON),
        ("text/html, application/problem+json;q=0.9", "", HTML),
        ("application/json, application/problem+json;q=0", "", JSON),
        ("application/json, application/problem+xml", "", JSON),
        // The query goes before the header.
        (BOTH, "?format=json", JSON),
        (BOTH, "?format=api", HTML),
        (BOTH, "?format=", PROBLEM),
        (BOTH, "?format=xml", JSON),
    ];
    for (accept, query, expected) in rows {
        let call = server.call("GET", &format!("/articles/999/{query}")).token(&token);
        let answer = if accept.is_empty() { call } else { call.header("accept", accept) }.send().await;
        assert_eq!((answer.status, answer.header("content-type")), (404, expected), "{accept} {query}");
    }
}

#[tokio::test]
async fn who_accepts_problems_alone_is_told_that_there_is_nothing_else_for_them() {
    let (server, token) = TestServer::with_alice().await;
    let call = server.call("POST", "/articles/").token(&token).header("accept", "application/problem+json");
    let members = json!({ "code": "not_acceptable", "detail": "Could not satisfy the request Accept header." });
    assert_problem("alone", &call.json(r#"{"name":"x"}"#).send().await, 406, "Not Acceptable", &members);
    assert_eq!(server.count("articles").await, 0);
}

#[tokio::test]
async fn failures_on_our_side_name_the_request_and_no_cause() {
    let server = TestServer::without_keys(|_| {}).await;
    let token = server.alice().await;
    let answer = wants(server.call("GET", "/me/")).token(&token).header("x-request-id", "report-me-1").send().await;
    let members = json!({
        "code": "keys_unavailable", "request_id": "report-me-1",
        "detail": "The user pool's keys are temporarily unavailable. Try again.",
    });
    assert_problem("no keys", &answer, 503, "Service Unavailable", &members);
    assert_eq!(answer.header("retry-after"), "5");
}
