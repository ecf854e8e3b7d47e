//! The endpoint of the User Migration trigger.

use std::time::{Duration, Instant};

use gatepost::crypto::Secret;
use serde_json::{Value, json};

use super::post_confirmation::{assert_refused, signed_at};
use crate::harness::admin::password_hash;
use crate::harness::client::Answer;
use crate::harness::log_watch;
use crate::harness::pool::{POOL_ID, now};
use crate::harness::{TestServer, assert_lacks};

const PATH: &str = "/cognito/user-migration/";
const SECRET: &str = "the-secret-of-the-migration-tests-1";
const OTHERS: &str = "the-secret-of-the-other-trigger-123";
/// Django made the hash, with few iterations.
const PASSWORD: &str = "Zażółć 7 gęślą";
const PBKDF2: &str = "pbkdf2_sha256$1200$SalzüBergŁódź$6F73679GbPxBYOIsqh3LuD4c/x0NMW3S9B1VZw53RVg=";

async fn server_with(trusts_emails: bool) -> TestServer {
    TestServer::start_with(|config| {
        config.user_migration_secrets = vec![Secret::new(SECRET.to_owned())];
        config.post_confirmation_secrets = vec![Secret::new(OTHERS.to_owned())];
        config.user_migration_trusts_emails = trusts_emails;
    })
    .await
}

/// The same, with the user `jane`, who came from Django.
async fn server() -> TestServer {
    let server = server_with(false).await;
    from_django(&server, "jane").await;
    server
}

async fn from_django(server: &TestServer, name: &str) -> i64 {
    server.user_with(name, |new| new.password = Some(PBKDF2.to_owned())).await.id
}

fn event(source: &str, name: &str, request: Value) -> Value {
    json!({
        "version": "1", "triggerSource": format!("UserMigration_{source}"), "region": "eu-west-1",
        "userPoolId": POOL_ID, "userName": name,
        "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789" },
        "request": request,
        "response": { "userAttributes": null, "finalUserStatus": null, "messageAction": null },
    })
}

async fn send(server: &TestServer, event: &Value) -> Answer {
    let body = event.to_string();
    signed_at(server.call("POST", PATH), SECRET, now(), body.as_bytes()).send().await
}

async fn sign_in(server: &TestServer, name: &str, password: &str) -> Answer {
    let request = json!({ "password": password, "validationData": null, "clientMetadata": null });
    send(server, &event("Authentication", name, request)).await
}

async fn forgot(server: &TestServer, name: &str) -> Answer {
    send(server, &event("ForgotPassword", name, json!({ "clientMetadata": {} }))).await
}

#[tokio::test]
async fn the_old_password_moves_to_the_pool_once_it_is_checked() {
    let server = server().await;
    server.sql("UPDATE users SET first_name = 'Jane', last_name = 'Doe' WHERE username = 'jane'").await;
    let expected = json!({
        "userAttributes": { "email": "jane@example.com", "email_verified": "false", "name": "Jane Doe" },
        "finalUserStatus": "CONFIRMED", "messageAction": "SUPPRESS",
    });
    for name in ["jane", " jane ", "jane@example.com", "Jane@Example.com"] {
        let answer = sign_in(&server, name, PASSWORD).await;
        assert_eq!((answer.status, answer.json()), (200, expected.clone()), "{name}");
    }
    let history =
        "SELECT concat_ws(' ', source, actor, changes) FROM history WHERE object = 'jane' AND action = 'changed'";
    assert_eq!(server.texts(history).await[0], "cognito  {\"cognito_password\":[null,\"moved\"]}");
    // A password that was set here is as good as one from Django.
    server.user_with("carl", |new| new.password = Some(password_hash())).await;
    let answer = sign_in(&server, "carl", crate::harness::admin::PASSWORD).await;
    let attributes = json!({ "email": "carl@example.com", "email_verified": "false" });
    assert_eq!(answer.json()["userAttributes"], attributes);
}

#[tokio::test]
async fn the_first_token_is_linked_by_the_rules_for_tokens() {
    for (trusts_emails, verified, code) in [(true, "true", ""), (false, "false", "email_unverified")] {
        let server = server_with(trusts_emails).await;
        let id = from_django(&server, "jane").await;
        let answer = sign_in(&server, "jane", PASSWORD).await.json();
        assert_eq!(answer["userAttributes"]["email_verified"], verified);
        let is_verified = answer["userAttributes"]["email_verified"] == "true";
        let token = server.pool.token("jane").claim("email_verified", is_verified).sign();
        assert_eq!(server.get("/me/", &token).await.code(), code);
        // Once the user has verified the e-mail in Cognito.
        assert_eq!(server.me(&server.pool.token("jane").sign()).await["id"], id);
        // Linked users do not move again.
        assert_refused("linked", &sign_in(&server, "jane", PASSWORD).await, 403, "user_not_migrated");
    }
}

#[tokio::test]
async fn nobody_is_told_why_a_user_does_not_move() {
    let server = server().await;
    for name in ["inactive", "staff", "superuser", "linked", "no-email", "no-password"] {
        from_django(&server, name).await;
    }
    server
        .sql(
            "UPDATE users SET is_active = FALSE WHERE username = 'inactive';
             UPDATE users SET is_staff = TRUE WHERE username = 'staff';
             UPDATE users SET is_superuser = TRUE WHERE username = 'superuser';
             UPDATE users SET cognito_issuer = 'x', cognito_sub = 'y' WHERE username = 'linked';
             UPDATE users SET email = '', email_key = NULL WHERE username = 'no-email';
             UPDATE users SET password = NULL WHERE username = 'no-password'",
        )
        .await;
    let mut bodies = Vec::new();
    for (name, password) in [
        ("jane", "wrong"),
        ("jane", ""),
        ("jane@example.org", PASSWORD),
        ("Jane", PASSWORD),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("jane\0", PASSWORD),
        ("inactive", PASSWORD),
        ("staff", PASSWORD),
        ("superuser", PASSWORD),
        ("linked", PASSWORD),
        ("no-email", PASSWORD),
        ("no-password", PASSWORD),
    ] {
        let answer = sign_in(&server, name, password).await;
        assert_refused(name, &answer, 403, "user_not_migrated");
        bodies.push(answer.text());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(server.count("history WHERE changes LIKE '%cognito_password%'").await, 0);
}

#[tokio::test]
async fn a_username_that_is_the_email_of_somebody_else_moves_nobody() {
    let server = server().await;
    from_django(&server, "other").await;
    server.sql("UPDATE users SET username = 'jane@example.com' WHERE username = 'other'").await;
    // The pool would take it for the e-mail, which is jane's.
    let answer = sign_in(&server, "jane@example.com", PASSWORD).await;
    assert_eq!(answer.json()["userAttributes"]["email"], "jane@example.com");
    server.sql("UPDATE users SET password = NULL WHERE username = 'jane'").await;
    assert_refused(
        "jane has no password",
        &sign_in(&server, "jane@example.com", PASSWORD).await,
        403,
        "user_not_migrated",
    );
}

#[tokio::test]
async fn a_forgotten_password_takes_the_code_that_is_sent_to_the_email() {
    let server = server().await;
    let expected = json!({
        "userAttributes": { "email": "jane@example.com", "email_verified": "true" }, "messageAction": "SUPPRESS",
    });
    assert_eq!(forgot(&server, "jane").await.json(), expected);
    assert_eq!(forgot(&server, "jane@example.com").await.json(), expected);
    server.staff("boss", |_| {}).await;
    for name in ["boss", "nobody"] {
        assert_refused(name, &forgot(&server, name).await, 403, "user_not_migrated");
    }
}

#[tokio::test]
async fn guesses_are_limited_as_at_the_admin_and_lock_nobody_out_there() {
    let server = server().await;
    from_django(&server, "carl").await;
    // However the name is written.
    for name in ["jane", "JANE", "\u{ff4a}ane", " jane ", "jane"] {
        assert_eq!(sign_in(&server, name, "wrong").await.code(), "user_not_migrated");
    }
    let answer = sign_in(&server, "jane", PASSWORD).await;
    assert_refused("even the right one", &answer, 429, "throttled");
    assert!(!answer.header("retry-after").is_empty());
    // All users come from the one address of the function.
    for _ in 0..30 {
        assert_eq!(sign_in(&server, "carl", PASSWORD).await.status, 200);
    }
    server.staff("boss", |_| {}).await;
    for wrong in 0..7 {
        let code = sign_in(&server, "boss", "wrong").await.code();
        assert_eq!(code, if wrong < 5 { "user_not_migrated" } else { "throttled" });
    }
    server.sign_in("boss").await;
}

#[tokio::test]
async fn all_who_are_refused_wait_equally_long() {
    let server = TestServer::start_with(|config| {
        config.user_migration_secrets = vec![Secret::new(SECRET.to_owned())];
        config.login_max_failures = 1000;
    })
    .await;
    let slow = "pbkdf2_sha256$60000$SalzüBergŁódź$6F73679GbPxBYOIsqh3LuD4c/x0NMW3S9B1VZw53RVg=";
    from_django(&server, "few-iterations").await;
    server.user_with("many-iterations", |new| new.password = Some(slow.to_owned())).await;
    server.user_with("own", |new| new.password = Some(password_hash())).await;
    server.user("no-password").await;
    server.staff("staff", |new| new.password = Some(PBKDF2.to_owned())).await;
    let names = ["few-iterations", "many-iterations", "own", "no-password", "staff", "nobody", "nobody@example.com"];
    let mut times = vec![Duration::MAX; names.len()];
    let mut ratio = f64::INFINITY;
    // In turns, and the best of each, as at the sign-in of the admin. More rounds only make noise smaller.
    for round in 0..240 {
        for (name, time) in names.iter().zip(&mut times) {
            let started = Instant::now();
            assert_eq!(sign_in(&server, name, "wrong").await.status, 403);
            *time = started.elapsed().min(*time);
        }
        let (least, most) = (times.iter().min().expect("some"), times.iter().max().expect("some"));
        ratio = most.as_secs_f64() / least.as_secs_f64();
        if round >= 10 && ratio < 1.8 {
            return;
        }
    }
    panic!("{ratio}: {times:?}");
}

#[tokio::test]
async fn only_the_function_may_ask() {
    let server = server().await;
    let body = event("Authentication", "jane", json!({ "password": PASSWORD })).to_string();
    let call = || server.call("POST", PATH);
    assert_refused("unsigned", &call().json(body.as_str()).send().await, 401, "signature_missing");
    let forged = signed_at(call(), OTHERS, now(), body.as_bytes()).send().await;
    assert_refused("the secret of the other trigger", &forged, 401, "signature_invalid");
    let late = signed_at(call(), SECRET, now() - 301, body.as_bytes()).send().await;
    assert_refused("late", &late, 401, "signature_expired");
    let moved = signed_at(server.call("POST", "/cognito/post-confirmation/"), SECRET, now(), body.as_bytes());
    assert_refused("at the other trigger", &moved.send().await, 401, "signature_invalid");
    let disabled = TestServer::start().await;
    let answer = signed_at(disabled.call("POST", PATH), SECRET, now(), body.as_bytes()).send().await;
    assert_refused("without a secret", &answer, 403, "user_migration_disabled");
    assert_eq!(server.call("GET", PATH).send().await.status, 405);
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused() {
    let server = server().await;
    let good = event("Authentication", "jane", json!({ "password": PASSWORD }));
    let change = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        event
    };
    for (case, event, status, code) in [
        ("another pool", change("userPoolId", json!("eu-west-1_Other1")), 403, "wrong_pool"),
        (
            "another trigger",
            change("triggerSource", json!("PostConfirmation_ConfirmSignUp")),
            400,
            "trigger_source_unknown",
        ),
        ("no name", change("userName", Value::Null), 400, "event_malformed"),
        ("no request", change("request", Value::Null), 400, "event_malformed"),
        ("no password", change("request", json!({})), 400, "event_malformed"),
        ("a password that is no text", change("request", json!({ "password": ["x"] })), 400, "event_malformed"),
    ] {
        assert_refused(case, &send(&server, &event).await, status, code);
    }
    let long = "x".repeat(5_000);
    assert_refused("a long password", &sign_in(&server, "jane", &long).await, 403, "user_not_migrated");
    let huge = "x".repeat(70_000);
    assert_refused("a huge one", &sign_in(&server, "jane", &huge).await, 413, "body_too_large");
}

#[tokio::test]
async fn the_password_is_neither_logged_nor_kept() {
    let server = server_with(true).await;
    let (typed, wrong) = ("Only-in-this-test-71", "Wrong-in-this-test-71");
    let hash = gatepost::users::password::hash(typed).expect("a hash");
    server.user_with("jane", |new| new.password = Some(hash)).await;
    assert_eq!(sign_in(&server, "jane", typed).await.status, 200);
    assert_eq!(sign_in(&server, "jane", wrong).await.status, 403);
    assert_eq!(sign_in(&server, wrong, typed).await.status, 403);
    let log = log_watch::lines().join("\n");
    assert!(log.contains("user migration: `jane` moves to the user pool"));
    assert_lacks(&log, &[typed, wrong]);
    for column in ["history.changes", "throttles.name", "users.password", "refusals.email"] {
        let (table, _) = column.split_once('.').expect("a table");
        let kept = server.texts(&format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL")).await.join("\n");
        assert_lacks(&kept, &[typed, wrong]);
    }
}
