//! The endpoint of the Post Confirmation trigger.

use std::time::Duration;

use actix_web::web::Bytes;
use aws_lc_rs::hmac;
use futures_util::future::join_all;
use gatepost::crypto::Secret;
use serde_json::{Value, json};

use crate::harness::client::{Answer, Call};
use crate::harness::pool::{POOL_ID, now};
use crate::harness::program::Program;
use crate::harness::{TestServer, assert_lacks, eventually};

const PATH: &str = "/cognito/post-confirmation/";
const SECRET: &str = "the-present-secret-of-these-tests-1";
const NEXT_SECRET: &str = "the-following-secret-of-these-tests";

async fn server() -> TestServer {
    TestServer::start_with(|config| config.post_confirmation_secrets = vec![Secret::new(SECRET.to_owned())]).await
}

/// The event of the sign-up of `name`, as Cognito sends it.
fn event(name: &str) -> Value {
    json!({
        "version": "1", "triggerSource": "PostConfirmation_ConfirmSignUp", "region": "eu-west-1",
        "userPoolId": POOL_ID, "userName": name,
        "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789" },
        "request": {
            "userAttributes": {
                "sub": format!("sub-of-{name}"), "cognito:user_status": "CONFIRMED", "email_verified": "true",
                "email": format!("{name}@example.com"),
            },
            "clientMetadata": {},
        },
        "response": {},
    })
}

/// The event with one of the user's attributes set, or taken away by `null`.
fn with_attribute(mut event: Value, name: &str, value: Value) -> Value {
    let attributes = event["request"]["userAttributes"].as_object_mut().expect("attributes");
    match value {
        Value::Null => drop(attributes.remove(name)),
        value => drop(attributes.insert(name.to_owned(), value)),
    }
    event
}

fn signature(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, &[b"v1.", timestamp.as_bytes(), b".", body].concat());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1={hex}")
}

pub fn signed_at(call: Call, secret: &str, timestamp: i64, body: &[u8]) -> Call {
    let timestamp = timestamp.to_string();
    let signature = signature(secret, &timestamp, body);
    call.header("x-gatepost-timestamp", timestamp).header("x-gatepost-signature", signature).json(body)
}

/// Sends an event as the Lambda function does.
async fn send(server: &TestServer, event: &Value) -> Answer {
    send_bytes(server, event.to_string().as_bytes()).await
}

async fn send_bytes(server: &TestServer, body: &[u8]) -> Answer {
    signed_at(server.call("POST", PATH), SECRET, now(), body).send().await
}

#[track_caller]
fn assert_result(answer: &Answer, result: &str) {
    assert_eq!((answer.status, answer.json()["result"].as_str()), (200, Some(result)), "{answer:?}");
}

#[track_caller]
pub fn assert_refused(case: &str, answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{case}: {answer:?}");
    assert!(answer.json()["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{case}");
    let challenge = if status == 401 { "Gatepost-Signature" } else { "" };
    assert_eq!(answer.header("www-authenticate"), challenge, "{case}");
}

async fn users(server: &TestServer) -> i64 {
    server.count("users").await
}

#[tokio::test]
async fn a_confirmed_sign_up_becomes_a_user_whose_first_token_finds_them() {
    let server = server().await;
    let answer = send(&server, &event("jane")).await;
    assert_result(&answer, "created");
    let me = server.get("/me/", &server.pool.token("jane").sign()).await;
    assert_eq!((me.status, &me.json()["id"]), (200, &answer.json()["user"]));
    assert_eq!((&me.json()["username"], &me.json()["email"]), (&json!("jane"), &json!("jane@example.com")));
    let origin =
        "users WHERE origin = 'post_confirmation' AND NOT is_staff AND NOT is_superuser AND linked_at IS NOT NULL";
    assert_eq!(server.count(origin).await, 1);
    let history = "history WHERE source = 'post_confirmation' AND action = 'created' AND model = 'user' AND object = 'jane' AND changes LIKE '%sub-of-jane%'";
    assert_eq!(server.count(history).await, 1);
}

#[tokio::test]
async fn a_repeated_event_changes_nothing() {
    let server = server().await;
    assert_result(&send(&server, &event("jane")).await, "created");
    let rows = server.count("history").await;
    for _ in 0..3 {
        assert_result(&send(&server, &event("jane")).await, "known");
    }
    // Even where the pool knows the user by another name and address by now.
    let renamed = with_attribute(event("jane"), "email", json!("jane.doe@example.com"));
    assert_result(&send(&server, &renamed).await, "known");
    assert_eq!((users(&server).await, server.count("history").await), (1, rows));
    assert_eq!(server.count("users WHERE email = 'jane@example.com'").await, 1);
}

#[tokio::test]
async fn of_a_hundred_repeats_at_once_to_two_processes_one_creates_the_user() {
    let server = server().await;
    let jane = event("jane");
    // Cognito calls whichever process of several is there.
    let second = server.second().await;
    let answers = join_all((0..100).map(|n| send(if n % 2 == 0 { &server } else { &second }, &jane))).await;
    let created = answers.iter().filter(|answer| answer.json()["result"] == "created").count();
    let known = answers.iter().filter(|answer| answer.json()["result"] == "known").count();
    assert_eq!((created, known), (1, 99));
    assert_eq!((users(&server).await, server.count("history").await), (1, 1));
}

#[tokio::test]
async fn a_user_with_the_verified_email_and_no_link_is_linked() {
    let server = server().await;
    let staff = server.user_with("jane", |new| new.is_staff = true).await;
    let event = with_attribute(event("janedoe"), "email", json!("Jane@Example.com"));
    let answer = send(&server, &event).await;
    assert_result(&answer, "linked");
    assert_eq!(answer.json()["user"], staff.id);
    // What the staff gave stays as it is.
    let kept = "users WHERE username = 'jane' AND email = 'jane@example.com' AND is_staff AND origin = 'command_line' AND cognito_sub = 'sub-of-janedoe'";
    assert_eq!((users(&server).await, server.count(kept).await), (1, 1));
    let history = "history WHERE source = 'post_confirmation' AND action = 'changed'";
    assert_eq!(server.count(history).await, 1);
}

#[tokio::test]
async fn nobody_is_taken_over_and_nobody_comes_back() {
    let server = server().await;
    server.user("jane").await;
    assert_result(&send(&server, &event("jane")).await, "linked");
    let other_sub = with_attribute(event("jane"), "sub", json!("another"));
    assert_refused("another sub", &send(&server, &other_sub).await, 409, "email_linked");

    server.user("mike").await;
    let kelvin = with_attribute(event("kelvin"), "email", json!("mi\u{212a}e@example.com"));
    assert_refused("a look-alike", &send(&server, &kelvin).await, 409, "email_ambiguous");
    let unverified = with_attribute(event("mike"), "email_verified", json!("false"));
    assert_refused("not verified", &send(&server, &unverified).await, 409, "email_unverified");

    server.user("gone").await;
    assert_result(&send(&server, &event("gone")).await, "linked");
    server.user("left").await;
    server.sql("UPDATE users SET is_active = FALSE WHERE username IN ('gone', 'left')").await;
    assert_refused("linked and inactive", &send(&server, &event("gone")).await, 409, "user_inactive");
    assert_refused("not linked and inactive", &send(&server, &event("left")).await, 409, "user_inactive");
    assert_eq!(server.count("users WHERE is_active").await, 2);
    assert_eq!((users(&server).await, server.number("SELECT count(cognito_sub) FROM users").await), (4, 2));
}

#[tokio::test]
async fn an_email_that_may_not_decide_is_not_taken_over() {
    let server = server().await;
    let rows = [
        ("unverified", with_attribute(event("unverified"), "email_verified", json!("false"))),
        ("not-said", with_attribute(event("not-said"), "email_verified", Value::Null)),
        ("without", with_attribute(event("without"), "email", Value::Null)),
        ("empty", with_attribute(event("empty"), "email", json!(""))),
    ];
    for (name, event) in rows {
        assert_result(&send(&server, &event).await, "created");
        let me = server.get("/me/", &server.pool.token(name).sign()).await;
        assert_eq!((&me.json()["username"], &me.json()["email"]), (&json!(name), &json!("")), "{name}");
    }
}

#[tokio::test]
async fn the_setting_for_emulators_lets_an_unverified_email_decide() {
    let server = TestServer::start_with(|config| {
        config.post_confirmation_secrets = vec![Secret::new(SECRET.to_owned())];
        config.link_unverified_email = true;
    })
    .await;
    let jane = server.user("jane").await;
    let answer = send(&server, &with_attribute(event("jane"), "email_verified", json!("false"))).await;
    assert_result(&answer, "linked");
    assert_eq!(answer.json()["user"], jane.id);
}

#[tokio::test]
async fn what_genuine_events_may_look_like_is_tolerated() {
    let server = server().await;
    let change = |name: &str, change: fn(&mut Value)| {
        let mut event = event(name);
        change(&mut event);
        event
    };
    let rows = [
        change("number", |event| event["version"] = json!(1)),
        change("no-client", |event| event["callerContext"]["clientId"] = Value::Null),
        change("no-name", |event| event["userName"] = Value::Null),
        change("unknown", |event| event["request"]["more"] = json!({ "a": [1, null] })),
        change("metadata", |event| event["request"]["clientMetadata"] = json!({ "sub": "forged" })),
        change("no-response", |event| drop(event.as_object_mut().expect("an object").remove("response"))),
        with_attribute(
            with_attribute(event("alias"), "email", Value::Null),
            "cognito:email_alias",
            json!("alias@example.com"),
        ),
        with_attribute(event("rights"), "custom:is_staff", json!("true")),
    ];
    for event in &rows {
        assert_result(&send(&server, event).await, "created");
    }
    assert_eq!(users(&server).await, rows.len() as i64);
    assert_eq!(server.count("users WHERE email = 'alias@example.com'").await, 1);
    assert_eq!(server.count("users WHERE is_staff OR is_superuser").await, 0);
}

#[tokio::test]
async fn only_what_is_used_of_an_event_is_judged() {
    let server = server().await;
    let odd = |name: &str, attributes: Value| {
        let known = attributes.as_object().expect("an object").clone();
        known.into_iter().fold(event(name), |event, (name, value)| {
            let mut event = event;
            event["request"]["userAttributes"][name] = value;
            event
        })
    };
    let rows = [
        odd(
            "numbers",
            json!({ "custom:n": 7, "custom:list": [1], "phone_number_verified": true, "address": { "a": 1 } }),
        ),
        odd("nothing", json!({ "name": null, "custom:none": null })),
    ];
    for event in &rows {
        assert_result(&send(&server, event).await, "created");
    }
    assert_eq!(server.count("users WHERE email IN ('numbers@example.com', 'nothing@example.com')").await, 2);
    // A boolean is as good as the string.
    assert_result(&send(&server, &odd("boolean", json!({ "email_verified": true }))).await, "created");
    assert_eq!(server.count("users WHERE email = 'boolean@example.com'").await, 1);
    for (at, verified) in [json!(false), json!(1), json!("True"), json!(["true"]), json!({})].into_iter().enumerate() {
        let event = odd(&format!("not{at}"), json!({ "email_verified": verified }));
        assert_result(&send(&server, &event).await, "created");
    }
    assert_eq!(server.count("users WHERE email LIKE 'not_@%'").await, 0);
    // What cannot be used counts as absent: the user can still be told from all others.
    assert_result(&send(&server, &odd("no-text", json!({ "email": 7 }))).await, "created");
    let mut unnamed = event("unnamed");
    unnamed["userName"] = json!({ "a": 1 });
    assert_result(&send(&server, &unnamed).await, "created");
    let surrogate = event("half").to_string().replace("CONFIRMED\",", "CONFIRMED\",\"name\":\"a\\ud800b\",");
    assert_result(&send_bytes(&server, surrogate.as_bytes()).await, "created");
    let mut forgot = event("jane");
    (forgot["triggerSource"], forgot["request"]) = (json!("PostConfirmation_ConfirmForgotPassword"), json!(null));
    assert_result(&send(&server, &forgot).await, "ignored");
}

#[tokio::test]
async fn an_event_is_decoded_as_every_body_is() {
    let server = server().await;
    let body = event("zo\u{eb}").to_string();
    let latin1: Vec<u8> = body.chars().map(|character| character as u8).collect();
    let time = now().to_string();
    let call = |content_type: &str, body: &[u8]| {
        let call = server.call("POST", PATH).header("x-gatepost-timestamp", &time);
        call.header("x-gatepost-signature", signature(SECRET, &time, body)).body(content_type, body)
    };
    assert_result(&call("application/json ; charset=\"UTF-8\"", body.as_bytes()).send().await, "created");
    assert_result(&call("application/json; charset=iso-8859-1", &latin1).send().await, "known");
    assert_result(&call("text/plain", body.as_bytes()).send().await, "known");
    assert_refused("no UTF-8", &call("application/json", &latin1).send().await, 400, "event_malformed");
    let unknown = call("application/json; charset=klingon", body.as_bytes()).send().await;
    assert_refused("unknown", &unknown, 415, "unsupported_media_type");
    let compressed = call("application/json", body.as_bytes()).header("content-encoding", "gzip").send().await;
    assert_refused("compressed", &compressed, 415, "unsupported_content_coding");
    assert_eq!((users(&server).await, server.count("users WHERE username = 'zo\u{eb}'").await), (1, 1));
}

#[tokio::test]
async fn a_forged_signature_is_refused() {
    let server = server().await;
    let body = event("jane").to_string();
    let body = body.as_bytes();
    let time = now().to_string();
    let good = signature(SECRET, &time, body);
    let (one_digit, upper) = (format!("{}0", &good[..good.len() - 1]), good.to_uppercase().replace("V1=", "v1="));
    let other_digit = format!("{}1", &good[..good.len() - 1]);
    let one_digit = if one_digit == good { other_digit } else { one_digit };
    let rows: [(&str, &str, String); 11] = [
        ("another secret", &time, signature("some-other-secret-of-these-tests-12", &time, body)),
        ("an empty secret", &time, signature("", &time, body)),
        ("another body", &time, signature(SECRET, &time, b"{}")),
        ("another time", &time, signature(SECRET, "1700000000", body)),
        ("one digit", &time, one_digit),
        ("in capitals", &time, upper),
        ("cut short", &time, good[..good.len() - 2].to_owned()),
        ("too long", &time, format!("{good}00")),
        ("without its version", &time, good.replace("v1=", "")),
        ("of another version", &time, good.replace("v1=", "v2=")),
        ("empty", &time, "v1=".to_owned()),
    ];
    for (case, time, signature) in rows {
        let call = server.call("POST", PATH).header("x-gatepost-timestamp", time);
        let answer = call.header("x-gatepost-signature", signature).json(body).send().await;
        assert_refused(case, &answer, 401, "signature_invalid");
    }
    let unsigned = |case: &'static str, headers: &[(&str, &str)]| {
        let call = headers.iter().fold(server.call("POST", PATH), |call, (name, value)| call.header(name, value));
        async move { assert_refused(case, &call.json(body).send().await, 401, "signature_missing") }
    };
    unsigned("nothing", &[]).await;
    unsigned("no time", &[("x-gatepost-signature", &good)]).await;
    unsigned("no signature", &[("x-gatepost-timestamp", &time)]).await;
    let twice = ("x-gatepost-signature", good.as_str());
    unsigned("two signatures", &[("x-gatepost-timestamp", &time), twice, twice]).await;
    unsigned("a token in its place", &[("authorization", &good)]).await;
    assert_eq!(users(&server).await, 0);
}

#[tokio::test]
async fn a_signature_is_good_for_five_minutes_and_no_longer() {
    let server = server().await;
    let body = event("jane").to_string();
    for skew in [-200, 200] {
        let answer = signed_at(server.call("POST", PATH), SECRET, now() + skew, body.as_bytes()).send().await;
        assert_eq!(answer.status, 200, "{skew}: {answer:?}");
    }
    for skew in [-400, 400, -86_400, i64::MIN / 2] {
        let answer = signed_at(server.call("POST", PATH), SECRET, now() + skew, body.as_bytes()).send().await;
        assert_refused(&skew.to_string(), &answer, 401, "signature_expired");
    }
    for time in ["", "abc", "1e9", "99999999999999999999", "+5"] {
        let call = server.call("POST", PATH).header("x-gatepost-timestamp", time);
        let call = call.header("x-gatepost-signature", signature(SECRET, time, body.as_bytes()));
        assert_refused(time, &call.json(body.as_bytes()).send().await, 401, "signature_expired");
    }
}

#[tokio::test]
async fn without_a_secret_every_call_is_refused() {
    let server = TestServer::start().await;
    let body = event("jane").to_string();
    for secret in ["", SECRET] {
        let answer = signed_at(server.call("POST", PATH), secret, now(), body.as_bytes()).send().await;
        assert_refused(secret, &answer, 403, "post_confirmation_disabled");
    }
    assert_eq!(users(&server).await, 0);
}

#[tokio::test]
async fn a_secret_is_replaced_without_a_refused_call() {
    let secrets = |secrets: &[&str]| secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect::<Vec<_>>();
    // First the server learns the new secret, then the trigger signs with it, then the old one goes.
    let steps = [
        (vec![SECRET], SECRET),
        (vec![SECRET, NEXT_SECRET], SECRET),
        (vec![SECRET, NEXT_SECRET], NEXT_SECRET),
        (vec![NEXT_SECRET], NEXT_SECRET),
    ];
    for (known, used) in steps {
        let active = secrets(&known);
        let server = TestServer::start_with(|config| config.post_confirmation_secrets = active).await;
        let body = event("jane").to_string();
        let answer = signed_at(server.call("POST", PATH), used, now(), body.as_bytes()).send().await;
        assert_result(&answer, "created");
    }
    let server = TestServer::start_with(|config| config.post_confirmation_secrets = secrets(&[NEXT_SECRET])).await;
    let answer = signed_at(server.call("POST", PATH), SECRET, now(), b"{}").send().await;
    assert_refused("the old secret afterwards", &answer, 401, "signature_invalid");
}

#[tokio::test]
async fn an_event_of_another_pool_or_another_trigger_creates_nobody() {
    let server = server().await;
    let changed = |name: &str, value: &str| {
        let mut event = event("jane");
        event[name] = json!(value);
        event
    };
    for pool in ["eu-west-1_Another12", "", "eu-west-1_testpool1", "eu-west-1_TestPool1 "] {
        assert_refused(pool, &send(&server, &changed("userPoolId", pool)).await, 403, "wrong_pool");
    }
    let forgot = changed("triggerSource", "PostConfirmation_ConfirmForgotPassword");
    assert_result(&send(&server, &forgot).await, "ignored");
    for source in ["PreSignUp_SignUp", "", "postconfirmation_confirmsignup"] {
        let answer = send(&server, &changed("triggerSource", source)).await;
        assert_refused(source, &answer, 400, "trigger_source_unknown");
    }
    assert_eq!(users(&server).await, 0);
}

#[tokio::test]
async fn a_malformed_event_is_refused() {
    let server = server().await;
    let without = |path: &str| {
        let mut event = event("jane");
        event.as_object_mut().expect("an object").remove(path);
        event.to_string().into_bytes()
    };
    let sub = |sub: Value| with_attribute(event("jane"), "sub", sub).to_string().into_bytes();
    let rows: [(&str, Vec<u8>); 14] = [
        ("nothing", Vec::new()),
        ("no JSON", b"{\"version\"".to_vec()),
        ("a list", b"[]".to_vec()),
        ("no UTF-8", b"\xff\xfe".to_vec()),
        ("deep", b"[".repeat(60_000)),
        ("no source", without("triggerSource")),
        ("no pool", without("userPoolId")),
        ("no request", without("request")),
        ("no sub", sub(Value::Null)),
        ("an empty sub", sub(json!(""))),
        ("a number for sub", sub(json!(7))),
        ("a list for sub", sub(json!(["sub-of-jane"]))),
        ("a sub too long", sub(json!("x".repeat(256)))),
        ("two pools", event("jane").to_string().replacen('{', "{\"userPoolId\":\"x\",", 1).into_bytes()),
    ];
    for (case, body) in rows {
        let answer = send_bytes(&server, &body).await;
        assert_refused(case, &answer, 400, "event_malformed");
    }
    assert_eq!(users(&server).await, 0);
}

#[tokio::test]
async fn an_event_over_64_kib_is_refused_before_it_is_read() {
    let server = server().await;
    let of_size = |bytes: usize| {
        let event = event("jane").to_string();
        let padding = " ".repeat(bytes - event.len());
        event + padding.as_str()
    };
    assert_result(&send_bytes(&server, of_size(65_536).as_bytes()).await, "created");
    let answer = send_bytes(&server, of_size(65_537).as_bytes()).await;
    assert_refused("one byte more", &answer, 413, "body_too_large");
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 104857600\r\n\r\n{{");
    let answer = tokio::time::timeout(Duration::from_secs(5), server.exchange(head)).await;
    let answer = answer.expect("it does not wait for the body").text();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn only_post_is_answered_and_no_page_may_call() {
    let server = server().await;
    for path in [PATH, "/cognito/post-confirmation"] {
        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let answer = server.call(method, path).header("origin", "http://localhost:3000").send().await;
            assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method} {path}");
            assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {path}");
        }
        let body = event("jane").to_string();
        let answer = signed_at(server.call("POST", path), SECRET, now(), body.as_bytes()).send().await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[tokio::test]
async fn neither_secret_nor_signature_nor_event_reaches_the_log() {
    let secrets = format!("{SECRET},{NEXT_SECRET}");
    let program = Program::new().set("RUST_LOG", "debug").set("POST_CONFIRMATION_SECRETS", &secrets);
    let serving = program.serve().await;
    let body = event("jane").to_string();
    let time = now();
    let tag = signature(SECRET, &time.to_string(), body.as_bytes());
    let answer = signed_at(serving.call("POST", PATH), SECRET, time, body.as_bytes()).send().await;
    assert_refused("another pool", &answer, 403, "wrong_pool");
    let answer =
        signed_at(serving.call("POST", PATH), "some-other-secret-of-these-tests-12", now(), &Bytes::from(body))
            .send()
            .await;
    assert_refused("another secret", &answer, 401, "signature_invalid");
    // The pipe may bring the line later than the socket the answer.
    eventually("both refusals are logged", async || {
        let log = serving.stderr();
        log.contains("refused: wrong_pool") && log.contains("refused: signature_invalid")
    })
    .await;
    let log = serving.stderr() + serving.stdout().as_str();
    for hidden in [SECRET, NEXT_SECRET, &tag[3..], "jane@example.com", "sub-of-jane"] {
        assert!(!log.contains(hidden), "{hidden} is in the log: {log}");
    }
    let shown = format!("{:?}", Secret::new(SECRET.to_owned()));
    assert_lacks(&shown, &[SECRET]);
}

#[tokio::test]
async fn the_lambda_function_and_the_endpoint_agree_on_a_signature() {
    // The same vector is in the function's own tests; OpenSSL made it.
    let body = r#"{"triggerSource":"PostConfirmation_ConfirmSignUp","userName":"Zoë"}"#;
    let expected = "v1=3e0065dda33ebec6cf5e8af4b4c5ce383d8bfdcb8f38bde6641de76241623935";
    assert_eq!(signature("a-secret-of-the-tests-4711", "1700000000", body.as_bytes()), expected);
}

#[tokio::test]
async fn a_refusal_speaks_of_the_event_and_not_of_a_token() {
    use gatepost::cognito::Refusal::*;
    let server = server().await;
    let broken = with_attribute(event("jane"), "email", json!("jane@example..com"));
    let answer = send(&server, &broken).await;
    assert_refused("no address", &answer, 409, "claim_invalid");
    assert_eq!(answer.json()["detail"], "The username or the e-mail address of the event is not valid.");
    for refusal in [ClaimInvalid, EmailMissing, EmailUnverified, EmailAmbiguous, EmailLinked, UserInactive, UserUnknown]
    {
        assert!(!refusal.sign_up_detail().contains("token"), "{refusal:?}");
    }
}
