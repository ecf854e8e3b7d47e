//! The user pool's keys: sources that die, stall and lie, rotation and withdrawal, floods of unknown key
//! ids, proxies and certificates.

mod key_sets;
mod sources;
mod transport;
mod unknown_keys;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost::config::Config;
use serde_json::json;

use crate::harness::TestServer;
use crate::harness::client::Answer;
use crate::harness::pool::TestKey;

/// Longer than any test: what happens once in such a period happens once.
const NEVER: Duration = Duration::from_secs(3600);

fn quick(config: &mut Config) {
    config.jwks.refresh = Duration::from_millis(50);
}

/// No fetch but those that unknown keys cause, and those once in a while.
fn on_demand(config: &mut Config, cooldown: Duration) {
    config.jwks.refresh = NEVER;
    config.jwks.cooldown = cooldown;
}

/// A third key, which no fresh pool publishes.
fn third() -> TestKey {
    TestKey::nth(2)
}

/// A token that nobody remembers, of a user who is linked already or can be.
fn fresh(server: &TestServer) -> crate::harness::pool::TokenBuilder {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    server.pool.token("alice").claim("jti", format!("fresh-{}", NUMBER.fetch_add(1, Ordering::SeqCst)))
}

/// A token that names a key nobody has, with a signature of the right form.
fn unknown(kid: &str) -> String {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    format!(
        "{}.{}.{}",
        encode(&json!({ "alg": "RS256", "kid": kid }).to_string()),
        encode("{}"),
        URL_SAFE_NO_PAD.encode([7; 256])
    )
}

async fn status_and_code(server: &TestServer, token: &str) -> (u16, String) {
    let answer = server.get("/me/", token).await;
    (answer.status, if answer.status == 200 { String::new() } else { answer.code() })
}

#[track_caller]
fn assert_keys_unavailable(case: &str, answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (503, "keys_unavailable"), "{case}: {answer:?}");
    assert_eq!(answer.header("retry-after"), "5", "{case}");
    assert_eq!(answer.header("www-authenticate"), "", "{case}: no other token would help");
    assert_eq!(answer.json()["request_id"], answer.header("x-request-id"), "{case}");
}
