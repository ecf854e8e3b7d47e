//! Properties of the parsers that strangers can reach: whatever comes, they do not panic, and they take
//! what is well-formed and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost::cognito::Refusal;
use gatepost::cognito::authentication::bearer_token;
use gatepost::cognito::jwk::Key;
use gatepost::cognito::jwks::Jwks;
use gatepost::cognito::token::{Claims, Token};
use gatepost::cognito::user_pool::{TokenUse, UserPool};
use gatepost::cognito::verifier::Verifier;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::harness::pool::{CLIENT_ID, ISSUER, POOL_ID, TestKey, now};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() }
}

fn headers(values: &[Vec<u8>]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
        headers.append(AUTHORIZATION, value);
    }
    headers
}

/// The header's grammar, said in another way: one word that is no scheme, or `Bearer` and one word.
fn expected_token(value: &[u8]) -> Option<&str> {
    let text =
        std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b == b'\t' || (0x20..0x7f).contains(&b)))?;
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let word = match words[..] {
        [word] => word,
        [scheme, word] if scheme.eq_ignore_ascii_case("bearer") => word,
        _ => return None,
    };
    (!word.contains([',', '\t']) && !word.eq_ignore_ascii_case("bearer")).then_some(word)
}

fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"Bearer".to_vec()),
        Just(b"bEARER".to_vec()),
        Just(b"Basic".to_vec()),
        Just(b" ".to_vec()),
        Just(b" ".to_vec()),
        Just(b"  ".to_vec()),
        Just(b"\t".to_vec()),
        Just(b",".to_vec()),
        "[A-Za-z0-9_.-]{1,12}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..6),
    ];
    prop_oneof![vec(piece, 0..6).prop_map(|pieces| pieces.concat()), vec(any::<u8>(), 0..64)]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_i64..300_000_000_000).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("true")),
        Just(json!("RS256")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".{0,4}", inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn object(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let name = prop_oneof![4 => proptest::sample::select(names).prop_map(str::to_owned), 1 => ".{0,6}"];
    btree_map(name, json_value(), 0..8).prop_map(|members| Value::Object(members.into_iter().collect()))
}

const CLAIM_NAMES: &[&str] = &[
    "sub",
    "iss",
    "token_use",
    "aud",
    "client_id",
    "username",
    "cognito:username",
    "email",
    "email_verified",
    "exp",
    "iat",
    "nbf",
    "auth_time",
    "cognito:groups",
];

/// A good set of claims, some of whose members are then replaced or left out at random.
fn claims_object() -> impl Strategy<Value = Value> {
    let good = json!({
        "sub": "s", "iss": "i", "token_use": "id", "aud": "a", "client_id": "c", "cognito:username": "n",
        "email": "e@example.com", "email_verified": true, "exp": 2_000_000_000, "iat": 1, "nbf": 2.5, "auth_time": 3,
        "cognito:groups": ["g", "h"],
    });
    let one_change = (proptest::sample::select(CLAIM_NAMES), proptest::option::of(json_value()));
    vec(one_change, 0..3).prop_map(move |changes| {
        let mut members = good.as_object().expect("an object").clone();
        for (name, value) in changes {
            match value {
                Some(value) => members.insert(name.to_owned(), value),
                None => members.remove(name),
            };
        }
        Value::Object(members)
    })
}

/// What should come of claims, said in another way. `None`: refused.
fn expected_claims(members: &Map<String, Value>) -> Option<Claims> {
    let text = |name: &str| match members.get(name) {
        None => Some(None),
        Some(value) => value.as_str().map(|text| Some(text.to_owned())),
    };
    let time = |name: &str| match members.get(name) {
        None => Some(None),
        Some(value) => {
            let seconds = value.as_f64().filter(|seconds| *seconds >= 0.0 && *seconds < 253_402_300_799.5)?;
            (seconds <= 253_402_300_799.0).then_some(Some(seconds as i64))
        }
    };
    let (name, access_name) = (text("cognito:username")?, text("username"));
    Some(Claims {
        sub: text("sub")?.filter(|sub| (1..=255).contains(&sub.len()) && !sub.contains('\0'))?,
        iss: text("iss")?,
        token_use: text("token_use")?,
        aud: text("aud")?,
        client_id: text("client_id")?,
        username: if name.is_some() { access_name.and(name) } else { access_name? },
        email: text("email")?,
        email_verified: [Some(&json!(true)), Some(&json!("true"))].contains(&members.get("email_verified")),
        exp: time("exp")??,
        iat: time("iat")?,
        nbf: time("nbf")?,
        auth_time: time("auth_time")?,
        nonce: members.get("nonce").and_then(Value::as_str).map(str::to_owned),
        acr: members.get("acr").and_then(Value::as_str).map(str::to_owned),
        groups: match members.get("cognito:groups") {
            None => Vec::new(),
            Some(groups) => serde_json::from_value(groups.clone()).ok()?,
        },
        scope: members.get("scope").and_then(Value::as_str).map(str::to_owned),
    })
    .filter(|_| text("username").is_some())
}

fn token(header: &str, claims: &str, signature: &[u8]) -> String {
    [header.as_bytes(), claims.as_bytes(), signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

const GOOD_HEADER: &str = r#"{"kid":"k","alg":"RS256"}"#;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_header_gives_a_token_exactly_when_it_has_the_form(value in header_value()) {
        let headers = headers(std::slice::from_ref(&value));
        let found = bearer_token(&headers);
        match headers.get(AUTHORIZATION).map(HeaderValue::as_bytes) {
            None => prop_assert_eq!(found, Err(Refusal::NoToken)),
            Some(value) => prop_assert_eq!(found, expected_token(value).ok_or(Refusal::AuthorizationInvalid)),
        }
    }

    #[test]
    fn more_than_one_header_never_gives_a_token(values in vec(header_value(), 2..4)) {
        let headers = headers(&values);
        if headers.get_all(AUTHORIZATION).count() > 1 {
            prop_assert_eq!(bearer_token(&headers), Err(Refusal::AuthorizationInvalid));
        }
    }

    #[test]
    fn any_word_of_a_token_comes_out_of_its_header_unchanged(
        word in "[A-Za-z0-9_.=+/-]{1,200}", scheme in "([Bb][Ee][Aa][Rr][Ee][Rr] {1,4})?", blanks in " {0,3}",
    ) {
        prop_assume!(!word.eq_ignore_ascii_case("bearer"));
        let headers = headers(&[format!("{blanks}{scheme}{word}{blanks}").into_bytes()]);
        prop_assert_eq!(bearer_token(&headers), Ok(word.as_str()));
    }

    #[test]
    fn no_text_makes_the_token_parser_panic(text in "\\PC{0,200}|[A-Za-z0-9_.-]{0,200}|[.]{0,9}|.{0,50}") {
        if let Ok(token) = Token::parse(&text) {
            let _ = token.claims();
        }
    }

    #[test]
    fn no_bytes_within_a_token_make_the_parser_panic(
        header in vec(any::<u8>(), 0..60), claims in vec(any::<u8>(), 0..60), signature in vec(any::<u8>(), 0..60),
    ) {
        let text = [&header, &claims, &signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        prop_assert!(Token::parse(&text).and_then(|token| token.claims()).is_err());
        let text = [GOOD_HEADER.as_bytes(), &claims, b"s"].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        prop_assert!(Token::parse(&text).and_then(|token| token.claims()).is_err());
    }

    #[test]
    fn a_header_is_good_exactly_when_it_names_rs256_and_a_key_and_asks_for_nothing(
        members in object(&["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5u", "x5c"]), alg in any::<bool>(), kid in ".{0,300}",
    ) {
        let mut members = members;
        if alg {
            members["alg"] = json!("RS256");
            members["kid"] = json!(kid);
        }
        let forbidden = ["crit", "jwk", "jku", "x5u", "x5c"].iter().any(|name| members.get(name).is_some());
        let b64 = members.get("b64").is_none_or(|b64| *b64 == json!(true));
        let named = members["kid"].as_str().is_some_and(|kid| (1..=256).contains(&kid.len()));
        let good = members["alg"] == json!("RS256") && !forbidden && b64 && named;
        let text = token(&members.to_string(), "{}", b"signature");
        let parsed = Token::parse(&text);
        prop_assert_eq!(parsed.is_ok(), good, "{:?} of {}", parsed, members);
        if let Ok(parsed) = parsed {
            prop_assert_eq!(Some(parsed.kid.as_str()), members["kid"].as_str());
            prop_assert_eq!(URL_SAFE_NO_PAD.decode(parsed.signature).expect("base64url"), b"signature");
            prop_assert_eq!(format!("{}.{}", parsed.signed, parsed.signature), text);
        }
    }

    #[test]
    fn claims_come_out_as_they_went_in_or_not_at_all(claims in prop_oneof![claims_object(), object(CLAIM_NAMES)]) {
        let json = claims.to_string();
        // Numbers as a reader of that text has them.
        let members: Map<String, Value> = serde_json::from_str(&json).expect("an object");
        let text = token(GOOD_HEADER, &json, b"signature");
        let parsed = Token::parse(&text).expect("the header is good").claims();
        prop_assert_eq!(parsed, expected_claims(&members).ok_or(Refusal::ClaimInvalid), "{}", json);
    }

    #[test]
    fn a_member_that_comes_twice_is_refused_wherever_it_is(
        name in "[a-z]{1,6}", first in json_value(), second in json_value(), depth in 0..6_usize, in_list in any::<bool>(),
    ) {
        let (open, close) = if in_list { ("{\"x\":[", "]}") } else { ("{\"x\":", "}") };
        let wrap = |inner: String| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        let twice = wrap(format!("{{\"{name}\":{first},\"other\":1,\"{name}\":{second}}}"));
        let once = wrap(format!("{{\"{name}\":{first},\"OTHER\":{second}}}"));
        let claims = |claims: &str| Token::parse(&token(GOOD_HEADER, claims, b"s")).expect("the header is good").claims();
        prop_assert_eq!(claims(&twice), Err(Refusal::TokenMalformed));
        // The same without the duplicate is read, and refused only for what it lacks.
        prop_assert_eq!(claims(&once), Err(Refusal::ClaimInvalid));
        prop_assert_eq!(Token::parse(&token(&twice, "{}", b"s")).err(), Some(Refusal::TokenMalformed));
    }
}

/// A verifier with one key, and a good token.
struct Fixture {
    verifier: Verifier,
    good: String,
    runtime: tokio::runtime::Runtime,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let key = TestKey::nth(0);
        let public = Key::new(&key.modulus(), &key.exponent()).expect("a key");
        let keys = HashMap::from([(key.kid.clone(), Arc::new(public))]);
        let pool = UserPool {
            id: POOL_ID.to_owned(),
            issuers: vec![ISSUER.to_owned()],
            jwks_urls: Vec::new(),
            client_ids: vec![CLIENT_ID.to_owned()],
        };
        let claims = json!({
            "sub": "s", "iss": ISSUER, "aud": CLIENT_ID, "token_use": "id", "exp": now() + 36_000, "email": "a@example.com",
        });
        let good = key.sign(&json!({ "kid": key.kid, "alg": "RS256" }).to_string(), &claims.to_string());
        let verifier = Verifier::new(pool, TokenUse::Id, Duration::from_secs(30), Jwks::fixed(keys));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime");
        assert!(runtime.block_on(verifier.verify(&good)).is_ok(), "the good token is good, and remembered");
        Fixture { verifier, good, runtime }
    })
}

fn is_accepted(token: &str) -> bool {
    let fixture = fixture();
    fixture.runtime.block_on(fixture.verifier.verify(token)).is_ok()
}

#[test]
fn no_change_of_one_bit_is_accepted() {
    let good = &fixture().good;
    for at in 0..good.len() {
        for bit in 0..7 {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let bent = String::from_utf8(bytes).expect("ASCII");
            assert!(!is_accepted(&bent), "bit {bit} of byte {at}");
        }
    }
    assert!(is_accepted(good));
}

#[test]
fn no_other_last_character_of_a_part_is_accepted() {
    let good = &fixture().good;
    let ends = good.match_indices('.').map(|(at, _)| at - 1).chain([good.len() - 1]);
    for at in ends {
        for other in (0x21..0x7f_u8).map(char::from).filter(|other| !good[at..].starts_with(*other)) {
            assert!(!is_accepted(&format!("{}{other}{}", &good[..at], &good[at + 1..])), "{other} at {at}");
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_character_replaced_added_or_removed_is_accepted(at in any::<prop::sample::Index>(), other in any::<char>(), kind in 0..4) {
        let good = &fixture().good;
        let at = at.index(good.len());
        let (before, rest) = good.split_at(at);
        let bent = match kind {
            0 => format!("{before}{other}{}", &rest[1..]),
            1 => format!("{before}{other}{rest}"),
            2 => format!("{before}{}", &rest[1..]),
            _ => format!("{before}{}{rest}", &rest[..1]),
        };
        prop_assert!(bent == *good || !is_accepted(&bent), "{:?} at {}, kind {}", other, at, kind);
    }

    #[test]
    fn no_part_of_another_token_fits_a_good_signature(claims in claims_object()) {
        let good = &fixture().good;
        let (header, rest) = good.split_once('.').expect("a token");
        let (_, signature) = rest.split_once('.').expect("a token");
        let bent = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        prop_assert!(!is_accepted(&bent));
    }
}
