//! The log.

use serde_json::{Value, json};

use crate::harness::pool::{TestKey, TestPool};
use crate::harness::program::Program;
use crate::harness::{assert_lacks, eventually};

/// The log's lines, each of which has to be a JSON object with the members that every line has.
fn parsed(log: &[String]) -> Vec<Value> {
    let parse = |line: &String| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for name in ["time", "level", "target", "message"] {
            assert!(value[name].is_string(), "{name} is missing: {line}");
        }
        value
    };
    log.iter().map(parse).collect()
}

#[tokio::test]
async fn the_json_log_has_a_line_for_each_request_and_no_path_forges_one() {
    let pool = TestPool::start().await;
    let folder = Program::with_keys_at(pool.jwks.url()).set("COGNITO_CREATE_USERS", "true");
    let folder = folder.set("LOG_FORMAT", "json").set("RUST_LOG", "info");
    let program = folder.serve().await;
    program.ready().await;
    let line_of = async |id: &str| {
        let mut found = Vec::new();
        eventually("the request is logged", async || {
            found = parsed(&program.log())
                .into_iter()
                .filter(|line| line["request_id"] == id && line["target"] == "gatepost::access")
                .collect();
            !found.is_empty()
        })
        .await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    };
    let answer = program.call("GET", "/me/?secret=in-the-query").token(&pool.token("alice").sign()).send().await;
    assert_eq!(answer.status, 200);
    let line = line_of(answer.header("x-request-id")).await;
    assert_eq!(
        (&line["level"], &line["message"], &line["status"]),
        (&json!("INFO"), &json!("GET /me/ 200"), &json!(200))
    );
    assert_eq!(line["user"], answer.json()["id"], "{line}");
    assert!(line["duration_ms"].is_number(), "{line}");
    let time = line["time"].as_str().expect("text");
    assert!(time.ends_with('Z') && time.len() == "2030-01-01T00:00:00.000Z".len(), "{time}");

    let refused =
        program.call("GET", "/me/").token(&pool.token("alice").signed_by(&TestKey::nth(3)).sign()).send().await;
    let line = line_of(refused.header("x-request-id")).await;
    assert_eq!((&line["status"], line.get("user")), (&json!(401), None));
    let why = parsed(&program.log())
        .into_iter()
        .find(|line| line["message"] == "refused: signature_invalid")
        .expect("the reason is logged");
    assert_eq!(why["request_id"], refused.header("x-request-id"));

    let forged = r#"{"level":"ERROR","message":"forged"}"#;
    for (n, path) in [
        format!("/nope%0a{}", forged.replace('"', "%22")),
        format!("/nope%0d%0a{forged}"),
        format!("/nope\",\"status\":200,\"x\":\"{forged}"),
        "/nope%1b%5b31m%e2%80%a8%e2%80%ae".to_owned(),
        "/nope\u{2028}\u{202e}".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-request-id: hostile-{n}\r\nconnection: close\r\n\r\n");
        let exchange = program.exchange(request).await;
        assert!(matches!(exchange.statuses()[..], [404] | [400]), "{path}: {}", exchange.text());
        if exchange.statuses() == [404] {
            let line = line_of(&format!("hostile-{n}")).await;
            assert_eq!(line["status"], 404, "{path}");
            let message = line["message"].as_str().expect("text");
            assert!(!message.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}')), "{message:?}");
        }
    }
    let lines = parsed(&program.log());
    assert!(lines.iter().all(|line| line["level"] != "ERROR" && line["message"] != "forged"), "{lines:?}");
    let log = program.log().join("\n");
    assert_lacks(&log, &["in-the-query", "eyJ"]);
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_logged_too() {
    let program = Program::new().set("RUST_LOG", "info");
    let program = program.serve().await;
    for request in [
        &b"GET /articles/?search=caf\xe9 HTTP/1.1\r\nhost: localhost\r\n\r\n"[..],
        "GET /articles/?search=caf\u{e9} HTTP/1.1\r\nhost: localhost\r\n\r\n".as_bytes(),
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(program.exchange(request).await.statuses(), [400]);
    }
    eventually("each has a line", async || {
        let log = program.log();
        log.iter().filter(|line| line.contains("gatepost::access: refused before it was read: ")).count() == 3
    })
    .await;
    assert_lacks(&program.log().join("\n"), &["ERROR", "actix_http"]);
}

#[tokio::test]
async fn where_requests_are_not_logged_one_that_cannot_be_read_is_not_either() {
    let program = Program::new().set("RUST_LOG", "info,gatepost::access=warn");
    let program = program.serve().await;
    assert_eq!(program.exchange("GET / HTTP/1.1\r\nhost localhost\r\n\r\n").await.statuses(), [400]);
    assert_eq!(program.call("GET", "/").header("host", "evil.example").status().await, 400);
    // The line about this comes later than the other would have.
    eventually("the host is logged", async || program.log().iter().any(|line| line.contains("evil.example"))).await;
    assert_lacks(&program.log().join("\n"), &["refused before it was read", "ERROR", "actix_http"]);
}
