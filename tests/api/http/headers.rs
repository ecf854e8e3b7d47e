//! The headers that every answer has.

use crate::harness::TestServer;
use crate::harness::client::Answer;

fn style_sheet() -> String {
    gatepost::http::assets::url("gatepost.css")
}

/// An answer of every kind, each with its name.
async fn every_answer(server: &TestServer, token: &str, more: (&str, &str)) -> Vec<(&'static str, u16, Answer)> {
    let call = |method: &str, path: &str| server.call(method, path).header(more.0, more.1);
    let known = |method: &str, path: &str| call(method, path).token(token);
    let article = known("POST", "/articles/").json(r#"{"name":"x"}"#).send().await;
    let path = article.header("location").to_owned();
    let tag = known("GET", &path).send().await.header("etag").to_owned();
    let preflight = call("OPTIONS", "/articles/")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST");
    vec![
        ("created", 201, article),
        ("root", 404, call("GET", "/").send().await),
        ("unknown path", 404, call("GET", "/nope").send().await),
        ("bad host", 400, call("GET", "/").header("host", "evil.com").send().await),
        ("no token", 401, call("GET", "/articles/").send().await),
        ("bad token", 401, call("GET", "/articles/").token("a.b.c").send().await),
        ("list", 200, known("GET", "/articles/").send().await),
        ("list without its slash", 200, known("GET", "/articles").send().await),
        ("head", 200, known("HEAD", "/articles/").send().await),
        ("list as a page", 200, known("GET", "/articles/").header("accept", "text/html").send().await),
        ("refusal as a page", 401, call("GET", "/articles/").header("accept", "text/html").send().await),
        ("one", 200, known("GET", &path).send().await),
        ("one, not modified", 304, known("GET", &path).header("if-none-match", tag).send().await),
        ("one that is not there", 404, known("GET", "/articles/999/").send().await),
        ("me", 200, known("GET", "/me/").send().await),
        ("me as a page", 200, known("GET", "/me/").header("accept", "text/html").send().await),
        ("options", 200, known("OPTIONS", "/articles/").send().await),
        ("preflight", 200, preflight.send().await),
        ("wrong method", 405, known("PUT", "/articles/").send().await),
        ("not acceptable", 406, known("GET", "/articles/").header("accept", "image/png").send().await),
        ("malformed", 400, known("POST", "/articles/").json("{").send().await),
        ("invalid", 400, known("POST", "/articles/").json("{}").send().await),
        ("unsupported", 415, known("POST", "/articles/").body("text/plain", "x").send().await),
        ("too large", 413, known("POST", "/articles/").json(vec![b' '; 1_048_577]).send().await),
        ("failed condition", 412, known("PATCH", &path).header("if-match", "\"x\"").json("{}").send().await),
        ("deleted", 204, known("DELETE", &path).send().await),
        ("healthz", 200, call("GET", "/healthz").send().await),
        ("readyz", 200, call("GET", "/readyz").send().await),
        ("style sheet", 200, call("GET", &style_sheet()).send().await),
        ("style sheet, wrong method", 405, call("POST", &style_sheet()).send().await),
    ]
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let (server, token) = TestServer::with_alice().await;
    server.ready().await;
    for (case, status, answer) in every_answer(&server, &token, ("x-forwarded-proto", "http")).await {
        assert_eq!(answer.status, status, "{case}");
        let csp = answer.header("content-security-policy");
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(csp.split("; ").any(|one| one == directive), "{case}: {directive} is missing in {csp}");
        }
        assert!(!csp.contains("unsafe") && !csp.contains('*') && !csp.contains("data:"), "{case}: {csp}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{case}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{case}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{case}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{case}");
        let expected = if case == "style sheet" { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), expected, "{case}");
        assert_eq!(answer.header("strict-transport-security"), "", "{case}: there is no TLS");
        assert!(answer.header("x-request-id").len() >= 8, "{case}");
        for name in ["server", "x-powered-by"] {
            assert_eq!(answer.header(name), "", "{case}: {name} tells what need not be known");
        }
        for name in answer.headers.keys().filter(|name| !matches!(name.as_str(), "vary" | "link")) {
            assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{case}: {name}");
        }
        let body = answer.text().to_ascii_lowercase();
        if answer.header("content-type").starts_with("text/html") {
            // The policy would stop these, so that a page with them would be a broken page.
            let own = format!("<script src=\"{}\" defer></script>", gatepost::http::assets::url("api.js"));
            let body = body.replace(&own, "");
            for forbidden in ["<script", "<style", " style=", " onclick=", "javascript:", "http-equiv"] {
                assert!(!body.contains(forbidden), "{case}: {forbidden} in {body}");
            }
            assert!(answer.header("content-type").contains("charset=utf-8"), "{case}");
        }
    }
}

#[tokio::test]
async fn browsers_are_told_to_insist_on_tls_only_behind_tls() {
    let (server, token) = TestServer::with_alice().await;
    server.ready().await;
    for (case, _, answer) in every_answer(&server, &token, ("x-forwarded-proto", "https")).await {
        let value = answer.header("strict-transport-security");
        let seconds: u64 =
            value.split(';').next().and_then(|age| age.strip_prefix("max-age=")?.parse().ok()).unwrap_or_default();
        assert!(seconds >= 15_768_000, "{case}: {value:?} is less than half a year");
    }
}

#[tokio::test]
async fn a_harmless_request_id_is_taken_over_and_any_other_replaced() {
    let server = TestServer::start().await;
    for id in ["12345678", "0b7e1f2a-5c1d-4e6f-8a9b-0c1d2e3f4a5b", "Root_1-67891233-abcdef", &"x".repeat(64)] {
        let answer = server.call("GET", "/articles/").header("x-request-id", id).send().await;
        assert_eq!(answer.header("x-request-id"), id);
    }
    let rows: [&[u8]; 10] = [
        b"",
        b"short",
        &[b'x'; 65],
        &[b'x'; 60_000],
        b"has a space",
        b"<script>alert(1)</script>",
        b"abc\tdefgh",
        b"\"quoted-id\"",
        b"caf\xc3\xa9-caf\xc3\xa9",
        b"../../etc/passwd",
    ];
    let mut seen = std::collections::HashSet::new();
    for id in rows {
        let answer = server.call("GET", "/articles/").header("x-request-id", id).send().await;
        let replaced = answer.header("x-request-id").to_owned();
        let is_plain = replaced.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        assert!(
            is_plain && (8..=64).contains(&replaced.len()),
            "{:?} became {replaced:?}",
            String::from_utf8_lossy(id)
        );
        assert!(seen.insert(replaced), "two requests have one id");
    }
}
