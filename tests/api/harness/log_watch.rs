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
    // Every JSON object in base64url begins like this, so every token does.
    assert!(!log.contains("eyJ"), "a token was logged: {log}");
    assert!(!log.contains("$argon2"), "a password hash was logged: {log}");
}
