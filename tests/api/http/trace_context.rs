//! `traceparent`: what is taken over into the log, and what is ignored.

use gatepost::http::trace_context::parse;
use serde_json::Value;

use crate::harness::client::Call;
use crate::harness::eventually;
use crate::harness::jwks::Behaviour;
use crate::harness::pool::TestPool;
use crate::harness::program::{Program, Serving};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

#[test]
fn the_rules_of_each_version_hold() {
    let of = |version: &str, rest: &str| format!("{version}-{TRACE}-{PARENT}-{rest}");
    let zeros = |count: usize| "0".repeat(count);
    let good = [
        of("00", "01"),
        of("00", "00"),
        of("00", "ff"),
        of("00", "f3"),
        format!(" {} ", of("00", "01")),
        format!("00-{}1-{}1-00", zeros(31), zeros(15)),
        // Versions to come: the same begin, and a dash before anything else.
        of("01", "01"),
        of("fe", "01"),
        of("cc", "01-"),
        of("cc", "01-what-the-future-will-be-like"),
        of("01", "01-\u{e9}"),
    ];
    for value in good {
        let id = parse(&value);
        assert!(id.is_some_and(|id| value.contains(&format!("-{id}-")) && id.len() == 32), "{value}: {id:?}");
    }
    let bad = [
        String::new(),
        "00".to_owned(),
        TRACE.to_owned(),
        // Version 00 ends with its flags.
        of("00", "01-"),
        of("00", "01-more"),
        of("00", "01x"),
        of("00", "1"),
        of("00", ""),
        of("00", "0g"),
        // Later ones have all of it, too.
        of("01", "1"),
        of("01", "01x"),
        of("cc", "01.what-the-future-will-not-be-like"),
        // 255 is forbidden.
        of("ff", "01"),
        of("FF", "01"),
        of("0", "01"),
        of("000", "01"),
        of("0x", "01"),
        of("CC", "01"),
        // Ids are lower-case digits of their length, and not zero.
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        format!("00-{TRACE}-{}-01", PARENT.to_uppercase()),
        format!("00-{}-{PARENT}-01", zeros(32)),
        format!("00-{TRACE}-{}-01", zeros(16)),
        format!("00-{}-{PARENT}-01", &TRACE[1..]),
        format!("00-{TRACE}a-{PARENT}-01"),
        format!("00-{TRACE}-{}-01", &PARENT[1..]),
        format!("00-{TRACE}-{PARENT}a-01"),
        format!("00-{TRACE}{PARENT}--01"),
        format!("00_{TRACE}_{PARENT}_01"),
        format!("00-{}-{PARENT}-01", TRACE.replace('4', "g")),
        format!("00-{}-{PARENT}-01", TRACE.replacen("4b", "\u{e9}", 1)),
        format!("{0},{0}", of("00", "01")),
        "-".repeat(55),
        "0".repeat(55),
        "é".repeat(55),
    ];
    for value in bad {
        assert_eq!(parse(&value), None, "{value}");
    }
}

/// The log's lines of a request.
async fn lines_of(program: &Serving, id: &str, count: usize) -> Vec<Value> {
    let mut lines = Vec::new();
    eventually("the request is logged", async || {
        let parsed = program.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        lines = parsed.filter(|line| line["request_id"] == id).collect();
        lines.len() >= count
    })
    .await;
    lines
}

#[tokio::test]
async fn every_line_of_a_request_names_its_trace() {
    let pool = TestPool::start().await;
    let folder = Program::with_keys_at(pool.jwks.url()).set("COGNITO_CREATE_USERS", "true");
    let folder = folder.set("LOG_FORMAT", "json").set("RUST_LOG", "info");
    let program = folder.serve().await;
    program.ready().await;
    let traced =
        |call: Call, id: &str| call.header("x-request-id", id).header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    let alice = pool.token("alice").sign();
    let answer = traced(program.call("GET", "/me/").token(&alice), "a-good-one").send().await;
    assert_eq!(answer.header("traceparent"), "", "it is kept for the log");
    let lines = lines_of(&program, "a-good-one", 1).await;
    let line = &lines[0];
    assert_eq!((&line["trace_id"], &line["request_id"]), (&TRACE.into(), &"a-good-one".into()), "{line}");
    assert_eq!((&line["user"], line["duration_ms"].is_number()), (&answer.json()["id"], true), "{line}");

    // Refusals have a line with the reason before that.
    traced(program.call("GET", "/me/").token("a.b.c"), "a-refused-one").send().await;
    traced(program.call("GET", "/me/").header("host", "evil.example"), "a-strange-host").send().await;
    for id in ["a-refused-one", "a-strange-host"] {
        let lines = lines_of(&program, id, 2).await;
        assert!(lines.iter().all(|line| line["trace_id"] == TRACE), "{lines:?}");
    }

    let plain = |id: &str| program.call("GET", "/healthz").header("x-request-id", id);
    plain("without-one").send().await;
    plain("a-broken-one").header("traceparent", format!("00-{TRACE}-{PARENT}-01-x")).send().await;
    let twice = plain("two-of-them").header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    twice.header("traceparent", format!("00-{TRACE}-{PARENT}-01")).send().await;
    plain("not-a-text").header("traceparent", b"\xff\xfe").send().await;
    for id in ["without-one", "a-broken-one", "two-of-them", "not-a-text"] {
        let lines = lines_of(&program, id, 1).await;
        assert!(lines.iter().all(|line| line.get("trace_id").is_none()), "{lines:?}");
    }
}

#[tokio::test]
async fn a_failures_cause_names_the_trace_too_and_so_does_the_log_for_people() {
    let pool = TestPool::start().await;
    pool.jwks.behave(Behaviour::HangUp);
    let folder = Program::with_keys_at(pool.jwks.url()).set("RUST_LOG", "info");
    let program = folder.serve().await;
    let call = program.call("GET", "/me/").token(&pool.token("alice").sign()).header("x-request-id", "a-failure");
    let answer = call.header("traceparent", format!("00-{TRACE}-{PARENT}-00")).send().await;
    assert_eq!(answer.status, 503);
    let named = format!("request_id=a-failure trace_id={TRACE}");
    eventually("both lines are there", async || program.log().iter().filter(|line| line.contains(&named)).count() == 2)
        .await;
}
