//! Which local user a token stands for: an e-mail decides once, under conditions; afterwards the `sub` does.

use futures_util::future::join_all;
use gatepost::cognito::Refusal;
use gatepost::cognito::user_pool::TokenUse;
use serde_json::{Value, json};

use crate::cognito::tokens::{assert_accepted, assert_refused};
use crate::harness::pool::{NEW_ISSUER, TokenBuilder};
use crate::harness::{TestServer, ago, eventually};

/// Who the server takes the bearer for.
async fn me(server: &TestServer, what: &str, token: &str) -> Value {
    let answer = server.get("/me/", token).await;
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    answer.json()
}

async fn creating() -> TestServer {
    TestServer::start_with(|config| config.create_users = true).await
}

/// How many users are linked or were created by a token.
async fn entered(server: &TestServer) -> i64 {
    server.number("SELECT count(*) FROM users WHERE cognito_sub IS NOT NULL").await
}

#[tokio::test]
async fn the_first_token_with_a_verified_email_links_the_user_and_the_history_says_so() {
    let server = TestServer::start().await;
    let alice = server.user("alice").await;
    server.user("bob").await;
    let user = me(&server, "first", &server.pool.token("alice").sign()).await;
    assert_eq!((user["id"].as_i64(), user["username"].as_str()), (Some(alice.id), Some("alice")));
    me(&server, "second", &server.pool.token("alice").sign()).await;
    let linked = "SELECT count(*) FROM users WHERE username = 'alice' AND cognito_sub = 'sub-of-alice' AND linked_at IS NOT NULL \
                  AND cognito_issuer = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_TestPool1'";
    assert_eq!((server.number(linked).await, entered(&server).await), (1, 1));
    // Exactly one row, by herself, though she came twice.
    let rows = "SELECT count(*) FROM history WHERE source = 'first_token'";
    let whole = "SELECT count(*) FROM history WHERE source = 'first_token' AND action = 'changed' AND model = 'user' \
                 AND object = 'alice' AND actor = 'alice' AND actor_id = object_id \
                 AND changes LIKE '%\"cognito_sub\":[null,\"sub-of-alice\"]%' \
                 AND changes LIKE '%\"cognito_issuer\":[null,\"https://cognito-idp.%'";
    assert_eq!((server.number(rows).await, server.number(whole).await), (1, 1));
}

/// Everything but `true` and the text "true".
fn unverified() -> [Option<Value>; 14] {
    [
        None,
        Some(json!(false)),
        Some(json!("false")),
        Some(json!("True")),
        Some(json!("TRUE")),
        Some(json!(" true")),
        Some(json!("yes")),
        Some(json!("1")),
        Some(json!(1)),
        Some(json!("")),
        Some(json!(null)),
        Some(json!([true])),
        Some(json!({ "verified": true })),
        Some(json!(["true"])),
    ]
}

fn with_verified(token: TokenBuilder, value: &Option<Value>) -> TokenBuilder {
    match value {
        Some(value) => token.claim("email_verified", value.clone()),
        None => token.without("email_verified"),
    }
}

#[tokio::test]
async fn only_true_and_the_text_true_mean_verified() {
    let server = TestServer::start().await;
    server.user("alice").await;
    for value in unverified() {
        let token = with_verified(server.pool.token("alice"), &value).sign();
        assert_refused(&server, &format!("email_verified {value:?}"), &token, Refusal::EmailUnverified).await;
    }
    assert_eq!(entered(&server).await, 0);
    for (name, value) in [("anna", json!(true)), ("boris", json!("true"))] {
        server.user(name).await;
        me(&server, name, &server.pool.token(name).claim("email_verified", value).sign()).await;
    }
    assert_eq!(entered(&server).await, 2);
}

#[tokio::test]
async fn an_unverified_email_creates_nobody() {
    let server = creating().await;
    for value in unverified() {
        let token = with_verified(server.pool.token("alice"), &value).sign();
        assert_refused(&server, &format!("email_verified {value:?}"), &token, Refusal::EmailUnverified).await;
    }
    assert_eq!(server.number("SELECT count(*) FROM users").await, 0);
}

#[tokio::test]
async fn an_unverified_email_links_and_creates_where_the_operator_allows_it() {
    let server =
        TestServer::start_with(|config| (config.link_unverified_email, config.create_users) = (true, true)).await;
    for (n, value) in unverified().iter().enumerate() {
        let (known, new) = (format!("known{n}"), format!("new{n}"));
        let id = server.user(&known).await.id;
        let user = me(&server, &format!("{value:?}"), &with_verified(server.pool.token(&known), value).sign()).await;
        assert_eq!(user["id"], id, "email_verified {value:?}");
        me(&server, &format!("{value:?}"), &with_verified(server.pool.token(&new), value).sign()).await;
    }
}

#[tokio::test]
async fn the_case_of_ascii_letters_makes_no_difference() {
    for (stored, claimed) in [
        ("alice@example.com", "ALICE@EXAMPLE.COM"),
        ("Alice.Smith@Example.Com", "alice.smith@example.com"),
        ("aLICE@example.com", "Alice@Example.COM"),
        // What is not ASCII has to be the same letter.
        ("żółć@example.com", "żółć@EXAMPLE.com"),
    ] {
        let server = TestServer::start().await;
        let id = server.user_with("alice", |new| new.email = stored.to_owned()).await.id;
        let user = me(&server, claimed, &server.pool.token("alice").claim("email", claimed).sign()).await;
        assert_eq!((user["id"].as_i64(), user["email"].as_str()), (Some(id), Some(stored)), "{claimed}");
    }
}

/// Addresses that somebody might take for another: what is stored, what is claimed, and what is said.
const LOOK_ALIKES: [(&str, &str, Refusal); 22] = [
    ("kris@example.com", "\u{212a}ris@example.com", Refusal::EmailAmbiguous), // Kelvin sign
    ("\u{212a}ris@example.com", "kris@example.com", Refusal::EmailAmbiguous),
    ("\u{212a}ris@example.com", "KRIS@example.com", Refusal::EmailAmbiguous),
    ("\u{e5}sa@example.com", "\u{212b}sa@example.com", Refusal::EmailAmbiguous), // Angstrom sign
    ("żółć@example.com", "Żółć@example.com", Refusal::EmailAmbiguous),
    ("kris@example.com", "kr\u{131}s@example.com", Refusal::UserUnknown), // dotless i
    ("KRIS@example.com", "kr\u{131}s@example.com", Refusal::UserUnknown),
    ("kr\u{131}s@example.com", "KRIS@example.com", Refusal::UserUnknown),
    ("kris@example.com", "KR\u{130}S@example.com", Refusal::UserUnknown), // capital i with a dot
    ("kris@example.com", "kri\u{17f}@example.com", Refusal::UserUnknown), // long s
    ("kri\u{17f}@example.com", "KRIS@example.com", Refusal::UserUnknown),
    ("strasse@example.com", "stra\u{df}e@example.com", Refusal::UserUnknown), // sharp s
    ("office@example.com", "o\u{fb03}ce@example.com", Refusal::UserUnknown),  // ligature
    ("alice@example.com", "\u{430}lice@example.com", Refusal::UserUnknown),   // Cyrillic a
    ("alice@example.com", "\u{391}lice@example.com", Refusal::UserUnknown),   // Greek Alpha
    ("alice@example.com", "\u{ff41}lice@example.com", Refusal::UserUnknown),  // full width
    ("alice@example.com", "alice@ex\u{430}mple.com", Refusal::UserUnknown),
    ("alice@example.com", "alice\u{ff20}example.com", Refusal::UserUnknown), // full-width @
    ("alice@example.com", "alice\u{200b}@example.com", Refusal::UserUnknown), // zero width
    ("jos\u{e9}@example.com", "jose\u{301}@example.com", Refusal::UserUnknown), // the same letter in two characters
    ("alice@example.com", "alice+x@example.com", Refusal::UserUnknown),
    ("alice@example.com", "a.lice@example.com", Refusal::UserUnknown),
];

#[tokio::test]
async fn a_look_alike_address_is_never_another_persons_account() {
    for create_users in [false, true] {
        for (stored, claimed, refusal) in LOOK_ALIKES {
            let server = TestServer::start_with(|config| config.create_users = create_users).await;
            let owner = server.user_with("owner", |new| new.email = stored.to_owned()).await;
            let what = format!("{claimed:?} for {stored:?}");
            let token = server.pool.token("stranger").claim("email", claimed).sign();
            if create_users && refusal == Refusal::UserUnknown {
                // A stranger may get an account of their own, or none where that is no address.
                let answer = server.get("/me/", &token).await;
                assert!(answer.status == 401 || answer.json()["id"] != owner.id, "{what}: {}", answer.text());
            } else {
                assert_refused(&server, &what, &token, refusal).await;
            }
            let stolen =
                server.number("SELECT count(*) FROM users WHERE username = 'owner' AND cognito_sub IS NOT NULL").await;
            assert_eq!(stolen, 0, "{what}");
            // And the owner still gets in.
            let own = me(&server, &what, &server.pool.token("owner").claim("email", stored).sign()).await;
            assert_eq!(own["id"], owner.id, "{what}");
        }
    }
}

#[tokio::test]
async fn an_email_that_is_none_is_nobodys() {
    for create_users in [false, true] {
        let server = TestServer::start_with(|config| config.create_users = create_users).await;
        server.user("alice").await;
        server.user_with("nameless", |new| new.email = String::new()).await;
        // Without an e-mail there is nobody to look for; what is no address finds nobody and creates nobody.
        let nobody = if create_users { Refusal::ClaimInvalid } else { Refusal::UserUnknown };
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            " alice@example.com",
            "alice@example.com ",
            "\talice@example.com",
            "alice@example.com\n",
            "alice@example.com\0",
            "\u{a0}alice@example.com",
            "alice@example.com\u{2003}",
            "alice @example.com",
            "alice@example.com,bob@example.com",
            "alice@example.com;bob@example.com",
            "<alice@example.com>\n",
            "alice@example.com@example.com",
            "alice",
            "@",
            "alice@",
            "@example.com",
            " ",
            "%",
            long.as_str(),
        ] {
            let token = server.pool.token("x").claim("email", text).sign();
            assert_refused(&server, &format!("email {text:?}"), &token, nobody).await;
        }
        for value in [
            json!(["alice@example.com"]),
            json!([]),
            json!(null),
            json!(1),
            json!(true),
            json!({ "email": "alice@example.com" }),
        ] {
            let token = server.pool.token("y").claim("email", value.clone()).sign();
            assert_refused(&server, &format!("email {value}"), &token, Refusal::ClaimInvalid).await;
        }
        assert_refused(&server, "empty", &server.pool.token("y").claim("email", "").sign(), Refusal::EmailMissing)
            .await;
        assert_refused(&server, "none", &server.pool.token("y").without("email").sign(), Refusal::EmailMissing).await;
        let entered = "SELECT count(*) FROM users WHERE cognito_sub IS NOT NULL AND username IN ('alice', 'nameless')";
        assert_eq!(server.number(entered).await, 0);
    }
}

#[tokio::test]
async fn once_linked_the_sub_alone_decides() {
    let server = creating().await;
    let alice = server.user("alice").await;
    server.user("bob").await;
    let token = || server.pool.token("alice");
    me(&server, "the first token", &token().sign()).await;
    for (what, token) in [
        ("a new e-mail", token().claim("email", "alice@elsewhere.example")),
        ("an unverified one", token().claim("email", "alice@elsewhere.example").claim("email_verified", false)),
        ("another person's e-mail", token().claim("email", "bob@example.com")),
        ("no e-mail", token().without("email").without("email_verified")),
        ("an empty one", token().claim("email", "")),
        ("another name in the pool", token().claim("cognito:username", "bob")),
    ] {
        let user = me(&server, what, &token.sign()).await;
        assert_eq!(
            (user["id"].as_i64(), user["email"].as_str()),
            (Some(alice.id), Some("alice@example.com")),
            "{what}"
        );
    }
    assert_eq!((entered(&server).await, server.number("SELECT count(*) FROM users").await), (1, 2));
    // Even after the local e-mail was changed and given to somebody else.
    server
        .sql("UPDATE users SET email = 'new@example.com', email_key = 'new@example.com' WHERE username = 'alice'")
        .await;
    let carol = server.user_with("carol", |new| new.email = "alice@example.com".to_owned()).await;
    assert_eq!(me(&server, "by sub", &token().sign()).await["id"], alice.id);
    assert_ne!(carol.id, alice.id);
}

#[tokio::test]
async fn another_cognito_user_with_the_same_email_is_refused() {
    for create_users in [false, true] {
        let server = TestServer::start_with(|config| config.create_users = create_users).await;
        server.user("alice").await;
        me(&server, "the first", &server.pool.token("alice").sign()).await;
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
        assert_eq!(server.number("SELECT count(*) FROM users").await, 1);
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
    me(&server, "while active", &server.pool.token("linked").sign()).await;
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
    assert_eq!((entered(&server).await, server.number("SELECT count(*) FROM users").await), (1, 2));
}

#[tokio::test]
async fn an_unknown_user_is_refused_unless_users_are_created() {
    let server = TestServer::start().await;
    assert_refused(&server, "unknown", &server.pool.token("alice").sign(), Refusal::UserUnknown).await;
    assert_eq!(server.number("SELECT count(*) FROM users").await, 0);

    let server = creating().await;
    let user = me(&server, "created", &server.pool.token("alice").sign()).await;
    let expected = json!({
        "id": 1, "username": "alice", "email": "alice@example.com", "first_name": "", "last_name": "",
        "is_staff": false, "is_superuser": false,
    });
    assert_eq!(user, expected);
    let row = "SELECT count(*) FROM users WHERE origin = 'first_token' AND is_active AND password IS NULL \
               AND cognito_sub = 'sub-of-alice' AND cognito_issuer LIKE 'https://cognito-idp.%' AND linked_at IS NOT NULL";
    assert_eq!(server.number(row).await, 1);
    let history = "SELECT count(*) FROM history WHERE source = 'first_token' AND action = 'created' AND model = 'user' \
                   AND object = 'alice' AND actor_id IS NULL AND changes LIKE '%\"email\":[\"\",\"alice@example.com\"]%' \
                   AND changes LIKE '%\"cognito_sub\":[null,\"sub-of-alice\"]%'";
    assert_eq!((server.number(history).await, server.number("SELECT count(*) FROM history").await), (1, 1));
    // Afterwards the same user is found, not another one created.
    assert_eq!(me(&server, "again", &server.pool.token("alice").claim("email", "x@example.com").sign()).await["id"], 1);
}

#[tokio::test]
async fn the_origin_says_where_a_user_came_from_and_linking_does_not_change_it() {
    let server = creating().await;
    server.user("old").await;
    me(&server, "linked", &server.pool.token("old").sign()).await;
    me(&server, "created", &server.pool.token("new").sign()).await;
    let origins = "SELECT count(*) FROM users WHERE (username, origin) IN (VALUES ('old', 'command_line'), ('new', 'first_token'))";
    assert_eq!(server.number(origins).await, 2);
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
    assert_eq!((entered(&server).await, server.number("SELECT count(*) FROM users").await), (2, 2));
    assert_eq!(server.number("SELECT count(*) FROM history WHERE source = 'first_token'").await, 2);
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
        assert_eq!((entered(&server).await, server.number("SELECT count(*) FROM users").await), (1, 1));
    }
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
        let user =
            me(&server, &format!("{name:?}"), &token.claim("email", format!("user{n}@example.com")).sign()).await;
        assert_eq!(user["username"], if expected == "sub" { own_sub.as_str() } else { expected }, "{name:?}");
    }
    let nameless = server.pool.token("nameless").without("cognito:username").sign();
    assert_eq!(me(&server, "no name", &nameless).await["username"], "sub-of-nameless");
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
    let user = me(&server, "alice", &server.pool.token("alice").sign()).await;
    assert_eq!(
        (user["username"].as_str(), user["email"].as_str()),
        (Some("sub-of-alice-3"), Some("alice@example.com"))
    );
    // A sub that could be no username, which Cognito never gives, makes no half a user either.
    let strange = server.pool.token("bob").claim("sub", "a|b").claim("cognito:username", "b o b").sign();
    assert_refused(&server, "a strange sub", &strange, Refusal::ClaimInvalid).await;
    let named = server.pool.token("bob").claim("sub", "a|b").sign();
    assert_eq!(me(&server, "a strange sub and a good name", &named).await["username"], "bob");
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
        assert_eq!((entered(&server).await, server.number("SELECT count(*) FROM users").await), (0, 1));

        assert_eq!(me(&server, "the ID token", &server.pool.token("alice").sign()).await["id"], alice.id);
        assert_eq!(me(&server, "linked", &access().sign()).await["id"], alice.id);
        assert_eq!(me(&server, "linked, with an e-mail", &with_email).await["id"], alice.id);
        // A name is no proof of anything.
        let named = server.pool.access_token("alice").claim("sub", "another").sign();
        assert_refused(&server, "another sub of the same name", &named, Refusal::EmailMissing).await;
    }
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
        let user = me(&server, what, &token.sign()).await;
        assert_eq!((&user["is_staff"], &user["is_superuser"]), (&json!(false), &json!(false)), "{what}");
    }
    assert_eq!(
        server.number("SELECT count(*) FROM users WHERE is_staff OR is_superuser OR password IS NOT NULL").await,
        0
    );
    // Nor does a claim take away what the staff gave.
    server.user_with("boss", |new| (new.is_staff, new.is_superuser) = (true, true)).await;
    let boss = me(
        &server,
        "boss",
        &server.pool.token("boss").claim("is_staff", false).claim("cognito:groups", json!([])).sign(),
    )
    .await;
    assert_eq!((&boss["is_staff"], &boss["is_superuser"]), (&json!(true), &json!(true)));
}

/// Has each visit that is written leave a row.
#[cfg(not(feature = "postgres"))]
const VISITS_ARE_NOTED: &str = "CREATE TABLE visits (user_id INTEGER);
    CREATE TRIGGER visit AFTER UPDATE OF last_seen_at ON users BEGIN INSERT INTO visits VALUES (new.id); END;";
#[cfg(feature = "postgres")]
const VISITS_ARE_NOTED: &str = "CREATE TABLE visits (user_id BIGINT);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO visits VALUES (new.id); RETURN NULL; END';
    CREATE TRIGGER visit AFTER UPDATE OF last_seen_at ON users FOR EACH ROW EXECUTE FUNCTION note();";

#[tokio::test]
async fn the_time_of_the_last_visit_is_written_once_a_minute() {
    let server = TestServer::start().await;
    server.user("alice").await;
    server.user("bob").await;
    server.sql(VISITS_ARE_NOTED).await;
    const VISITS: &str = "SELECT count(*) FROM visits WHERE user_id = 1";
    let (alice, bob) = (server.pool.token("alice").sign(), server.pool.token("bob").sign());
    assert_accepted(&server, "alice", &alice).await;
    eventually("the first visit is written", async || server.number(VISITS).await == 1).await;
    let lately =
        format!("SELECT count(*) FROM users WHERE id = 1 AND last_seen_at BETWEEN {} AND {}", ago(60), ago(-60));
    assert_eq!(server.number(&lately).await, 1);
    for _ in 0..10 {
        assert_accepted(&server, "alice again", &alice).await;
    }
    // Writes are made in their order: when one for Bob that was caused later is there, any for Alice would be.
    assert_accepted(&server, "bob", &bob).await;
    eventually("Bob's visit is written", async || {
        server.number("SELECT count(*) FROM visits WHERE user_id = 2").await == 1
    })
    .await;
    assert_eq!(server.number(VISITS).await, 1);
    server.sql(format!("UPDATE users SET last_seen_at = {} WHERE id = 1; DELETE FROM visits", ago(120))).await;
    assert_accepted(&server, "alice, later", &alice).await;
    eventually("the later visit is written", async || server.number(VISITS).await == 1).await;
    // A visit is no change of the user.
    assert_eq!(server.number("SELECT count(*) FROM history WHERE changes LIKE '%last_seen%'").await, 0);
}

#[tokio::test]
async fn a_refused_visitor_leaves_no_trace() {
    let server = creating().await;
    server.user("alice").await;
    let history = server.number("SELECT count(*) FROM history").await;
    for (what, token, refusal) in [
        ("unverified", server.pool.token("alice").claim("email_verified", false), Refusal::EmailUnverified),
        ("expired", server.pool.token("alice").claim("exp", 1), Refusal::TokenExpired),
        (
            "look-alike",
            server.pool.token("x").claim("email", "al\u{131}ce@example.com").claim("email_verified", false),
            Refusal::EmailUnverified,
        ),
    ] {
        assert_refused(&server, what, &token.sign(), refusal).await;
    }
    assert_eq!((entered(&server).await, server.number("SELECT count(*) FROM users").await), (0, 1));
    assert_eq!(server.number("SELECT count(*) FROM history").await, history);
    assert_eq!(server.number("SELECT count(*) FROM users WHERE last_seen_at IS NOT NULL").await, 0);
}
