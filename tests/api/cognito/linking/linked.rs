//! Users who are linked, and who wants to be.

use futures_util::future::join_all;
use gatepost::cognito::Refusal;
use gatepost::cognito::user_pool::TokenUse;

use super::{creating, entered};
use crate::cognito::tokens::assert_refused;
use crate::harness::TestServer;
use crate::harness::pool::NEW_ISSUER;

#[tokio::test]
async fn the_first_token_with_a_verified_email_links_the_user_and_the_history_says_so() {
    let server = TestServer::start().await;
    let alice = server.user("alice").await;
    server.user("bob").await;
    let user = server.me(&server.pool.token("alice").sign()).await;
    assert_eq!((user["id"].as_i64(), user["username"].as_str()), (Some(alice.id), Some("alice")));
    server.me(&server.pool.token("alice").sign()).await;
    let linked = "users WHERE username = 'alice' AND cognito_sub = 'sub-of-alice' AND linked_at IS NOT NULL \
                  AND cognito_issuer = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_TestPool1'";
    assert_eq!((server.count(linked).await, entered(&server).await), (1, 1));
    // Exactly one row, by herself, though she came twice.
    let rows = "history WHERE source = 'first_token'";
    let whole = "history WHERE source = 'first_token' AND action = 'changed' AND model = 'user' \
                 AND object = 'alice' AND actor = 'alice' AND actor_id = object_id \
                 AND changes LIKE '%\"cognito_sub\":[null,\"sub-of-alice\"]%' \
                 AND changes LIKE '%\"cognito_issuer\":[null,\"https://cognito-idp.%'";
    assert_eq!((server.count(rows).await, server.count(whole).await), (1, 1));
}

#[tokio::test]
async fn once_linked_the_sub_alone_decides() {
    let server = creating().await;
    let alice = server.user("alice").await;
    server.user("bob").await;
    let token = || server.pool.token("alice");
    server.me(&token().sign()).await;
    for (what, token) in [
        ("a new e-mail", token().claim("email", "alice@elsewhere.example")),
        ("an unverified one", token().claim("email", "alice@elsewhere.example").claim("email_verified", false)),
        ("another person's e-mail", token().claim("email", "bob@example.com")),
        ("no e-mail", token().without("email").without("email_verified")),
        ("an empty one", token().claim("email", "")),
        ("another name in the pool", token().claim("cognito:username", "bob")),
    ] {
        let user = server.me(&token.sign()).await;
        assert_eq!(
            (user["id"].as_i64(), user["email"].as_str()),
            (Some(alice.id), Some("alice@example.com")),
            "{what}"
        );
    }
    assert_eq!((entered(&server).await, server.count("users").await), (1, 2));
    // Even after the local e-mail was changed and given to somebody else.
    server
        .sql("UPDATE users SET email = 'new@example.com', email_key = 'new@example.com' WHERE username = 'alice'")
        .await;
    let carol = server.user_with("carol", |new| new.email = "alice@example.com".to_owned()).await;
    assert_eq!(server.me(&token().sign()).await["id"], alice.id);
    assert_ne!(carol.id, alice.id);
}

#[tokio::test]
async fn another_cognito_user_with_the_same_email_is_refused() {
    for create_users in [false, true] {
        let server = TestServer::start_with(|config| config.create_users = create_users).await;
        server.user("alice").await;
        server.me(&server.pool.token("alice").sign()).await;
        for (what, sub, email) in [
            ("the same address", "another-sub", "alice@example.com"),
            ("in other letters", "another-sub", "ALICE@example.com"),
            ("a sub in capitals", "SUB-OF-ALICE", "alice@example.com"),
            ("a sub with a blank", "sub-of-alice ", "alice@example.com"),
            ("the beginning of the sub", "sub-of-alic", "alice@example.com"),
        ] {
            let token = server.pool.token("alice").claim("sub", sub).claim("email", email).sign();
            assert_refused(&server, what, &token, Refusal::EmailLinked).await;
        }
        assert_eq!(server.count("users").await, 1);
    }
}

#[tokio::test]
async fn a_user_who_is_linked_in_another_pool_is_not_linked_again() {
    let server = TestServer::start().await;
    server.user("alice").await;
    server.link("alice", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Former", "sub-of-alice").await;
    assert_refused(&server, "another pool", &server.pool.token("alice").sign(), Refusal::EmailLinked).await;
}

#[tokio::test]
async fn a_deactivated_user_is_refused_in_every_way() {
    let server = creating().await;
    for name in ["linked", "unlinked"] {
        server.user(name).await;
    }
    server.me(&server.pool.token("linked").sign()).await;
    server.sql("UPDATE users SET is_active = FALSE").await;
    let token = |name| server.pool.token(name);
    for (what, token) in [
        ("linked", token("linked")),
        ("linked, with another e-mail", token("linked").claim("email", "new@example.com")),
        ("linked, with another issuer form", token("linked").claim("iss", NEW_ISSUER)),
        ("not linked", token("unlinked")),
        ("not linked, in other letters", token("unlinked").claim("email", "UNLINKED@example.com")),
        ("another Cognito user with that e-mail", token("linked").claim("sub", "another")),
    ] {
        assert_refused(&server, what, &token.sign(), Refusal::UserInactive).await;
    }
    // Whether the address is here at all is not told to somebody who may have made it up.
    let made_up = token("unlinked").claim("email_verified", false).sign();
    assert_refused(&server, "not linked, with an unverified e-mail", &made_up, Refusal::EmailUnverified).await;
    assert_eq!((entered(&server).await, server.count("users").await), (1, 2));
}

#[tokio::test]
async fn many_first_requests_at_once_make_one_user_and_one_link() {
    let server = creating().await;
    server.user("old").await;
    // Different tokens, so that no memory of tokens makes them one.
    let tokens: Vec<String> =
        (0..24).map(|n| server.pool.token(if n % 2 == 0 { "old" } else { "new" }).claim("jti", n).sign()).collect();
    let answers = join_all(tokens.iter().map(|token| server.get("/me/", token))).await;
    for (n, answer) in answers.iter().enumerate() {
        let name = if n % 2 == 0 { "old" } else { "new" };
        assert_eq!((answer.status, answer.json()["username"].as_str()), (200, Some(name)), "{}", answer.text());
    }
    assert_eq!((entered(&server).await, server.count("users").await), (2, 2));
    assert_eq!(server.count("history WHERE source = 'first_token'").await, 2);
}

#[tokio::test]
async fn of_many_cognito_users_with_one_email_exactly_one_gets_in() {
    for existing in [false, true] {
        let server = creating().await;
        if existing {
            server.user("alice").await;
        }
        let tokens: Vec<String> =
            (0..12).map(|n| server.pool.token("alice").claim("sub", format!("sub-{n}")).sign()).collect();
        let answers = join_all(tokens.iter().map(|token| server.get("/me/", token))).await;
        let winners = answers.iter().filter(|answer| answer.status == 200).count();
        let losers = answers
            .iter()
            .filter(|answer| answer.status == 401 && answer.code() == Refusal::EmailLinked.code())
            .count();
        assert_eq!((winners, losers), (1, 11), "existing: {existing}");
        assert_eq!((entered(&server).await, server.count("users").await), (1, 1));
    }
}

#[tokio::test]
async fn an_access_token_stands_for_a_linked_user_only() {
    for create_users in [false, true] {
        let server =
            TestServer::start_with(|config| (config.token_use, config.create_users) = (TokenUse::Any, create_users))
                .await;
        let alice = server.user("alice").await;
        let access = || server.pool.access_token("alice");
        assert_refused(&server, "not linked", &access().sign(), Refusal::EmailMissing).await;
        // A trigger of the pool may write any claim into an access token.
        let with_email = access().claim("email", "alice@example.com").claim("email_verified", true).sign();
        assert_refused(&server, "with an e-mail", &with_email, Refusal::EmailMissing).await;
        let unknown =
            server.pool.access_token("x").claim("email", "x@example.com").claim("email_verified", true).sign();
        assert_refused(&server, "unknown, with an e-mail", &unknown, Refusal::EmailMissing).await;
        assert_eq!((entered(&server).await, server.count("users").await), (0, 1));

        assert_eq!(server.me(&server.pool.token("alice").sign()).await["id"], alice.id);
        assert_eq!(server.me(&access().sign()).await["id"], alice.id);
        assert_eq!(server.me(&with_email).await["id"], alice.id);
        // A name is no proof of anything.
        let named = server.pool.access_token("alice").claim("sub", "another").sign();
        assert_refused(&server, "another sub of the same name", &named, Refusal::EmailMissing).await;
    }
}
