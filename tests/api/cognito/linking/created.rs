//! Users whom their first token creates.

use gatepost::cognito::Refusal;
use gatepost::cognito::user_pool::TokenUse;
use serde_json::json;

use super::creating;
use crate::cognito::tokens::assert_refused;
use crate::harness::TestServer;
use crate::harness::pool::TokenBuilder;

#[tokio::test]
async fn an_unknown_user_is_refused_unless_users_are_created() {
    let server = TestServer::start().await;
    assert_refused(&server, "unknown", &server.pool.token("alice").sign(), Refusal::UserUnknown).await;
    assert_eq!(server.count("users").await, 0);

    let server = creating().await;
    let user = server.me(&server.pool.token("alice").sign()).await;
    let expected = json!({
        "id": 1, "username": "alice", "email": "alice@example.com", "first_name": "", "last_name": "",
        "is_staff": false, "is_superuser": false,
    });
    assert_eq!(user, expected);
    let row = "users WHERE origin = 'first_token' AND is_active AND password IS NULL \
               AND cognito_sub = 'sub-of-alice' AND cognito_issuer LIKE 'https://cognito-idp.%' AND linked_at IS NOT NULL";
    assert_eq!(server.count(row).await, 1);
    let history = "history WHERE source = 'first_token' AND action = 'created' AND model = 'user' \
                   AND object = 'alice' AND actor_id IS NULL AND changes LIKE '%\"email\":[\"\",\"alice@example.com\"]%' \
                   AND changes LIKE '%\"cognito_sub\":[null,\"sub-of-alice\"]%'";
    assert_eq!((server.count(history).await, server.count("history").await), (1, 1));
    // Afterwards the same user is found, not another one created.
    assert_eq!(server.me(&server.pool.token("alice").claim("email", "x@example.com").sign()).await["id"], 1);
}

#[tokio::test]
async fn the_origin_says_where_a_user_came_from_and_linking_does_not_change_it() {
    let server = creating().await;
    server.user("old").await;
    server.me(&server.pool.token("old").sign()).await;
    server.me(&server.pool.token("new").sign()).await;
    let origins = "users WHERE (username, origin) IN (VALUES ('old', 'command_line'), ('new', 'first_token'))";
    assert_eq!(server.count(origins).await, 2);
}

#[tokio::test]
async fn a_new_user_has_the_name_in_the_pool_if_it_is_a_username_and_else_the_sub() {
    let server = creating().await;
    server.user("taken").await;
    let sub = "8f1d3c4e-0a52-4c7e-9d7a-3f1b2c3d4e5f";
    let long = "n".repeat(128);
    let longest = "n".repeat(150);
    let too_long = "n".repeat(151);
    let uuid = "0b7a1c8e-5a0f-4b7e-8a3e-1d2c3b4a5f60";
    let rows: Vec<(&str, &str)> = vec![
        ("Google_117234567890123456789", "Google_117234567890123456789"),
        ("SignInWithApple_001234.5678abcd.0123", "SignInWithApple_001234.5678abcd.0123"),
        (uuid, uuid),
        ("jane.doe+news@example.com", "jane.doe+news@example.com"),
        ("Łukasz_Żółć", "Łukasz_Żółć"),
        ("用户名", "用户名"),
        ("имя", "имя"),
        (&long, &long),
        (&longest, &longest),
        ("-", "-"),
        // Written in another way, but the same name.
        ("\u{fb01}ona", "fiona"),
        ("\u{ff22}ob", "Bob"),
        ("Zoe\u{308}", "Zo\u{eb}"),
        (&too_long, "sub"),
        ("taken", "sub"),
        ("\u{ff54}aken", "sub"),
        ("", "sub"),
        ("Jane Doe", "sub"),
        (" jane", "sub"),
        ("jane\n", "sub"),
        ("SAML:jane", "sub"),
        ("a/b", "sub"),
        ("a|b", "sub"),
        ("<script>alert(1)</script>", "sub"),
        ("'; DROP TABLE users; --", "sub"),
        ("jane\0", "sub"),
        ("jane\u{202e}", "sub"),
        ("\u{1f980}", "sub"),
    ];
    for (n, (name, expected)) in rows.into_iter().enumerate() {
        let own_sub = format!("{}{n:02}", &sub[..sub.len() - 2]);
        let token = server.pool.token("x").claim("sub", own_sub.clone()).claim("cognito:username", name);
        let user = server.me(&token.claim("email", format!("user{n}@example.com")).sign()).await;
        assert_eq!(user["username"], if expected == "sub" { own_sub.as_str() } else { expected }, "{name:?}");
    }
    let nameless = server.pool.token("nameless").without("cognito:username").sign();
    assert_eq!(server.me(&nameless).await["username"], "sub-of-nameless");
    for name in [json!(null), json!(7), json!(["x"])] {
        let token = server.pool.token("y").claim("cognito:username", name.clone()).sign();
        assert_refused(&server, &format!("name {name}"), &token, Refusal::ClaimInvalid).await;
    }
}

#[tokio::test]
async fn nobody_is_kept_out_by_a_stranger_who_took_the_sub_for_a_name() {
    let server = creating().await;
    for name in ["alice", "sub-of-alice", "sub-of-alice-2"] {
        server.user_with(name, |new| new.email = format!("{name}@strangers.example")).await;
    }
    let user = server.me(&server.pool.token("alice").sign()).await;
    assert_eq!(
        (user["username"].as_str(), user["email"].as_str()),
        (Some("sub-of-alice-3"), Some("alice@example.com"))
    );
    // A sub that could be no username, which Cognito never gives, makes no half a user either.
    let strange = server.pool.token("bob").claim("sub", "a|b").claim("cognito:username", "b o b").sign();
    assert_refused(&server, "a strange sub", &strange, Refusal::ClaimInvalid).await;
    let named = server.pool.token("bob").claim("sub", "a|b").sign();
    assert_eq!(server.me(&named).await["username"], "bob");
}

#[tokio::test]
async fn no_claim_makes_staff_or_a_superuser() {
    let server = TestServer::start_with(|config| (config.token_use, config.create_users) = (TokenUse::Any, true)).await;
    server.user("old").await;
    let raised = |token: TokenBuilder| {
        let token = token.claim("is_staff", true).claim("is_superuser", true).claim("is_active", true);
        let token =
            token.claim("custom:is_staff", "true").claim("custom:is_superuser", "1").claim("custom:role", "admin");
        let token = token.claim("cognito:groups", json!(["admin", "admins", "staff", "superuser", "Administrators"]));
        let token = token
            .claim("cognito:roles", json!(["arn:aws:iam::000000000000:role/admin"]))
            .claim("roles", json!(["admin"]));
        token.claim("scope", "aws.cognito.signin.user.admin admin").claim("password", "x").claim("id", 1)
    };
    for (what, token) in [
        ("linked", raised(server.pool.token("old"))),
        ("linked, again", raised(server.pool.token("old")).claim("jti", "2")),
        ("linked, access", raised(server.pool.access_token("old"))),
        ("created", raised(server.pool.token("new"))),
        ("created, named like an administrator", raised(server.pool.token("admin"))),
    ] {
        let user = server.me(&token.sign()).await;
        assert_eq!((&user["is_staff"], &user["is_superuser"]), (&json!(false), &json!(false)), "{what}");
    }
    assert_eq!(server.count("users WHERE is_staff OR is_superuser OR password IS NOT NULL").await, 0);
    // Nor does a claim take away what the staff gave.
    server.user_with("boss", |new| (new.is_staff, new.is_superuser) = (true, true)).await;
    let boss =
        server.me(&server.pool.token("boss").claim("is_staff", false).claim("cognito:groups", json!([])).sign()).await;
    assert_eq!((&boss["is_staff"], &boss["is_superuser"]), (&json!(true), &json!(true)));
}
