//! Which e-mail decides: verified ones, and no look-alikes.

use gatepost::cognito::Refusal;
use serde_json::{Value, json};

use super::{creating, entered};
use crate::cognito::tokens::assert_refused;
use crate::harness::TestServer;
use crate::harness::pool::TokenBuilder;

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
        server.me(&server.pool.token(name).claim("email_verified", value).sign()).await;
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
    assert_eq!(server.count("users").await, 0);
}

#[tokio::test]
async fn an_unverified_email_links_and_creates_where_the_operator_allows_it() {
    let server =
        TestServer::start_with(|config| (config.link_unverified_email, config.create_users) = (true, true)).await;
    for (n, value) in unverified().iter().enumerate() {
        let (known, new) = (format!("known{n}"), format!("new{n}"));
        let id = server.user(&known).await.id;
        let user = server.me(&with_verified(server.pool.token(&known), value).sign()).await;
        assert_eq!(user["id"], id, "email_verified {value:?}");
        server.me(&with_verified(server.pool.token(&new), value).sign()).await;
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
        let user = server.me(&server.pool.token("alice").claim("email", claimed).sign()).await;
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
            let stolen = server.count("users WHERE username = 'owner' AND cognito_sub IS NOT NULL").await;
            assert_eq!(stolen, 0, "{what}");
            // And the owner still gets in.
            let own = server.me(&server.pool.token("owner").claim("email", stored).sign()).await;
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
        let entered = "users WHERE cognito_sub IS NOT NULL AND username IN ('alice', 'nameless')";
        assert_eq!(server.count(entered).await, 0);
    }
}

#[tokio::test]
async fn both_spellings_of_an_international_domain_are_one_address() {
    let spellings = [
        "kim@b\u{fc}cher.example",
        "Kim@B\u{dc}CHER.example",
        "kim@bu\u{308}cher.example",
        "kim@xn--bcher-kva.example",
        "kim@XN--BCHER-KVA.EXAMPLE",
    ];
    for stored in spellings {
        for claimed in spellings {
            let server = TestServer::start().await;
            let id = server.user_with("kim", |new| new.email = stored.to_owned()).await.id;
            let user = server.me(&server.pool.token("kim").claim("email", claimed).sign()).await;
            assert_eq!((user["id"].as_i64(), user["email"].as_str()), (Some(id), Some(stored)), "{claimed}");
        }
    }
}

#[tokio::test]
async fn a_domain_that_is_only_mapped_to_a_users_one_is_ambiguous() {
    let server = TestServer::start().await;
    server.user_with("kim", |new| new.email = "kim@example.com".to_owned()).await;
    for claimed in ["kim@\u{ff45}xample.com", "kim@exam\u{ad}ple.com", "kim@example\u{3002}com"] {
        let token = server.pool.token("stranger").claim("email", claimed).sign();
        assert_refused(&server, &format!("{claimed:?}"), &token, Refusal::EmailAmbiguous).await;
    }
}
