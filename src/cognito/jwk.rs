//! Parses key sets (RFC 7517) and selects the keys for RS256 signatures.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::signatures;

pub struct Key(DecodingKey);

impl Key {
    pub fn new(modulus: &str, exponent: &str) -> Option<Key> {
        signatures::install();
        let key = DecodingKey::from_rsa_components(modulus, exponent).ok()?;
        signatures::is_usable(&key).then_some(Key(key))
    }

    /// `signature` is in base64url. Always false for keys with fewer than 2048 bits.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        crypto::verify(signature, message, &self.0, Algorithm::RS256).unwrap_or(false)
    }

    pub fn is_same(&self, other: &Key) -> bool {
        signatures::components(&self.0).ok() == signatures::components(&other.0).ok()
    }
}

pub type KeySet = HashMap<String, Arc<Key>>;

/// Skips unusable keys. A set without a usable key is an error, so that it never replaces known keys.
pub fn parse(body: &[u8]) -> Result<KeySet, String> {
    #[derive(Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        keys: Vec<&'a RawValue>,
    }
    let document: Document =
        serde_json::from_slice(body).map_err(|error| format!("the response is not a key set: {error}"))?;
    let mut keys = KeySet::new();
    for (kid, key) in document.keys.into_iter().filter_map(|jwk| parse_key(jwk.get())) {
        keys.entry(kid).or_insert_with(|| Arc::new(key));
    }
    if keys.is_empty() { Err("the response has no RS256 key".to_owned()) } else { Ok(keys) }
}

/// A member of the wrong type (RFC 7517), or a duplicate (section 4), makes the key unusable.
#[derive(Deserialize)]
struct Jwk {
    kid: String,
    kty: String,
    n: String,
    e: String,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
}

impl Jwk {
    /// If both members are present, they must agree (RFC 7517, sections 4.2 and 4.3).
    fn is_for_signatures(&self) -> bool {
        let may_verify = |operations: &Vec<String>| {
            let different: HashSet<&String> = operations.iter().collect();
            different.len() == operations.len() && operations.iter().any(|operation| operation == "verify")
        };
        self.r#use.as_ref().is_none_or(|r#use| r#use == "sig") && self.key_ops.as_ref().is_none_or(may_verify)
    }

    fn is_for_rs256(&self) -> bool {
        self.kty == "RSA"
            && self.alg.as_ref().is_none_or(|alg| alg == "RS256")
            // 2048 to 8192 bits in base64url. RFC 7518, section 3.3 requires at least 2048.
            && (342..=1366).contains(&self.n.len())
    }
}

fn parse_key(jwk: &str) -> Option<(String, Key)> {
    let jwk: Jwk = serde_json::from_str(jwk).ok()?;
    if !jwk.is_for_signatures() || !jwk.is_for_rs256() {
        return None;
    }
    let key = Key::new(&jwk.n, &jwk.e)?;
    Some((jwk.kid, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_used(members: &str) -> bool {
        let modulus = "w".repeat(342);
        let document = format!(r#"{{"keys":[{{"kid":"k","kty":"RSA","n":"{modulus}","e":"AQAB"{members}}}]}}"#);
        parse(document.as_bytes()).is_ok()
    }

    #[test]
    fn a_key_is_used_unless_it_says_that_it_is_for_something_else() {
        for used in [
            "",
            r#","use":"sig""#,
            r#","use":null"#,
            r#","key_ops":["verify"]"#,
            r#","key_ops":["sign","verify"]"#,
            r#","key_ops":["verify","https://example.com/ours"]"#,
            r#","key_ops":null"#,
            r#","use":"sig","key_ops":["verify"]"#,
        ] {
            assert!(is_used(used), "{used}");
        }
        for unused in [
            r#","use":"enc""#,
            r#","use":"Sig""#,
            r#","use":"""#,
            r#","use":" sig""#,
            r#","use":"tls""#,
            r#","key_ops":["encrypt"]"#,
            r#","key_ops":["sign"]"#,
            r#","key_ops":["Verify"]"#,
            r#","key_ops":["verify "]"#,
            r#","key_ops":[]"#,
            // Both must agree.
            r#","use":"enc","key_ops":["verify"]"#,
            r#","use":"sig","key_ops":["encrypt"]"#,
            r#","use":"sig","key_ops":[]"#,
            // An operation must not be repeated.
            r#","key_ops":["verify","verify"]"#,
            r#","key_ops":["sign","verify","sign"]"#,
            // A member must not be repeated either.
            r#","use":"sig","use":"sig""#,
            r#","key_ops":["verify"],"key_ops":["verify"]"#,
            // Wrong types.
            r#","use":["sig"]"#,
            r#","use":1"#,
            r#","use":true"#,
            r#","key_ops":"verify""#,
            r#","key_ops":{"verify":true}"#,
            r#","key_ops":["verify",1]"#,
            r#","key_ops":["verify",null]"#,
            r#","key_ops":[["verify"]]"#,
            r#","key_ops":true"#,
        ] {
            assert!(!is_used(unused), "{unused}");
        }
    }
}
