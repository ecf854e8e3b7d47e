//! Forged tokens: other algorithms, other keys, keys that the token itself brings, and strange key ids.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatepost::cognito::Refusal;
use serde_json::{Value, json};

use super::{assert_accepted, assert_refused};
use crate::harness::TestServer;
use crate::harness::jwks::{Behaviour, JwksFixture, key_set};
use crate::harness::pool::{TestKey, TokenBuilder};

/// The token with a signature that `sign` makes of what is signed.
fn signed(token: &TokenBuilder, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(token.header_json()), URL_SAFE_NO_PAD.encode(token.claims_json()));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

#[tokio::test]
async fn no_algorithm_but_rs256_is_accepted_whatever_the_signature() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let algorithms = [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!("noNe"),
        json!("none "),
        json!("HS256"),
        json!("HS384"),
        json!("HS512"),
        json!("RS384"),
        json!("RS512"),
        json!("PS256"),
        json!("PS384"),
        json!("PS512"),
        json!("ES256"),
        json!("ES384"),
        json!("ES512"),
        json!("ES256K"),
        json!("EdDSA"),
        json!("RSA-OAEP"),
        json!("dir"),
        json!("rs256"),
        json!("Rs256"),
        json!("RS256 "),
        json!("RS-256"),
        json!("RS256\0"),
        json!(""),
        json!(null),
        json!(256),
        json!(true),
        json!(["RS256"]),
        json!({ "alg": "RS256" }),
    ];
    for algorithm in algorithms {
        let token = server.pool.token("alice").header("alg", algorithm.clone());
        // With the pool's good signature, nothing but the name of the algorithm is wrong.
        assert_refused(&server, &format!("alg {algorithm}"), &token.sign(), Refusal::AlgorithmNotAllowed).await;
        let unsigned = signed(&token, |_| Vec::new());
        assert_refused(&server, &format!("alg {algorithm}, unsigned"), &unsigned, Refusal::AlgorithmNotAllowed).await;
    }
    let missing = server.pool.token("alice").without_header("alg").sign();
    assert_refused(&server, "no alg", &missing, Refusal::AlgorithmNotAllowed).await;
    assert_accepted(&server, "RS256", &server.pool.token("alice").sign()).await;
}

#[tokio::test]
async fn the_public_key_is_no_hmac_secret_in_any_encoding() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let key = &server.pool.id_key;
    let der = key.public_der();
    let base64 = STANDARD.encode(&der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n"));
    let secrets = [
        ("PEM", pem.clone().into_bytes()),
        ("PEM and a line end", format!("{pem}\n").into_bytes()),
        ("PEM with CR LF", pem.replace('\n', "\r\n").into_bytes()),
        ("DER", der),
        ("base64 of the DER", base64.into_bytes()),
        ("the modulus in base64url", key.modulus().into_bytes()),
        ("the modulus", URL_SAFE_NO_PAD.decode(key.modulus()).expect("base64url")),
        ("the JWK", key.jwk().to_string().into_bytes()),
        ("the JWKS", key_set(&[key])),
        ("the key id", key.kid.clone().into_bytes()),
        ("nothing", Vec::new()),
    ];
    let algorithms = [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    for (what, secret) in &secrets {
        for (name, algorithm) in algorithms {
            let sign = |message: &[u8]| hmac::sign(&hmac::Key::new(algorithm, secret), message).as_ref().to_vec();
            let honest = signed(&server.pool.token("alice").header("alg", name), sign);
            assert_refused(&server, &format!("{name}, {what}"), &honest, Refusal::AlgorithmNotAllowed).await;
            let disguised = signed(&server.pool.token("alice"), sign);
            let what = format!("{name} disguised as RS256, {what}");
            assert_refused(&server, &what, &disguised, Refusal::SignatureInvalid).await;
        }
    }
}

#[tokio::test]
async fn a_signature_of_another_algorithm_is_refused_under_its_own_name_and_under_rs256() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let key = server.pool.id_key.clone();
    let rsa: [(&str, &'static dyn RsaEncoding); 5] = [
        ("RS384", &RSA_PKCS1_SHA384),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
        ("PS384", &RSA_PSS_SHA384),
        ("PS512", &RSA_PSS_SHA512),
    ];
    for (name, encoding) in rsa {
        let sign = |message: &[u8]| {
            let mut signature = vec![0; key.pair.public_modulus_len()];
            key.pair.sign(encoding, &SystemRandom::new(), message, &mut signature).expect("a signature");
            signature
        };
        let honest = signed(&server.pool.token("alice").header("alg", name), sign);
        assert_refused(&server, name, &honest, Refusal::AlgorithmNotAllowed).await;
        let disguised = signed(&server.pool.token("alice"), sign);
        assert_refused(&server, &format!("{name} disguised"), &disguised, Refusal::SignatureInvalid).await;
    }
    let curve = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let sign = |message: &[u8]| curve.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec();
    let honest = signed(&server.pool.token("alice").header("alg", "ES256"), sign);
    assert_refused(&server, "ES256", &honest, Refusal::AlgorithmNotAllowed).await;
    let disguised = signed(&server.pool.token("alice"), sign);
    assert_refused(&server, "ES256 disguised", &disguised, Refusal::SignatureInvalid).await;
}

#[tokio::test]
async fn a_key_that_the_token_brings_is_neither_used_nor_fetched() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let attacker = TestKey::nth(2);
    let listener = JwksFixture::start(&[&attacker, &attacker.named(&server.pool.id_key.kid)]).await;
    let url = listener.url().to_string();
    let certificate = STANDARD.encode(attacker.public_der());
    let brought: [(&str, Value); 6] = [
        ("jwk", attacker.jwk()),
        ("jwk", attacker.named(&server.pool.id_key.kid).jwk()),
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("x5c", json!([certificate])),
        ("jku", json!(null)),
    ];
    for (name, value) in brought {
        let token = server.pool.token("alice").header(name, value.clone());
        for (whose, token) in [
            ("the attacker's key, by its own id", token.clone().key(&attacker)),
            ("the attacker's key, under the pool's id", token.clone().signed_by(&attacker)),
            ("the pool's own key", token),
        ] {
            assert_refused(&server, &format!("{name}, signed by {whose}"), &token.sign(), Refusal::HeaderNotSupported)
                .await;
        }
    }
    // An address is no address elsewhere either: as the key's id, or as a pool's issuer.
    let by_id = server.pool.token("alice").signed_by(&attacker).header("kid", url.clone()).sign();
    assert_refused(&server, "kid is an address", &by_id, Refusal::KeyUnknown).await;
    let issuer = url.replace("/.well-known/jwks.json", "");
    let by_issuer = server.pool.token("alice").key(&attacker).claim("iss", issuer).sign();
    assert_refused(&server, "iss is an address", &by_issuer, Refusal::KeyUnknown).await;
    assert_eq!(listener.fetches(), 0, "an address from a token was asked");
}

#[tokio::test]
async fn a_header_member_that_must_be_understood_is_refused() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let token = || server.pool.token("alice");
    for (what, token) in [
        ("crit with an unknown name", token().header("crit", json!(["example"])).header("example", 1)),
        ("crit with b64", token().header("crit", json!(["b64"])).header("b64", false)),
        ("crit with b64 that is true", token().header("crit", json!(["b64"])).header("b64", true)),
        ("crit with exp", token().header("crit", json!(["exp"])).header("exp", 1)),
        ("crit with alg", token().header("crit", json!(["alg"]))),
        ("an empty crit", token().header("crit", json!([]))),
        ("crit null", token().header("crit", json!(null))),
        ("crit a string", token().header("crit", "b64")),
        ("b64 false", token().header("b64", false)),
        ("b64 null", token().header("b64", json!(null))),
        ("b64 a string", token().header("b64", "true")),
    ] {
        assert_refused(&server, what, &token.sign(), Refusal::HeaderNotSupported).await;
    }
}

#[tokio::test]
async fn what_a_genuine_header_may_hold_is_tolerated() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let token = || server.pool.token("alice");
    for (what, token) in [
        ("kid and alg alone", token()),
        ("typ JWT", token().header("typ", "JWT")),
        ("typ jwt", token().header("typ", "jwt")),
        ("an unknown member", token().header("example", json!({ "a": [1, null] }))),
        ("an ID token signed by the pool's other key", token().key(&server.pool.access_key)),
    ] {
        assert_accepted(&server, what, &token.sign()).await;
    }
}

#[tokio::test]
async fn a_key_id_is_an_opaque_string_and_never_more() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let own = server.pool.id_key.kid.clone();
    let urlsafe = own.replace('+', "-").replace('/', "_");
    assert_ne!(own, urlsafe, "the pool's key id has what base64url lacks");
    let unknown = [
        "../../../../dev/null",
        "/dev/null",
        "file:///etc/passwd",
        "C:\\keys\\key.pem",
        "' OR '1'='1",
        "x' UNION SELECT 'secret' --",
        "| curl example.com",
        "${jndi:ldap://127.0.0.1/a}",
        "{{7*7}}",
        "\0",
        "a\r\nX-Injected: 1\r\n\r\n",
        "\u{1b}[31mred",
        "ключ",
        "\u{202e}dik",
        "0",
        " ",
        "*",
        "%s%n",
        "__proto__",
        &urlsafe,
        own.trim_end_matches('='),
        &own.to_lowercase(),
        &format!("{own}\0"),
        &format!(" {own}"),
        &format!("{own},{own}"),
        &"k".repeat(256),
    ];
    for kid in unknown {
        let token = server.pool.token("alice").header("kid", kid).sign();
        assert_refused(&server, &format!("kid {kid:?}"), &token, Refusal::KeyUnknown).await;
    }
    let invalid = [
        json!(""),
        json!(null),
        json!(0),
        json!(1.5),
        json!(true),
        json!([own]),
        json!({ "kid": own }),
        json!([]),
        json!("k".repeat(257)),
        json!("k".repeat(8000)),
    ];
    for kid in invalid {
        let token = server.pool.token("alice").header("kid", kid.clone()).sign();
        assert_refused(&server, &format!("kid {kid}"), &token, Refusal::KeyIdInvalid).await;
    }
    let missing = server.pool.token("alice").without_header("kid").sign();
    assert_refused(&server, "no kid", &missing, Refusal::KeyIdInvalid).await;
}

#[tokio::test]
async fn any_key_id_that_the_pool_publishes_is_good() {
    let server = TestServer::start().await;
    server.user("alice").await;
    // The set is changed once the first one is there: a request must not wait for a fetch that began before.
    server.ready().await;
    let plain = server.pool.id_key.clone();
    let kids = ["k", "../../etc/passwd", "' OR 1=1 --", "ключ", "a b", "\u{1}", &"k".repeat(256)];
    let keys: Vec<TestKey> = kids.iter().map(|kid| plain.named(kid)).collect();
    let mut jwks: Vec<Value> = keys.iter().map(TestKey::jwk).collect();
    // One without `use` and `alg`, and some that nobody could use beside it.
    for member in ["use", "alg"] {
        jwks[0].as_object_mut().expect("an object").remove(member);
    }
    jwks.extend([
        json!({ "kid": "bad", "kty": "RSA", "n": "!", "e": "AQAB" }),
        json!({ "kty": "oct", "kid": "k2", "k": "AA" }),
        json!(7),
    ]);
    server.pool.jwks.behave(Behaviour::Body(json!({ "keys": jwks }).to_string().into_bytes()));
    for key in &keys {
        // The first one that is unknown makes the server fetch the new set.
        assert_accepted(&server, &format!("kid {:?}", key.kid), &server.pool.token("alice").key(key).sign()).await;
    }
}

#[tokio::test]
async fn a_signature_of_another_key_is_refused() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let (stranger, other) = (TestKey::nth(2), server.pool.access_key.clone());
    let token = || server.pool.token("alice");
    for (what, token, refusal) in [
        ("a stranger's key under the pool's id", token().signed_by(&stranger), Refusal::SignatureInvalid),
        ("a stranger's key under its own id", token().key(&stranger), Refusal::KeyUnknown),
        ("the pool's other key under the wrong id", token().signed_by(&other), Refusal::SignatureInvalid),
    ] {
        assert_refused(&server, what, &token.sign(), refusal).await;
    }
    let good = token().sign();
    let (good_head, good_signature) = good.rsplit_once('.').expect("a token");
    let raised = token().claim("sub", "somebody-else").sign();
    let (raised_head, _) = raised.rsplit_once('.').expect("a token");
    assert_refused(&server, "claims changed", &format!("{raised_head}.{good_signature}"), Refusal::SignatureInvalid)
        .await;
    let typed = token().header("typ", "JWT").sign();
    let (typed_head, _) = typed.rsplit_once('.').expect("a token");
    assert_refused(&server, "header changed", &format!("{typed_head}.{good_signature}"), Refusal::SignatureInvalid)
        .await;
    assert_accepted(&server, "unchanged", &format!("{good_head}.{good_signature}")).await;
}
