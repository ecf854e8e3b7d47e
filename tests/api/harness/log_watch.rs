//! Listens to all that the servers of the tests log, and keeps watch for what must never be there.

use std::sync::Mutex;

use log::{Log, Metadata, Record};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Watch;

impl Log for Watch {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.target().starts_with("gatepost") || metadata.level() <= log::Level::Info
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}: {}", record.level(), record.target(), record.args());
            LINES.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(line);
        }
    }

    fn flush(&self) {}
}

/// Starts to listen, once.
pub fn install() {
    if log::set_logger(&Watch).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
    }
}

/// The lines so far, of all tests of this process.
pub fn lines() -> Vec<String> {
    LINES.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}

/// Fails if a token or a hash was logged, or a line that somebody forged with a control character.
pub fn check() {
    for line in lines() {
        assert_without_secrets(&line);
        assert!(!line.chars().any(char::is_control), "a control character was logged: {line:?}");
    }
}

/// Fails if a log has a token or a hash in it.
pub fn assert_without_secrets(log: &str) {
    assert!(!has_token(log), "a token was logged: {log}");
    assert!(!log.contains("$argon2"), "a password hash was logged: {log}");
}

/// Whether the beginning of a token is in it. Every JSON object in base64url begins with `eyJ`, so every token does; so
/// does a request's id now and then, which is shorter than the first part of any token.
fn has_token(log: &str) -> bool {
    let base64url = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    log.match_indices("eyJ").any(|(start, _)| log[start..].chars().take_while(base64url).count() >= 20)
}

#[test]
fn a_token_in_a_log_is_seen_and_a_requests_id_is_none() {
    assert!(has_token("refused eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIxIn0.c2ln"));
    assert!(has_token("a name and eyJhbGciOiJSUzI1NiIs"));
    assert!(!has_token("GET /articles/ 200 request_id=eyJFhhE3-12345 status=200"));
    assert!(!has_token("GET /articles/ 200 request_id=DDEUheyJ-1 status=200"));
}
