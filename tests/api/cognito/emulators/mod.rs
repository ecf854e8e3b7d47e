//! From sign-up to article, end to end: two Cognito emulators that others wrote, each started by the test
//! that uses it, and the program itself, configured through its environment as an operator would.
//!
//! The emulators are moto (`pip install 'moto[server]'`, the program `moto_server`) and cognito-local
//! (`npm install cognito-local`). They are sought in `PATH`, or where `GATEPOST_TEST_MOTO` and
//! `GATEPOST_TEST_COGNITO_LOCAL` say. A genuine pool is in between the two: its issuers look like moto's,
//! its usernames like cognito-local's.

mod emulator;
mod groups;
mod pool_actions;
mod service_accounts;
mod sync;

use emulator::{Emulator, Kind, PASSWORD, Pool};
use serde_json::json;

use crate::harness::pool::claims;
use crate::harness::program::{Program, Serving};

const LINK_UNVERIFIED: (&str, &str) = ("COGNITO_LINK_UNVERIFIED_EMAIL", "true");

const CREATE_USERS: (&str, &str) = ("COGNITO_CREATE_USERS", "true");

mod with_moto {
    use super::*;

    #[tokio::test]
    async fn who_signs_up_becomes_the_local_user_with_that_email_and_writes_articles() {
        links_an_existing_user(Kind::Moto).await;
    }

    #[tokio::test]
    async fn who_signs_up_is_created_with_the_first_token() {
        creates_a_user(Kind::Moto).await;
    }

    #[tokio::test]
    async fn an_email_counts_only_once_the_pool_has_verified_it() {
        waits_for_a_verified_email(Kind::Moto).await;
    }

    #[tokio::test]
    async fn who_signs_up_again_after_deletion_does_not_become_the_former_user() {
        keeps_the_former_user_apart(Kind::Moto).await;
    }
}

mod with_cognito_local {
    use super::*;

    #[tokio::test]
    async fn who_signs_up_becomes_the_local_user_with_that_email_and_writes_articles() {
        links_an_existing_user(Kind::CognitoLocal).await;
    }

    #[tokio::test]
    async fn who_signs_up_is_created_with_the_first_token() {
        creates_a_user(Kind::CognitoLocal).await;
    }

    #[tokio::test]
    async fn an_email_counts_only_once_the_pool_has_verified_it() {
        waits_for_a_verified_email(Kind::CognitoLocal).await;
    }

    #[tokio::test]
    async fn who_signs_up_again_after_deletion_does_not_become_the_former_user() {
        keeps_the_former_user_apart(Kind::CognitoLocal).await;
    }
}

async fn links_an_existing_user(kind: Kind) {
    let Some(emulator) = Emulator::start(kind).await else { return };
    let pool = emulator.pool().await;
    let program = program_for(&pool, &[LINK_UNVERIFIED]).set("DJANGO_SUPERUSER_PASSWORD", PASSWORD);
    let librarian = ["createsuperuser", "--noinput", "--username", "librarian", "--email", "Mia@Example.com"];
    program.run(&librarian).await.success();
    program.run(&["check"]).await.success();

    let gatepost = serve(&program).await;
    pool.sign_up("mia").await;
    let mia = pool.sign_in("mia").await;
    gatepost.get("/articles/", &mia.id).await.assert(200, "[]");
    let created = gatepost.call("POST", "/articles/").token(&mia.id).json(r#"{"name":"From sign-up to shelf"}"#);
    let shelf = r#"{"id":1,"name":"From sign-up to shelf"}"#;
    created.send().await.assert(201, shelf);
    gatepost.get("/articles/", &mia.id).await.assert(200, &format!("[{shelf}]"));
    // The original took the token without a scheme.
    gatepost.call("GET", "/articles/1/").header("authorization", &mia.id).send().await.assert(200, shelf);
    let librarian = json!({
        "id": 1, "username": "librarian", "email": "Mia@Example.com", "first_name": "", "last_name": "",
        "is_staff": true, "is_superuser": true,
    });
    assert_eq!(gatepost.me(&mia.id).await, librarian);
    assert_eq!(gatepost.me(&pool.sign_in("mia").await.id).await, librarian, "after a second sign-in");
    assert_eq!(gatepost.me(&pool.refresh(&mia).await.id).await, librarian, "after a refresh");

    pool.sign_up("noa").await;
    let other_client = pool.another_client().await;
    // Both emulators sign with one key for all their pools, so nothing but the issuer tells these apart.
    let other_pool = emulator.pool().await;
    other_pool.sign_up("mia").await;
    for (whose, token, code) in [
        ("an access token", mia.access.clone(), "id_token_wanted"),
        ("another client's token", other_client.sign_in("mia").await.id, "client_not_accepted"),
        ("another pool's token", other_pool.sign_in("mia").await.id, "issuer_not_accepted"),
        ("a stranger's token", pool.sign_in("noa").await.id, "user_unknown"),
        ("a token under another's signature", with_signature_of(&mia.id, &mia.access), "signature_invalid"),
    ] {
        for path in ["/articles/", "/me/"] {
            let answer = gatepost.get(path, &token).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, code), "{whose} at {path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{whose} at {path}");
        }
    }
    let nobody = gatepost.fetch("/articles/").await;
    assert_eq!((nobody.status, nobody.code().as_str()), (401, "no_token"));
    gatepost.get("/articles/", &mia.id).await.assert(200, &format!("[{shelf}]"));

    drop(emulator);
    // The keys are at hand, so the pool may be out of reach; an operator who asks is told.
    gatepost.get("/articles/", &mia.id).await.assert(200, &format!("[{shelf}]"));
    let checked = program.run(&["check"]).await;
    assert_ne!(checked.code, Some(0), "check without the pool: {checked:?}");
    assert_logs_requests(&gatepost);
}

async fn creates_a_user(kind: Kind) {
    let Some(emulator) = Emulator::start(kind).await else { return };
    let pool = emulator.pool().await;
    let program = program_for(&pool, &[LINK_UNVERIFIED, CREATE_USERS]);
    let gatepost = serve(&program).await;
    for (id, name) in [(1, "mia"), (2, "noa")] {
        pool.sign_up(name).await;
        let tokens = pool.sign_in(name).await;
        // Whoever sends the wrong one of the two tokens first is not created by it.
        assert_eq!(gatepost.get("/me/", &tokens.access).await.code(), "id_token_wanted", "{name}");
        let created = gatepost.call("POST", "/articles/").token(&tokens.id).json(json!({ "name": name }).to_string());
        created.send().await.assert(201, &json!({ "id": id, "name": name }).to_string());
        let username = &claims(&tokens.id)["cognito:username"];
        let user = json!({
            "id": id, "username": username, "email": format!("{name}@example.com"), "first_name": "", "last_name": "",
            "is_staff": false, "is_superuser": false,
        });
        assert_eq!(gatepost.me(&tokens.id).await, user);
        assert_eq!(gatepost.me(&pool.sign_in(name).await.id).await, user, "after a second sign-in");
    }
    let names = gatepost.get("/articles/", &pool.sign_in("mia").await.id).await.json();
    assert_eq!(names, json!([{ "id": 1, "name": "mia" }, { "id": 2, "name": "noa" }]));
    assert_logs_requests(&gatepost);
}

async fn waits_for_a_verified_email(kind: Kind) {
    let Some(emulator) = Emulator::start(kind).await else { return };
    let pool = emulator.pool().await;
    let program = program_for(&pool, &[CREATE_USERS]);
    let librarian = ["createsuperuser", "--noinput", "--username", "librarian", "--email", "mia@example.com"];
    program.run(&librarian).await.success();
    let gatepost = serve(&program).await;
    for (name, would) in [("mia", "be linked"), ("noa", "be created")] {
        pool.sign_up(name).await;
        let unverified = pool.sign_in(name).await;
        let answer = gatepost.get("/me/", &unverified.id).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "email_unverified"), "{name} would {would}");
        pool.verify(name).await;
        // What was signed before still says that the address is not verified.
        assert_eq!(gatepost.get("/me/", &unverified.id).await.code(), "email_unverified", "{name}, old token");
        let me = gatepost.me(&pool.sign_in(name).await.id).await;
        assert_eq!(me["email"], format!("{name}@example.com"));
        assert_eq!(me["is_superuser"], name == "mia", "{name}: {me}");
        // From now on `sub` decides.
        assert_eq!(gatepost.me(&unverified.id).await, me);
    }
    assert_logs_requests(&gatepost);
}

async fn keeps_the_former_user_apart(kind: Kind) {
    let Some(emulator) = Emulator::start(kind).await else { return };
    let pool = emulator.pool().await;
    let program = program_for(&pool, &[LINK_UNVERIFIED, CREATE_USERS]);
    let gatepost = serve(&program).await;
    pool.sign_up("mia").await;
    let former = pool.sign_in("mia").await;
    assert_eq!(gatepost.me(&former.id).await["id"], 1);
    pool.delete("mia").await;
    pool.sign_up("mia").await;
    let latter = pool.sign_in("mia").await;
    assert_eq!(claims(&former.id)["email"], claims(&latter.id)["email"]);
    assert_ne!(claims(&former.id)["sub"], claims(&latter.id)["sub"]);
    let answer = gatepost.get("/me/", &latter.id).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "email_linked"));
    assert_logs_requests(&gatepost);
}

/// Header and claims of one token, and the signature of another.
fn with_signature_of(token: &str, other: &str) -> String {
    let (signed, _) = token.rsplit_once('.').expect("a token");
    let (_, signature) = other.rsplit_once('.').expect("a token");
    format!("{signed}.{signature}")
}

/// The program as an operator runs it for a pool: everything through the environment.
fn program_for(pool: &Pool, more: &[(&str, &str)]) -> Program {
    let program = Program::with_keys_at(format!("{}/.well-known/jwks.json", pool.issuer()));
    let program = program.set("AWS_USER_POOLS_ID", &pool.id).set("AWS_APP_CLIENT_ID", &pool.client);
    // So that there is something to find a token in.
    let program = program.set("RUST_LOG", "debug");
    // moto's and ministack's tokens name the genuine issuer, which follows from the pool's id.
    let program = match pool.emulator.kind {
        Kind::Moto | Kind::Ministack => program,
        Kind::CognitoLocal => program.set("COGNITO_ISSUER", &pool.issuer()),
    };
    more.iter().fold(program, |program, (name, value)| program.set(name, value))
}

async fn serve(program: &Program) -> Serving {
    let gatepost = program.serve().await;
    gatepost.ready().await;
    gatepost
}

/// Fails where there is no log in which a token could be found.
#[track_caller]
fn assert_logs_requests(gatepost: &Serving) {
    let log = gatepost.stderr();
    assert!(log.contains("gatepost::access"), "there is no log: {log}");
}
