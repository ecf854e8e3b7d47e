//! The memory of verified tokens: it must never remember more than is still true.

use std::time::Duration;

use gatepost::cognito::Refusal;

use super::{assert_accepted, assert_refusal, assert_refused};
use crate::harness::pool::now;
use crate::harness::{TestServer, eventually};

#[tokio::test]
async fn a_token_that_was_good_is_refused_from_its_expiry_on() {
    let server = TestServer::start_with(|config| config.leeway = Duration::ZERO).await;
    server.alice().await;
    // On a busy machine the token may be over before the server sees it; then another one is made.
    let mut met = None;
    for _ in 0..20 {
        let exp = now() + 2;
        let token = server.pool.token("alice").claim("exp", exp).sign();
        if server.get("/me/", &token).await.status == 200 {
            met = Some((token, exp));
            break;
        }
    }
    let (token, exp) = met.expect("the token was good once");
    eventually("the time is over", async || now() >= exp).await;
    assert_refused(&server, "after its expiry", &token, Refusal::TokenExpired).await;
}

#[tokio::test]
async fn a_deactivation_is_seen_at_the_next_request_and_so_is_its_end() {
    let (server, token) = TestServer::with_alice().await;
    assert_accepted(&server, "active", &token).await;
    server.sql("UPDATE users SET is_active = FALSE").await;
    assert_refused(&server, "deactivated", &token, Refusal::UserInactive).await;
    let refused = server.post_article(&token, "x").await;
    assert_refusal("deactivated", &refused, Refusal::UserInactive);
    server.sql("UPDATE users SET is_active = TRUE").await;
    assert_accepted(&server, "active again", &token).await;
    server.sql("DELETE FROM users").await;
    assert_refused(&server, "deleted", &token, Refusal::UserUnknown).await;
}

#[tokio::test]
async fn a_bent_copy_of_a_remembered_token_is_refused() {
    let (server, token) = TestServer::with_alice().await;
    for _ in 0..3 {
        assert_accepted(&server, "the good one", &token).await;
    }
    let (head, signature) = token.rsplit_once('.').expect("a token");
    let (header, _) = head.split_once('.').expect("a token");
    let other = server.pool.token("alice").claim("email", "bob@example.com").sign();
    let other_claims = other.split('.').nth(1).expect("claims");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    for (what, bent, refusal) in [
        ("no signature", format!("{head}."), Refusal::TokenMalformed),
        ("no signature and no dot", head.to_owned(), Refusal::TokenMalformed),
        ("padding", format!("{token}=="), Refusal::TokenMalformed),
        ("a dot more", format!("{token}."), Refusal::TokenMalformed),
        ("other claims", format!("{header}.{other_claims}.{signature}"), Refusal::SignatureInvalid),
        ("another first character", format!("{head}.{first}{}", &signature[1..]), Refusal::SignatureInvalid),
    ] {
        assert_refused(&server, what, &bent, refusal).await;
    }
    assert_accepted(&server, "the good one", &token).await;
}

#[tokio::test]
async fn a_refused_token_is_not_remembered_as_good_or_bad() {
    let server = TestServer::start().await;
    let token = server.pool.token("alice").sign();
    assert_refused(&server, "nobody is there", &token, Refusal::UserUnknown).await;
    server.user("alice").await;
    assert_accepted(&server, "the user came meanwhile", &token).await;
}
