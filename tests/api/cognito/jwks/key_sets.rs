//! Key sets: what a set may hold, and what becomes of keys that come and go.

use serde_json::{Value, json};

use super::{NEVER, fresh, on_demand, quick, status_and_code, third};
use crate::harness::TestServer;
use crate::harness::jwks::Behaviour;

#[tokio::test]
async fn key_sets_with_oddities_are_understood() {
    let key = third();
    let odd = |change: &dyn Fn(&mut Value)| {
        let mut jwk = key.jwk();
        change(&mut jwk);
        jwk
    };
    let remove = |name: &'static str| odd(&move |jwk| drop(jwk.as_object_mut().expect("an object").remove(name)));
    let set = |name: &'static str, value: Value| odd(&move |jwk| jwk[name] = value.clone());
    let alone = |jwk: Value| json!({ "keys": [jwk] });
    let beside = |bad: Value| json!({ "keys": [bad.clone(), key.jwk(), bad] });
    let many: Vec<Value> = (0..500).map(|n| key.named(&format!("other-{n}")).jwk()).chain([key.jwk()]).collect();
    let rows = [
        ("without use", alone(remove("use"))),
        ("without alg", alone(remove("alg"))),
        ("with use and alg null", alone(odd(&|jwk| (jwk["use"], jwk["alg"]) = (Value::Null, Value::Null)))),
        ("with key_ops", alone(set("key_ops", json!(["sign", "verify"])))),
        ("with unknown members", alone(set("x5t#S256", json!(["?"])))),
        ("unknown members beside keys", json!({ "next": 1, "keys": [key.jwk()], "": null })),
        ("one key twice", json!({ "keys": [key.jwk(), key.jwk()] })),
        ("501 keys", json!({ "keys": many })),
        ("beside null", beside(Value::Null)),
        ("beside a number", beside(json!(1e300))),
        ("beside a list", beside(json!([key.jwk()]))),
        ("beside one without kid", beside(remove("kid"))),
        ("beside one whose kid is a number", beside(set("kid", json!(7)))),
        ("beside one without n", beside(remove("n"))),
        ("beside one without e", beside(remove("e"))),
        (
            "beside one whose n is not base64url",
            beside(odd(&|jwk| {
                jwk["n"] = "!".repeat(342).into();
                jwk["kid"] = "bent".into();
            })),
        ),
        (
            "beside one of 512 bits",
            beside(odd(&|jwk| {
                jwk["n"] = "w".repeat(86).into();
                jwk["kid"] = "short".into();
            })),
        ),
        (
            "beside an elliptic one",
            beside(json!({ "kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "x": "AA", "y": "AA" })),
        ),
        ("beside a symmetric one", beside(json!({ "kty": "oct", "kid": "oct", "alg": "HS256", "k": "AAAA" }))),
        (
            "beside one for encryption",
            beside(odd(&|jwk| {
                jwk["use"] = "enc".into();
                jwk["kid"] = "enc".into();
            })),
        ),
        (
            "beside one that may not verify",
            beside(odd(&|jwk| {
                jwk["key_ops"] = json!(["encrypt"]);
                jwk["kid"] = "encrypt".into();
            })),
        ),
    ];
    let server = TestServer::start_with(quick).await;
    server.user("alice").await;
    for (case, document) in rows {
        // Between two rows the key is gone, so that each row has to bring it anew.
        server.pool.jwks.publish(&[&server.pool.id_key]);
        server.pool.jwks.fetched_anew().await;
        assert_eq!(status_and_code(&server, &fresh(&server).key(&key).sign()).await.1, "key_unknown", "before {case}");
        server.pool.jwks.behave(Behaviour::Body(document.to_string().into_bytes()));
        server.pool.jwks.fetched_anew().await;
        assert_eq!(status_and_code(&server, &fresh(&server).key(&key).sign()).await, (200, String::new()), "{case}");
    }
}

#[tokio::test]
async fn the_key_that_a_set_says_is_for_something_else_verifies_nothing() {
    let server = TestServer::start_with(quick).await;
    server.user("alice").await;
    for (case, name, value) in [
        ("for encryption", "use", json!("enc")),
        ("for encryption, by key_ops", "key_ops", json!(["encrypt"])),
        ("for signing alone", "key_ops", json!(["sign"])),
        ("for nothing", "key_ops", json!([])),
        ("for another algorithm", "alg", json!("RS512")),
        ("for PSS", "alg", json!("PS256")),
        ("of another type", "kty", json!("oct")),
    ] {
        let mut jwk = third().jwk();
        jwk[name] = value;
        let document = json!({ "keys": [server.pool.id_key.jwk(), jwk] });
        server.pool.jwks.behave(Behaviour::Body(document.to_string().into_bytes()));
        server.pool.jwks.fetched_anew().await;
        assert_eq!(
            status_and_code(&server, &fresh(&server).key(&third()).sign()).await,
            (401, "key_unknown".to_owned()),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_new_key_works_at_its_first_request() {
    let server = TestServer::start_with(|config| on_demand(config, NEVER)).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.publish(&[&server.pool.id_key, &server.pool.access_key, &third()]);
    assert_eq!(status_and_code(&server, &fresh(&server).key(&third()).sign()).await, (200, String::new()));
    assert_eq!(server.pool.jwks.fetches(), 2, "one at the start and one for the new key");
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_after_the_next_refresh_and_what_was_remembered_with_it() {
    let server = TestServer::start_with(quick).await;
    let remembered = server.alice().await;
    let of_the_other_key = fresh(&server).key(&server.pool.access_key).sign();
    server.ready().await;
    for _ in 0..2 {
        assert_eq!(server.get("/me/", &remembered).await.status, 200);
    }
    server.pool.jwks.publish(&[&server.pool.access_key]);
    server.pool.jwks.fetched_anew().await;
    assert_eq!(status_and_code(&server, &remembered).await, (401, "key_unknown".to_owned()), "remembered");
    assert_eq!(status_and_code(&server, &fresh(&server).sign()).await, (401, "key_unknown".to_owned()), "fresh");
    assert_eq!(status_and_code(&server, &of_the_other_key).await, (200, String::new()), "the key that stays");
}

#[tokio::test]
async fn a_token_is_verified_again_when_its_key_id_stands_for_another_key() {
    let server = TestServer::start_with(quick).await;
    let remembered = server.alice().await;
    server.ready().await;
    assert_eq!(server.get("/me/", &remembered).await.status, 200);
    let impostor = third().named(&server.pool.id_key.kid);
    server.pool.jwks.publish(&[&impostor]);
    server.pool.jwks.fetched_anew().await;
    assert_eq!(status_and_code(&server, &remembered).await, (401, "signature_invalid".to_owned()));
    assert_eq!(status_and_code(&server, &fresh(&server).key(&impostor).sign()).await, (200, String::new()));
}
