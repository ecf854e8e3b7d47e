//! The claims: times, and for whom a token was made.

use std::time::Duration;

use gatepost::cognito::Refusal;
use gatepost::cognito::user_pool::TokenUse;
use serde_json::{Value, json};

use super::{assert_accepted, assert_refusal, assert_refused, with_raw_member};
use crate::harness::TestServer;
use crate::harness::pool::{CLIENT_ID, ISSUER, NEW_ISSUER, POOL_ID, TokenBuilder, now};

const OTHER_CLIENT: &str = "2otherclient3456789abcdefg";

/// Makes and sends a token within one second of the clock, so that a bound can be met exactly.
async fn assert_at(server: &TestServer, what: &str, token: impl Fn(i64) -> TokenBuilder, refusal: Option<Refusal>) {
    for _ in 0..100 {
        let second = now();
        let answer = server.get("/me/", &token(second).sign()).await;
        if now() != second {
            continue;
        }
        return match refusal {
            None => assert_eq!(answer.status, 200, "{what}: {}", answer.text()),
            Some(refusal) => assert_refusal(what, &answer, refusal),
        };
    }
    panic!("{what}: no request was answered within a second");
}

#[tokio::test]
async fn the_leeway_bounds_every_time_to_the_second() {
    for leeway in [0, 30, 120] {
        let server = TestServer::start_with(|config| config.leeway = Duration::from_secs(leeway)).await;
        server.user("alice").await;
        let leeway = leeway as i64;
        let with = |name: &'static str, at: i64| {
            let server = &server;
            move |second: i64| server.pool.token("alice").claim(name, second + at)
        };
        let expired = Some(Refusal::TokenExpired);
        for (at, refusal) in [(1, None), (0, expired), (-1, expired), (-3600, expired), (3600, None)] {
            assert_at(&server, &format!("exp, leeway {leeway}, {at} beyond"), with("exp", at - leeway), refusal).await;
        }
        let early = Some(Refusal::TokenNotYetValid);
        for name in ["nbf", "iat", "auth_time"] {
            for (at, refusal) in [(-1, None), (0, None), (1, early), (3600, early), (1_000_000_000, early)] {
                assert_at(&server, &format!("{name}, leeway {leeway}, {at} beyond"), with(name, at + leeway), refusal)
                    .await;
            }
        }
    }
}

#[tokio::test]
async fn an_expiry_is_a_number_within_reason() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let soon = now() + 3600;
    let token = |raw: &str| {
        let token = server.pool.token("alice").without("exp");
        server.pool.id_key.sign(&token.header_json(), &with_raw_member(&token.claims_json(), &format!("\"exp\":{raw}")))
    };
    for raw in
        [soon.to_string(), format!("{soon}.0"), format!("{soon}.75"), format!("{soon}e0"), "253402300799".to_owned()]
    {
        assert_accepted(&server, &format!("exp {raw}"), &token(&raw)).await;
    }
    for raw in [
        "null",
        "true",
        "\"\"",
        "[]",
        "{}",
        "-1",
        "-1000000000",
        "-0.5",
        "-1e300",
        "1e300",
        "253402300800",
        "1e12",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1e308",
        &format!("\"{soon}\""),
        &format!("[{soon}]"),
        &format!("{{\"$date\":{soon}}}"),
        "\"never\"",
        "\"2099-01-01T00:00:00Z\"",
    ] {
        assert_refused(&server, &format!("exp {raw}"), &token(raw), Refusal::ClaimInvalid).await;
    }
    for raw in ["0", "1", "-0.0", "0.5", "1e-300", "1e9"] {
        assert_refused(&server, &format!("exp {raw}"), &token(raw), Refusal::TokenExpired).await;
    }
    let missing = server.pool.token("alice").without("exp").sign();
    assert_refused(&server, "no exp", &missing, Refusal::ClaimInvalid).await;
    for raw in ["1e400", "NaN", "Infinity", "0x7fffffff", "01", "+1", ""] {
        assert_refused(&server, &format!("exp {raw}"), &token(raw), Refusal::TokenMalformed).await;
    }
}

#[tokio::test]
async fn the_other_times_may_be_missing_but_not_bent() {
    let server = TestServer::start().await;
    server.user("alice").await;
    for name in ["nbf", "iat", "auth_time"] {
        let missing = server.pool.token("alice").without(name).sign();
        assert_accepted(&server, &format!("no {name}"), &missing).await;
        for value in [json!(now() - 10), json!(now() as f64 - 10.5), json!(0)] {
            let token = server.pool.token("alice").claim(name, value.clone()).sign();
            assert_accepted(&server, &format!("{name} {value}"), &token).await;
        }
        for value in [
            json!(now().to_string()),
            json!(""),
            json!(null),
            json!(-1),
            json!(1e300),
            json!([1]),
            json!({}),
            json!(false),
        ] {
            let token = server.pool.token("alice").claim(name, value.clone()).sign();
            assert_refused(&server, &format!("{name} {value}"), &token, Refusal::ClaimInvalid).await;
        }
    }
}

#[tokio::test]
async fn a_genuine_token_need_not_have_what_only_some_have() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let token = || server.pool.token("alice");
    assert_accepted(&server, "everything", &token().sign()).await;
    for name in ["origin_jti", "event_id", "jti", "cognito:username", "auth_time", "iat"] {
        assert_accepted(&server, &format!("no {name}"), &token().without(name).sign()).await;
    }
    for (what, token) in [
        ("groups", token().claim("cognito:groups", json!(["readers"]))),
        ("identities", token().claim("identities", json!([{ "userId": "117", "primary": "true" }]))),
        ("a custom claim", token().claim("custom:team", "blue")),
        ("an unknown claim of any kind", token().claim("x", json!({ "y": [null, 1.5, true] }))),
        ("a Unicode name", token().claim("name", "Żółć 用户 🦀")),
    ] {
        assert_accepted(&server, what, &token.sign()).await;
    }
}

#[tokio::test]
async fn a_sub_is_a_text_of_1_to_255_characters() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let token = || server.pool.token("alice");
    for value in
        [json!(""), json!(null), json!(7), json!(["sub-of-alice"]), json!({}), json!(true), json!("s".repeat(256))]
    {
        assert_refused(&server, &format!("sub {value}"), &token().claim("sub", value).sign(), Refusal::ClaimInvalid)
            .await;
    }
    assert_refused(&server, "no sub", &token().without("sub").sign(), Refusal::ClaimInvalid).await;
    assert_accepted(&server, "255 characters", &token().claim("sub", "s".repeat(255)).sign()).await;
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    let server = TestServer::start().await;
    server.user("alice").await;
    let refused = [
        format!("{ISSUER}/"),
        format!("{NEW_ISSUER}/"),
        format!("{ISSUER}x"),
        format!(" {ISSUER}"),
        format!("{ISSUER}\0"),
        format!("{ISSUER}/.well-known/jwks.json"),
        format!("{ISSUER}?"),
        format!("{ISSUER}#"),
        ISSUER.to_uppercase(),
        ISSUER.replace("https", "http"),
        ISSUER.replace("https://", ""),
        ISSUER.replace(".com/", ".com:443/"),
        ISSUER.replace(".com/", ".com//"),
        ISSUER.replace("amazonaws.com", "amazonaws.com.example.com"),
        ISSUER.replace("cognito-idp", "xcognito-idp"),
        ISSUER.replace("TestPool1", "TestPool2"),
        ISSUER.replace("eu-west-1", "eu-west-2"),
        ISSUER.replace("TestPool1", "testpool1"),
        POOL_ID.to_owned(),
        "https://accounts.google.com".to_owned(),
        String::new(),
    ];
    for issuer in refused {
        let token = server.pool.token("alice").claim("iss", issuer.clone()).sign();
        assert_refused(&server, &format!("iss {issuer:?}"), &token, Refusal::IssuerNotAccepted).await;
    }
    let missing = server.pool.token("alice").without("iss").sign();
    assert_refused(&server, "no iss", &missing, Refusal::IssuerNotAccepted).await;
    for issuer in [json!([ISSUER]), json!(null), json!(1), json!({ "iss": ISSUER })] {
        let token = server.pool.token("alice").claim("iss", issuer.clone()).sign();
        assert_refused(&server, &format!("iss {issuer}"), &token, Refusal::ClaimInvalid).await;
    }
}

#[tokio::test]
async fn both_forms_of_the_issuer_stand_for_the_same_user() {
    for (first, second) in [(ISSUER, NEW_ISSUER), (NEW_ISSUER, ISSUER)] {
        let server = TestServer::start().await;
        let alice = server.user("alice").await;
        for issuer in [first, second, first] {
            let answer = server.get("/me/", &server.pool.token("alice").claim("iss", issuer).sign()).await;
            assert_eq!((answer.status, answer.json()["id"].as_i64()), (200, Some(alice.id)), "{issuer} after {first}");
        }
        assert_eq!(server.count("users").await, 1);
        // One link in the history: the second form found the first one's.
        assert_eq!(server.count("history WHERE action = 'changed'").await, 1);
    }
}

/// What a token says of its kind and its client, and what becomes of it under each setting.
#[tokio::test]
async fn kind_and_client_decide_as_the_setting_says() {
    use Refusal::{AccessTokenWanted, ClaimInvalid, ClientNotAccepted, IdTokenWanted, TokenUseInvalid};
    let refuse = |refusal| [Err(refusal); 3];
    let id = |server: &TestServer| server.pool.token("alice");
    let access = |server: &TestServer| server.pool.access_token("alice");
    // What is bent, how, and what becomes of it with COGNITO_TOKEN_USE `id`, `access` and `any`.
    type Row = (&'static str, fn(TokenBuilder) -> TokenBuilder, [Result<(), Refusal>; 3]);
    let id_rows: Vec<Row> = vec![
        ("a genuine ID token", |t| t, [Ok(()), Err(AccessTokenWanted), Ok(())]),
        ("and a client_id as well", |t| t.claim("client_id", CLIENT_ID), [Ok(()), Err(AccessTokenWanted), Ok(())]),
        (
            "another aud",
            |t| t.claim("aud", OTHER_CLIENT),
            [Err(ClientNotAccepted), Err(AccessTokenWanted), Err(ClientNotAccepted)],
        ),
        ("no aud", |t| t.without("aud"), [Err(ClientNotAccepted), Err(AccessTokenWanted), Err(ClientNotAccepted)]),
        (
            "client_id in place of aud",
            |t| t.without("aud").claim("client_id", CLIENT_ID),
            [Err(ClientNotAccepted), Err(AccessTokenWanted), Err(ClientNotAccepted)],
        ),
        (
            "an empty aud",
            |t| t.claim("aud", ""),
            [Err(ClientNotAccepted), Err(AccessTokenWanted), Err(ClientNotAccepted)],
        ),
        (
            "aud in capitals",
            |t| t.claim("aud", CLIENT_ID.to_uppercase()),
            [Err(ClientNotAccepted), Err(AccessTokenWanted), Err(ClientNotAccepted)],
        ),
        (
            "aud and more",
            |t| t.claim("aud", format!("{CLIENT_ID} ")),
            [Err(ClientNotAccepted), Err(AccessTokenWanted), Err(ClientNotAccepted)],
        ),
        (
            "two clients in one text",
            |t| t.claim("aud", format!("{CLIENT_ID},{OTHER_CLIENT}")),
            [Err(ClientNotAccepted), Err(AccessTokenWanted), Err(ClientNotAccepted)],
        ),
        ("a list of one aud", |t| t.claim("aud", json!([CLIENT_ID])), refuse(ClaimInvalid)),
        ("a list of aud", |t| t.claim("aud", json!([CLIENT_ID, OTHER_CLIENT])), refuse(ClaimInvalid)),
        ("aud null", |t| t.claim("aud", json!(null)), refuse(ClaimInvalid)),
        ("aud a number", |t| t.claim("aud", 1), refuse(ClaimInvalid)),
        ("no token_use", |t| t.without("token_use"), refuse(TokenUseInvalid)),
        ("token_use refresh", |t| t.claim("token_use", "refresh"), refuse(TokenUseInvalid)),
        ("token_use ID", |t| t.claim("token_use", "ID"), refuse(TokenUseInvalid)),
        ("token_use empty", |t| t.claim("token_use", ""), refuse(TokenUseInvalid)),
        ("token_use any", |t| t.claim("token_use", "any"), refuse(TokenUseInvalid)),
        ("token_use a list", |t| t.claim("token_use", json!(["id"])), refuse(ClaimInvalid)),
        ("token_use null", |t| t.claim("token_use", json!(null)), refuse(ClaimInvalid)),
        (
            "an ID token that calls itself an access token",
            |t| t.claim("token_use", "access"),
            [Err(IdTokenWanted), Err(ClientNotAccepted), Err(ClientNotAccepted)],
        ),
    ];
    let access_rows: Vec<Row> = vec![
        ("a genuine access token", |t| t, [Err(IdTokenWanted), Ok(()), Ok(())]),
        (
            "another client_id",
            |t| t.claim("client_id", OTHER_CLIENT),
            [Err(IdTokenWanted), Err(ClientNotAccepted), Err(ClientNotAccepted)],
        ),
        (
            "no client_id",
            |t| t.without("client_id"),
            [Err(IdTokenWanted), Err(ClientNotAccepted), Err(ClientNotAccepted)],
        ),
        (
            "aud in place of client_id",
            |t| t.without("client_id").claim("aud", CLIENT_ID),
            [Err(IdTokenWanted), Err(ClientNotAccepted), Err(ClientNotAccepted)],
        ),
        (
            "another client_id, but aud",
            |t| t.claim("client_id", OTHER_CLIENT).claim("aud", CLIENT_ID),
            [Err(IdTokenWanted), Err(ClientNotAccepted), Err(ClientNotAccepted)],
        ),
        ("a list of client_id", |t| t.claim("client_id", json!([CLIENT_ID])), refuse(ClaimInvalid)),
        (
            "an access token that calls itself an ID token",
            |t| t.claim("token_use", "id"),
            [Err(ClientNotAccepted), Err(AccessTokenWanted), Err(ClientNotAccepted)],
        ),
    ];
    for (at, token_use) in [TokenUse::Id, TokenUse::Access, TokenUse::Any].into_iter().enumerate() {
        let server = TestServer::start_with(|config| config.token_use = token_use).await;
        server.user("alice").await;
        // An access token stands only for somebody who is linked.
        server.link("alice", ISSUER, "sub-of-alice").await;
        let rows =
            id_rows.iter().map(|row| (id(&server), row)).chain(access_rows.iter().map(|row| (access(&server), row)));
        for (token, (what, bend, outcomes)) in rows {
            let (what, token) = (format!("{token_use:?}: {what}"), bend(token).sign());
            match outcomes[at] {
                Ok(()) => assert_accepted(&server, &what, &token).await,
                Err(refusal) => assert_refused(&server, &what, &token, refusal).await,
            }
        }
    }
}

#[tokio::test]
async fn the_tokens_of_each_accepted_client_are_good() {
    let server = TestServer::start_with(|config| {
        config.token_use = TokenUse::Any;
        if let gatepost::config::Pool::Cognito(pool) = &mut config.pool {
            pool.client_ids.push(OTHER_CLIENT.to_owned());
        }
    })
    .await;
    server.user("alice").await;
    for client in [CLIENT_ID, OTHER_CLIENT] {
        assert_accepted(&server, client, &server.pool.token("alice").claim("aud", client).sign()).await;
        assert_accepted(&server, client, &server.pool.access_token("alice").claim("client_id", client).sign()).await;
    }
    let third: Value = json!("3thirdclient456789abcdefgh");
    let token = server.pool.token("alice").claim("aud", third).sign();
    assert_refused(&server, "a third client", &token, Refusal::ClientNotAccepted).await;
}
