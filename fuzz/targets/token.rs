//! Tokens: the raw input, and the input's lines as header and claims, so that the fuzzer need not learn base64url to
//! pass the first check.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost::cognito::token::Token;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input) {
        parse(text);
    }
    if let Some(at) = input.iter().position(|byte| *byte == b'\n') {
        let [header, claims] = [&input[..at], &input[at + 1..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        parse(&format!("{header}.{claims}.c2ln"));
    }
});

fn parse(text: &str) {
    let Ok(token) = Token::parse(text) else { return };
    let signature = URL_SAFE_NO_PAD.decode(token.signature).expect("the signature is base64url");
    let again = format!("{}.{}", token.signed, URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(again, text, "nothing is lost and nothing added");
    assert!(!token.kid.is_empty() && token.kid.len() <= 256);
    assert!(!token.signature.is_empty());
    let header = members(text, 0);
    assert_eq!(header.get("alg").and_then(Value::as_str), Some("RS256"));
    assert!(!header.contains_key("crit"));
    let Ok(claims) = token.claims() else { return };
    let raw = members(text, 1);
    assert_eq!(raw.get("sub").and_then(Value::as_str), Some(claims.sub.as_str()));
    assert_eq!(raw.get("email").and_then(Value::as_str), claims.email.as_deref());
    if claims.email_verified {
        let verified = raw.get("email_verified");
        assert!(verified.is_some_and(|value| *value == true || *value == "true"), "{verified:?}");
    }
    let bounds = 0..=253_402_300_799;
    for time in [Some(claims.exp), claims.iat, claims.nbf, claims.auth_time].into_iter().flatten() {
        assert!(bounds.contains(&time), "{time}");
    }
}

/// The members of a part, from another parser.
fn members(token: &str, part: usize) -> Map<String, Value> {
    let part = URL_SAFE_NO_PAD.decode(token.split('.').nth(part).expect("a part")).expect("base64url");
    serde_json::from_slice(&part).expect("what was accepted is a JSON object")
}
