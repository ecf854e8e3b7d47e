//! `token` and `check-token`.

use diesel::connection::SimpleConnection;

use super::users;
use crate::harness::assert_has;
use crate::harness::pool::claims;
use crate::harness::program::Program;

#[tokio::test]
async fn each_option_of_token_is_seen_by_the_server_of_the_same_folder() {
    let rows: [(&str, &[&str], u16, &str); 8] = [
        (
            "a user who is not known may not come with an e-mail that is not verified",
            &["--unverified"],
            401,
            "email_unverified",
        ),
        ("a plain token", &[], 200, ""),
        ("groups", &["--group", "editors", "--group", "readers"], 200, ""),
        ("a user who is linked may", &["--unverified"], 200, ""),
        ("an access token where ID tokens are wanted", &["--access"], 401, "id_token_wanted"),
        ("expired", &["--expires-in", "-1"], 401, "token_expired"),
        ("expired, with a sign of equality", &["--expires-in=-3600"], 401, "token_expired"),
        ("a short life", &["--expires-in", "60"], 200, ""),
    ];
    let program = Program::new().set("COGNITO_LEEWAY_SECONDS", "0");
    let server = program.serve().await;
    for (what, arguments, status, code) in rows {
        let token = program.token_with(arguments).await;
        let answer = server.call("GET", "/articles/").token(&token).send().await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        if status != 200 {
            assert_eq!(answer.code(), code, "{what}");
        }
    }
    assert_eq!(users(&program), ["admin admin@example.com 111", "alice@example.com alice@example.com 001"]);
}

#[tokio::test]
async fn a_token_of_a_pool_that_was_not_there_comes_with_a_warning() {
    let program = Program::new();
    const WARNING: &str = "there was no local user pool here";
    assert!(program.run(&["token", "alice@example.com"]).await.stderr.contains(WARNING));
    assert!(!program.run(&["token", "alice@example.com"]).await.stderr.contains(WARNING));
}

#[tokio::test]
async fn tokens_carry_what_the_options_say() {
    let program = Program::new();
    let claims = async |options: &[&str]| claims(&program.token_with(options).await);
    let plain = claims(&[]).await;
    assert_eq!((&plain["token_use"], &plain["email_verified"]), (&"id".into(), &true.into()));
    assert_eq!(plain["exp"].as_i64().zip(plain["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(3600));
    assert!(plain.get("cognito:groups").is_none());
    let bent = claims(&["--unverified", "--group", "a", "--group", "b"]).await;
    assert_eq!(bent["email_verified"], false);
    assert_eq!(bent["cognito:groups"], serde_json::json!(["a", "b"]));
    assert_eq!(bent["sub"], plain["sub"], "an address is one user");
    let access = claims(&["--access"]).await;
    assert_eq!((&access["token_use"], &access["sub"]), (&"access".into(), &plain["sub"]));
    assert!(access.get("email").is_none());
}

#[tokio::test]
async fn an_access_token_serves_a_user_who_is_linked_already_where_both_kinds_are_accepted() {
    let program = Program::new().set("COGNITO_TOKEN_USE", "any");
    let server = program.serve().await;
    let access = program.token_with(&["--access"]).await;
    let before = server.call("GET", "/articles/").token(&access).send().await;
    assert_eq!((before.status, before.code().as_str()), (401, "email_missing"));
    let id = program.token().await;
    assert_eq!(server.call("GET", "/articles/").token(&id).status().await, 200);
    assert_eq!(server.call("GET", "/articles/").token(&access).status().await, 200);
}

#[tokio::test]
async fn a_token_of_a_machine_client_is_for_its_service_account() {
    let program = Program::new();
    let server = program.serve().await;
    let token = async |options: &[&str]| {
        let outcome = program.run(&[&["token", "--client", "nightly"], options].concat()).await;
        outcome.success().trim().to_owned()
    };
    let (both, read) = (token(&[]).await, token(&["--scope", "gatepost/read"]).await);
    assert_eq!(claims(&both)["scope"], "gatepost/read gatepost/write");
    let machine = claims(&read);
    assert_eq!((&machine["sub"], &machine["client_id"]), (&"nightly".into(), &"nightly".into()));
    assert_eq!((&machine["token_use"], machine.get("username")), (&"access".into(), None));
    assert_eq!(server.get("/articles/", &read).await.code(), "service_account_unknown");
    let refused = program.run_with(&["check-token"], &read).await;
    refused.assert_error("refused: service_account_unknown");
    let account = "INSERT INTO service_accounts (name, client_id, is_active, created_at)
        VALUES ('Nightly', 'nightly', 1, '2026-01-01 00:00:00');
        INSERT INTO service_account_permissions VALUES (1, 'articles.view_article'), (1, 'articles.add_article');";
    program.database().batch_execute(account).expect("the account is added");
    let created = server.post_article(&both, "by night").await;
    created.assert(201, r#"{"id":1,"name":"by night"}"#);
    assert_eq!(server.post_article(&read, "x").await.code(), "insufficient_scope");
    let expired = token(&["--expires-in", "-3600"]).await;
    assert_eq!(server.get("/articles/", &expired).await.code(), "token_expired");
    let checked = program.run_with(&["check-token"], &read).await;
    let line = "ok    user       Nightly (service account 1): articles.view_article, not articles.add_article without the scope gatepost/write";
    assert_has(checked.success(), &[line]);
    assert_has(&server.stderr(), &["service_account=1"]);
    assert_eq!(program.texts("SELECT username FROM users"), ["admin"], "no user comes of it");
}

#[tokio::test]
async fn token_refuses_what_it_cannot_do() {
    Program::new().run(&["token", "not-an-address"]).await.assert_error("Enter a valid e-mail address.");
    let production = Program::with_keys_at("http://127.0.0.1:9/");
    production.run(&["token", "alice@example.com"]).await.assert_error("works only with the local user pool");
    let absurd = Program::new().run(&["token", "alice@example.com", "--expires-in", "99999999999"]).await;
    assert_eq!((absurd.code, absurd.stdout.as_str()), (Some(2), ""), "{absurd:?}");
    Program::new().run(&["token", "--client", "a b"]).await.assert_error("Enter a valid client ID.");
    let mixed: [&[&str]; 4] = [
        &[],
        &["alice@example.com", "--client", "nightly"],
        &["--client", "nightly", "--access"],
        &["alice@example.com", "--scope", "gatepost/read"],
    ];
    for arguments in mixed {
        let outcome = Program::new().run(&[&["token"], arguments].concat()).await;
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{arguments:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn check_token_names_the_first_check_that_a_token_fails() {
    let program = Program::new().set("COGNITO_LEEWAY_SECONDS", "0");
    let good = program.token().await;
    program
        .run_with(&["check-token"], &good)
        .await
        .assert_error("the database sqlite:gatepost.sqlite3 does not exist yet");
    program.run(&["migrate"]).await.success();
    let (head, rest) = good.split_once('.').expect("a token");
    let (claims, signature) = rest.split_once('.').expect("a token");
    let other_pool = Program::new().token().await;
    let rows = [
        ("nothing", String::new(), "form", "token_malformed"),
        ("no token", "hello".to_owned(), "form", "token_malformed"),
        ("too large", "a".repeat(20_000), "form", "token_too_large"),
        ("no algorithm", format!("e30.{claims}.{signature}"), "header", "algorithm_not_allowed"),
        ("of another pool", other_pool, "key", "key_unknown"),
        ("other claims", format!("{head}.e30.{signature}"), "signature", "signature_invalid"),
        ("access", program.token_with(&["--access"]).await, "token_use", "id_token_wanted"),
        ("expired", program.token_with(&["--expires-in", "-1"]).await, "times", "token_expired"),
        ("unverified", program.token_with(&["--unverified"]).await, "user", "email_unverified"),
    ];
    for (case, token, check, code) in rows {
        let outcome = program.run_with(&["check-token"], &token).await;
        outcome.assert_error(&format!("refused: {code}"));
        let failed: Vec<_> = outcome.stdout.lines().filter(|line| line.starts_with("FAIL")).collect();
        assert!(matches!(failed[..], [line] if line[6..].starts_with(&format!("{check} "))), "{case}: {outcome:?}");
        let after = outcome.stdout.lines().skip_while(|line| !line.starts_with("FAIL")).skip(1);
        let reached = after.filter(|line| !line.starts_with("- ") && !line.contains("accepted:")).count();
        assert_eq!(reached, 0, "{case}: {outcome:?}");
    }
    for input in [good.clone(), format!("bearer {good}\n")] {
        let outcome = program.run_with(&["check-token"], &input).await;
        let text = outcome.success();
        assert_has(text, &["\"email\": \"alice@example.com\"", "\"alg\": \"RS256\""]);
        assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), 10, "{text}");
        assert_has(text, &["ok    user       alice@example.com, created by the next request"]);
        assert!(!text.contains(signature), "the token itself is not repeated");
    }
    assert_eq!(program.texts("SELECT username FROM users"), [""; 0], "it changes nothing");
}
