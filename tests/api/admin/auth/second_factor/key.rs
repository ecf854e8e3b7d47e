//! The key that encrypts the secrets: where it is kept, and what happens without it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatepost::crypto::Seal;
use gatepost::users::second_factor::KeySource;
use tempfile::TempDir;

use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::factor::PAGE;
use crate::harness::{TestServer, assert_has, assert_lacks, log_watch};

const UNUSABLE: &str = "Codes cannot be checked now.";

fn another_key() -> KeySource {
    KeySource::Setting(Seal::from_base64(&STANDARD.encode([7; 32])).expect("a key"))
}

async fn with_file(path: &Path) -> TestServer {
    TestServer::start_with(|config| config.second_factor_key = KeySource::File(path.to_owned())).await
}

/// The same database with another key.
async fn restarted(server: &TestServer, key: KeySource) -> TestServer {
    let mut settings = server.config.clone();
    settings.second_factor_key = key;
    TestServer::start_with(|config| *config = settings).await
}

#[tokio::test]
async fn the_key_file_comes_with_the_first_enrolment_and_is_for_its_owner_alone() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("test.second-factor.key");
    let server = with_file(&path).await;
    server.staff("alice", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    alice.page(PAGE).await;
    alice.post(PAGE, &[("action", "begin"), ("password", "wrong")]).await;
    assert!(!path.exists(), "nobody needs it yet");
    let (app, _) = alice.enrol().await;
    let text = std::fs::read_to_string(&path).expect("the key");
    assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
    assert_eq!(STANDARD.decode(text.trim()).expect("base64").len(), 32);
    // Another process reads it, and as a setting it is the same key.
    for key in [KeySource::File(path), KeySource::Setting(Seal::from_base64(&text).expect("a key"))] {
        let other = restarted(&server, key).await;
        let mut client = AdminClient::new(other.address);
        client.give_password("alice").await;
        assert_eq!(client.give_code(&app.code(1)).await.status, 303);
        server.forget_used_codes().await;
    }
    assert_lacks(&log_watch::lines().join("\n"), &[text.trim()]);
}

#[tokio::test]
async fn a_lost_key_file_lets_nobody_in_and_is_not_made_again() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("lost.second-factor.key");
    let first = with_file(&path).await;
    first.staff("bob", |_| {}).await;
    let (app, ..) = first.staff_with_factor("alice").await;
    std::fs::remove_file(&path).expect("the key is lost");
    let server = restarted(&first, KeySource::File(path.clone())).await;
    let mut alice = AdminClient::new(server.address);
    let answer = alice.sign_in("alice", PASSWORD).await;
    assert_eq!(answer.status, 503);
    assert_has(&answer.text(), &[UNUSABLE]);
    assert!(!alice.is_in().await && alice.give_code(&app.code(1)).await.status == 303 && !alice.is_in().await);
    let mut bob = server.sign_in("bob").await;
    bob.page(PAGE).await;
    let answer = bob.post(PAGE, &[("action", "begin"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 503);
    assert_has(&answer.text(), &[UNUSABLE]);
    assert!(!path.exists());
    let problem = format!("the key file {} is missing; restore it", path.display());
    assert!(log_watch::lines().iter().any(|line| line.contains(&problem)));
}

#[tokio::test]
async fn with_another_key_only_recovery_codes_count() {
    let first = TestServer::start().await;
    let (app, codes, alice) = first.staff_with_factor("alice").await;
    let server = restarted(&first, another_key()).await;
    let mut client = AdminClient::new(server.address);
    client.give_password("alice").await;
    for _ in 0..8 {
        let answer = client.give_code(&app.code(1)).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_has(&answer.text(), &[UNUSABLE]);
    }
    assert!(!client.is_in().await);
    assert_eq!(client.give_code(&codes[0]).await.redirect(), (303, "/admin/"));
    // What waits under the old key is void, and a session is not.
    let mut old = AdminClient::new(first.address);
    old.give_password("alice").await;
    let mut moved = AdminClient::new(server.address);
    moved.cookies = old.cookies.clone();
    assert_eq!(moved.get("/admin/login/code/").await.redirect(), (303, "/admin/login/?next=/admin/"));
    assert!(alice.is_in().await);
    // By a recovery code the factor is turned off and set up under the new key.
    client.page(PAGE).await;
    let fields = [("action", "off"), ("password", PASSWORD), ("code", codes[1].as_str())];
    assert_eq!(client.post(PAGE, &fields).await.redirect(), (303, PAGE));
    client.enrol().await;
}

#[tokio::test]
async fn without_a_place_for_the_key_the_page_names_the_setting() {
    let server = TestServer::start_with(|config| config.second_factor_key = KeySource::Missing).await;
    server.staff("alice", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    let page = alice.page(PAGE).await;
    assert_has(&page, &["SECOND_FACTOR_KEY is not set", "openssl rand -base64 32"]);
    let answer = alice.post(PAGE, &[("action", "begin"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 503);
    assert_has(&answer.text(), &["SECOND_FACTOR_KEY is not set"]);
    assert_eq!(server.count("second_factors").await, 0);
}

#[tokio::test]
async fn a_secret_that_is_put_into_another_users_row_opens_nothing() {
    let server = TestServer::start().await;
    let (mallorys, ..) = server.staff_with_factor("mallory").await;
    server.staff_with_factor("alice").await;
    let copy =
        "UPDATE second_factors SET last_step = 0, secret = (SELECT secret FROM second_factors WHERE user_id = 1)";
    server.sql(copy).await;
    let mut client = AdminClient::new(server.address);
    client.give_password("alice").await;
    assert_eq!(client.give_code(&mallorys.code(1)).await.status, 503);
    assert!(!client.is_in().await);
}
