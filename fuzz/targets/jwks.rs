//! Key sets, as any URL might return them.
#![no_main]

use gatepost::cognito::jwk;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let Ok(keys) = jwk::parse(input) else { return };
    assert!(!keys.is_empty(), "an empty set must not replace what is known");
    for (kid, key) in &keys {
        assert!(!key.verifies(b"message", "c2ln"), "{kid:?} took three bytes for a signature");
    }
    if let Ok(document) = serde_json::from_slice::<Value>(input) {
        let published = document["keys"].as_array().expect("a list");
        assert!(keys.keys().all(|kid| published.iter().any(|jwk| jwk["kid"] == **kid)), "a key out of nowhere");
    }
});
