//! Tokens: which are let in, which are refused, and in what words.

mod claims;
pub mod codes;
mod encodings;
mod forged;
mod header;
mod memory;
mod second_opinion;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost::cognito::Refusal;
use serde_json::Value;

use crate::harness::TestServer;
use crate::harness::client::Answer;

/// Fails unless this token opens the door.
pub async fn assert_accepted(server: &TestServer, what: &str, token: &str) {
    let answer = server.get("/me/", token).await;
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
}

/// Fails unless this token is refused for this very reason, in the right form, and none of it comes back.
pub async fn assert_refused(server: &TestServer, what: &str, token: &str, refusal: Refusal) {
    let answer = server.get("/me/", token).await;
    assert_refusal(what, &answer, refusal);
    assert_says_nothing_of(what, &answer, token);
}

/// Fails unless the answer is a 401 for this very reason, in the right form.
pub fn assert_refusal(what: &str, answer: &Answer, refusal: Refusal) {
    assert_eq!((answer.status, answer.code().as_str()), (401, refusal.code()), "{what}: {}", answer.text());
    assert_eq!(answer.json()["detail"], refusal.detail(), "{what}");
    let challenge = if refusal == Refusal::NoToken { "Bearer" } else { "Bearer error=\"invalid_token\"" };
    assert_eq!(answer.header("www-authenticate"), challenge, "{what}");
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
}

/// Fails if a part of the token, or a text within one, is anywhere in the answer.
pub fn assert_says_nothing_of(what: &str, answer: &Answer, token: &str) {
    let said = format!("{:?} {}", answer.headers, answer.text());
    for part in token.split('.') {
        assert!(part.len() < 8 || !said.contains(part), "{what}: a part of the token came back: {said}");
        let decoded = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        if let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(&decoded) {
            for text in members.values().filter_map(Value::as_str).filter(|text| text.len() >= 10) {
                assert!(!said.contains(text), "{what}: {text:?} came back: {said}");
            }
        }
    }
}

/// A JSON object with one more member, as raw text, before the others.
pub fn with_raw_member(object: &str, member: &str) -> String {
    format!("{{{member},{}", object.strip_prefix('{').expect("an object"))
}
