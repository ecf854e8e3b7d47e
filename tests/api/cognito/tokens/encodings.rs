//! Bent encodings: what another reader might forgive. Each row that is about the header or the claims is
//! signed by the pool's own key, so that nothing but its form is wrong.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use gatepost::cognito::Refusal;
use serde_json::json;

use super::{assert_accepted, assert_refused, with_raw_member};
use crate::harness::TestServer;
use crate::harness::pool::TestKey;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Signs segments as they are.
fn sign_segments(key: &TestKey, header: &str, claims: &str) -> String {
    let message = format!("{header}.{claims}");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.signature(message.as_bytes())))
}

/// JSON with blanks at its end until its base64 needs this many characters of padding.
fn with_padding(mut json: String, padding: usize) -> String {
    while (3 - json.len() % 3) % 3 != padding {
        json.push(' ');
    }
    json
}

/// The segment with its last character replaced by one that differs in the bits that mean nothing.
fn with_trailing_bits(segment: &str) -> String {
    let (rest, last) = segment.split_at(segment.len() - 1);
    let at = ALPHABET.iter().position(|c| *c == last.as_bytes()[0]).expect("base64url");
    assert_eq!(at % 4, 0, "{segment} has unused bits");
    format!("{rest}{}", char::from(ALPHABET[at + 1]))
}

#[tokio::test]
async fn header_and_claims_in_another_encoding_are_refused_though_well_signed() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let key = &server.pool.id_key;
    // Characters that encode to + and /, wherever they stand.
    let token = server
        .pool
        .token("alice")
        .claim("custom:note", "???>>>~~~ ???>>>~~~  ???>>>~~~")
        .header("x", "?>~??>>~~ ?>~ ?>~");
    let (header, claims) = (token.header_json(), token.claims_json());
    let (good_header, good_claims) = (URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&claims));
    assert_accepted(&server, "the plain token", &sign_segments(key, &good_header, &good_claims)).await;

    let mut rows: Vec<(String, String)> = Vec::new();
    for padding in [1, 2] {
        let (header, claims) = (with_padding(header.clone(), padding), with_padding(claims.clone(), padding));
        let plain_header = URL_SAFE_NO_PAD.encode(&header);
        let plain_claims = URL_SAFE_NO_PAD.encode(&claims);
        assert_accepted(&server, "blanks after the JSON", &sign_segments(key, &plain_header, &plain_claims)).await;
        let row = |what: &str, header: &str, claims: &str| {
            (format!("{what} ({padding})"), sign_segments(key, header, claims))
        };
        rows.push(row("header padded", &URL_SAFE.encode(&header), &good_claims));
        rows.push(row("claims padded", &good_header, &URL_SAFE.encode(&claims)));
        rows.push(row("header with trailing bits", &with_trailing_bits(&plain_header), &good_claims));
        rows.push(row("claims with trailing bits", &good_header, &with_trailing_bits(&plain_claims)));
    }
    let standard = [(STANDARD_NO_PAD.encode(&header), &good_header), (STANDARD_NO_PAD.encode(&claims), &good_claims)];
    assert!(standard.iter().all(|(standard, good)| standard != *good), "both have what the alphabets differ in");
    let mut row =
        |what: &str, header: &str, claims: &str| rows.push((what.to_owned(), sign_segments(key, header, claims)));
    row("header in the standard alphabet", &standard[0].0, &good_claims);
    row("claims in the standard alphabet", &good_header, &standard[1].0);
    row("header as plain JSON", "{\"alg\":\"RS256\"}", &good_claims);
    row("a single character more in the header", &format!("{good_header}A"), &good_claims);
    row("percent-encoding", &good_header, &format!("{good_claims}%3D"));
    for (what, token) in rows {
        assert_refused(&server, &what, &token, Refusal::TokenMalformed).await;
    }
}

#[tokio::test]
async fn a_bent_signature_is_refused() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let key = &server.pool.id_key;
    // A token whose signature has what the alphabets differ in.
    let token = (0..).map(|n| server.pool.token("alice").claim("jti", n).sign()).find(|token| {
        token.rsplit_once('.').is_some_and(|(_, signature)| signature.contains('-') && signature.contains('_'))
    });
    let token = token.expect("a token");
    let (head, signature) = token.rsplit_once('.').expect("a token");
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let changed = |at: usize, bits: u8| {
        let mut changed = bytes.clone();
        changed[at] ^= bits;
        encoded(&changed)
    };
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let rows = [
        ("empty", String::new(), Refusal::TokenMalformed),
        ("padded", URL_SAFE.encode(&bytes), Refusal::TokenMalformed),
        ("in the standard alphabet", STANDARD_NO_PAD.encode(&bytes), Refusal::TokenMalformed),
        ("in the standard alphabet, padded", STANDARD.encode(&bytes), Refusal::TokenMalformed),
        ("with trailing bits", with_trailing_bits(signature), Refusal::TokenMalformed),
        ("one character short", signature[..signature.len() - 1].to_owned(), Refusal::TokenMalformed),
        ("three characters more", format!("{signature}AAA"), Refusal::TokenMalformed),
        ("hexadecimal", bytes.iter().map(|byte| format!("{byte:02x}")).collect(), Refusal::SignatureInvalid),
        ("one byte short", encoded(&bytes[..255]), Refusal::SignatureInvalid),
        ("half", encoded(&bytes[..128]), Refusal::SignatureInvalid),
        ("one byte", encoded(&bytes[..1]), Refusal::SignatureInvalid),
        ("one byte more", encoded(&[&bytes[..], &[0]].concat()), Refusal::SignatureInvalid),
        ("one zero before", encoded(&[&[0], &bytes[..]].concat()), Refusal::SignatureInvalid),
        ("twice", encoded(&[&bytes[..], &bytes[..]].concat()), Refusal::SignatureInvalid),
        ("first bit changed", changed(0, 0x80), Refusal::SignatureInvalid),
        ("last bit changed", changed(255, 0x01), Refusal::SignatureInvalid),
        ("reversed", encoded(&reversed), Refusal::SignatureInvalid),
        ("zeros", encoded(&[0; 256]), Refusal::SignatureInvalid),
        ("one", encoded(&[&[0; 255][..], &[1]].concat()), Refusal::SignatureInvalid),
        ("the modulus", key.modulus(), Refusal::SignatureInvalid),
        ("of other claims", encoded(&key.signature(b"other")), Refusal::SignatureInvalid),
    ];
    for (what, signature, refusal) in rows {
        assert_refused(&server, what, &format!("{head}.{signature}"), refusal).await;
    }
    assert_accepted(&server, "unchanged", &token).await;
}

/// Whoever checks `s^e mod n` without `s < n` takes a second signature for good.
#[tokio::test]
async fn a_signature_plus_the_modulus_is_refused() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let modulus = URL_SAFE_NO_PAD.decode(server.pool.id_key.modulus()).expect("base64url");
    let sum = (0..64).find_map(|n| {
        let token = server.pool.token("alice").claim("jti", n).sign();
        let (head, signature) = token.rsplit_once('.')?;
        let mut sum = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let mut carry = 0;
        for (byte, addend) in sum.iter_mut().zip(&modulus).rev() {
            let total = u16::from(*byte) + u16::from(*addend) + carry;
            *byte = total as u8;
            carry = total >> 8;
        }
        (carry == 0).then(|| format!("{head}.{}", URL_SAFE_NO_PAD.encode(sum)))
    });
    // A modulus just below the power of two leaves no room for the sum; then there is nothing to try.
    if let Some(token) = sum {
        assert_refused(&server, "signature plus modulus", &token, Refusal::SignatureInvalid).await;
    }
}

#[tokio::test]
async fn only_three_parts_with_something_in_each_are_a_token() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let token = server.pool.token("alice").sign();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    let encrypted = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let rows = [
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{token}.{signature}")),
        ("four parts, the last empty", format!("{token}.")),
        ("four parts, the first empty", format!(".{token}")),
        ("five parts", format!("{token}.{claims}.{signature}")),
        ("an encrypted token", format!("{encrypted}.AAAA.BBBB.CCCC.DDDD")),
        ("no header", format!(".{claims}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("no claims, well signed", sign_segments(&server.pool.id_key, header, "")),
        ("no signature", format!("{header}.{claims}.")),
        ("dots", "..".to_owned()),
        ("more dots", "....".to_owned()),
        ("a dot", ".".to_owned()),
        ("thousands of dots", ".".repeat(5000)),
        ("a word", "undefined".to_owned()),
        ("null", "null".to_owned()),
        ("an opaque token", "7f9c2ba4e88f827d616045507605853e".to_owned()),
    ];
    for (what, token) in rows {
        assert_refused(&server, what, &token, Refusal::TokenMalformed).await;
    }
}

#[tokio::test]
async fn json_that_readers_disagree_on_is_refused_though_well_signed() {
    let server = TestServer::start().await;
    server.user("alice").await;
    server.user("bob").await;
    let key = &server.pool.id_key;
    let token = server.pool.token("alice");
    let (header, claims) = (token.header_json(), token.claims_json());
    let in_claims = |member: &str| key.sign(&header, &with_raw_member(&claims, member));
    let in_header = |member: &str| key.sign(&with_raw_member(&header, member), &claims);
    let bytes = |claims: &[u8]| sign_segments(key, &URL_SAFE_NO_PAD.encode(&header), &URL_SAFE_NO_PAD.encode(claims));
    assert_accepted(&server, "a member more", &in_claims(r#""a":{"b":[{"c":1},{"c":2}]},"A":1"#)).await;
    let rows = [
        ("alg twice", in_header(r#""alg":"none""#)),
        ("alg twice and the same", in_header(r#""alg":"RS256""#)),
        ("kid twice", in_header(r#""kid":"other""#)),
        ("alg twice, once escaped", in_header(r#""\u0061lg":"none""#)),
        ("a duplicate deep in the header", in_header(r#""x":{"y":[{"z":1,"z":2}]}"#)),
        ("sub twice", in_claims(r#""sub":"sub-of-bob""#)),
        ("email twice", in_claims(r#""email":"bob@example.com""#)),
        ("email twice, once escaped", in_claims(r#""e\u006dail":"bob@example.com""#)),
        ("exp twice", in_claims(r#""exp":1"#)),
        ("an unknown claim twice and the same", in_claims(r#""a":1,"a":1"#)),
        ("a duplicate deep in the claims", in_claims(r#""address":{"country":"a","country":"b"}"#)),
        ("a duplicate in a list", in_claims(r#""x":[1,[{"y":1,"y":1}]]"#)),
        ("a number too large for any reader", in_claims(r#""x":1e400"#)),
        ("half a surrogate", in_claims(r#""x":"\ud800""#)),
        ("claims in a list", key.sign(&header, &format!("[{claims}]"))),
        ("claims a string", key.sign(&header, &json!(claims).to_string())),
        ("claims null", key.sign(&header, "null")),
        ("claims followed by more", key.sign(&header, &format!("{claims}{{}}"))),
        ("claims followed by a letter", key.sign(&header, &format!("{claims}x"))),
        ("claims cut short", key.sign(&header, &claims[..claims.len() - 1])),
        ("a comma at the end", key.sign(&header, &format!("{},}}", &claims[..claims.len() - 1]))),
        ("single quotes", key.sign(&header, &claims.replace('"', "'"))),
        ("a comment", key.sign(&header, &format!("/* */{claims}"))),
        ("NaN", in_claims(r#""x":NaN"#)),
        ("a line end in a string", in_claims("\"x\":\"a\nb\"")),
        ("a byte order mark", key.sign(&header, &format!("\u{feff}{claims}"))),
        ("bytes that are not UTF-8", bytes(&[claims.as_bytes(), b"\xff"].concat())),
        ("UTF-16", bytes(&claims.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())),
        ("deep nesting", in_claims(&format!(r#""x":{}{}"#, "[".repeat(4000), "]".repeat(4000)))),
        ("header in a list", key.sign(&format!("[{header}]"), &claims)),
        ("header a string", key.sign("\"RS256\"", &claims)),
        ("header followed by more", key.sign(&format!("{header}{header}"), &claims)),
    ];
    for (what, token) in rows {
        assert_refused(&server, what, &token, Refusal::TokenMalformed).await;
    }
    assert_eq!(server.count("users WHERE username = 'bob' AND cognito_sub IS NOT NULL").await, 0);
}

/// A token of exactly this many bytes.
fn token_of(server: &TestServer, bytes: usize) -> String {
    let sized = |header: usize, claims: usize| {
        server.pool.token("alice").header("typ", "J".repeat(header)).claim("custom:note", "x".repeat(claims))
    };
    let length = |json: String| (json.len() * 4).div_ceil(3);
    let signature = 342 + 2;
    // Base64 skips every fourth length, so the header has to help out.
    let found = (0..4).find_map(|header| {
        let header_bytes = length(sized(header, 0).header_json());
        let claims = (bytes - signature - header_bytes) * 3 / 4 - sized(header, 0).claims_json().len();
        (claims - 4..claims + 4)
            .find(|claims| {
                let whole = header_bytes + length(sized(header, *claims).claims_json()) + signature;
                whole == bytes
            })
            .map(|claims| sized(header, claims).sign())
    });
    let token = found.expect("a token of that size");
    assert_eq!(token.len(), bytes);
    token
}

#[tokio::test]
async fn a_token_may_have_16_kib_and_not_one_byte_more() {
    let server = TestServer::start().await;
    server.user("alice").await;
    for bytes in [2000, 4096, 8192, 12_000, 16 * 1024 - 1, 16 * 1024] {
        assert_accepted(&server, &format!("{bytes} bytes"), &token_of(&server, bytes)).await;
    }
    for bytes in [16 * 1024 + 1, 20_000, 64 * 1024, 100_000] {
        assert_refused(&server, &format!("{bytes} bytes"), &token_of(&server, bytes), Refusal::TokenTooLarge).await;
    }
}

#[tokio::test]
async fn a_token_that_is_too_large_is_not_even_looked_at() {
    let (server, good) = TestServer::with_alice().await;
    assert_accepted(&server, "a good token", &good).await;
    let fetches = server.pool.jwks.fetches();
    let unknown_key = server.pool.token("alice").key(&TestKey::nth(3)).claim("custom:note", "x".repeat(50_000)).sign();
    // If these were parsed, they would be malformed, or make the server ask for the key.
    for (what, token) in
        [("letters", "a".repeat(65_536)), ("dots", ".".repeat(65_536)), ("a token of an unknown key", unknown_key)]
    {
        assert_refused(&server, what, &token, Refusal::TokenTooLarge).await;
    }
    assert_eq!(server.pool.jwks.fetches(), fetches);
}

#[tokio::test]
async fn a_megabyte_of_token_is_cut_off_and_the_next_request_served() {
    let (server, good) = TestServer::with_alice().await;
    let huge = "a".repeat(1_048_576);
    let request =
        format!("GET /me/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {huge}\r\nConnection: close\r\n\r\n");
    let answer = server.exchange(request).await.text();
    // The connection may be reset before the answer is read; what is read must be a refusal.
    let refused = ["HTTP/1.1 431", "HTTP/1.1 401", "HTTP/1.1 400"].iter().any(|status| answer.starts_with(status));
    assert!(answer.is_empty() || refused, "{answer}");
    assert!(!answer.contains("aaaaaaaa"), "a part of the token came back: {answer}");
    assert_accepted(&server, "a good token", &good).await;
}
