//! The codes of refusals: each can be met, each is its own, each is explained.

use std::collections::HashSet;

use gatepost::cognito::Refusal;
use gatepost::cognito::user_pool::TokenUse;
use gatepost::error::{MetricsRefusal, SignInRefusal, TriggerRefusal};
use serde_json::json;

use super::assert_refusal;
use crate::harness::client::Answer;
use crate::harness::pool::{MACHINE, TestKey};
use crate::harness::{TestServer, skip};

/// A server, and a token that it refuses for this reason. There is no arm for the rest: a new refusal has to be
/// added here. Two lie not in the token: it is none, and a good one for which no key can be had.
pub async fn refused(refusal: Refusal) -> (TestServer, String) {
    let server = match refusal {
        Refusal::AccessTokenWanted => TestServer::start_with(|config| config.token_use = TokenUse::Access).await,
        Refusal::KeysUnavailable => TestServer::without_keys(|_| {}).await,
        Refusal::ServiceAccountUnknown | Refusal::ServiceAccountInactive => {
            TestServer::with_resource_server(|_| {}).await
        }
        _ => TestServer::start().await,
    };
    server.user("kate").await;
    let token = || server.pool.token("kate");
    let token = match refusal {
        Refusal::NoToken | Refusal::AuthorizationInvalid => String::new(),
        Refusal::TokenTooLarge => token().claim("custom:note", "x".repeat(20_000)).sign(),
        Refusal::TokenMalformed => "x".to_owned(),
        Refusal::AlgorithmNotAllowed => token().header("alg", "none").sign(),
        Refusal::HeaderNotSupported => token().header("crit", json!(["x"])).sign(),
        Refusal::KeyIdInvalid => token().without_header("kid").sign(),
        Refusal::KeyUnknown => token().key(&TestKey::nth(2)).sign(),
        Refusal::SignatureInvalid => token().signed_by(&TestKey::nth(2)).sign(),
        Refusal::ClaimInvalid => token().without("exp").sign(),
        Refusal::IssuerNotAccepted => token().claim("iss", "https://example.com").sign(),
        Refusal::IdTokenWanted => server.pool.access_token("kate").sign(),
        Refusal::AccessTokenWanted | Refusal::KeysUnavailable => token().sign(),
        Refusal::TokenUseInvalid => token().claim("token_use", "refresh").sign(),
        Refusal::ClientNotAccepted => token().claim("aud", "another").sign(),
        Refusal::TokenExpired => token().claim("exp", 1).sign(),
        Refusal::TokenNotYetValid => token().claim("nbf", 4_000_000_000_i64).sign(),
        Refusal::EmailMissing => token().without("email").sign(),
        Refusal::EmailUnverified => token().claim("email_verified", false).sign(),
        // The sign for kelvin, whose small letter is the k.
        Refusal::EmailAmbiguous => token().claim("email", "\u{212a}ate@example.com").sign(),
        Refusal::EmailLinked => {
            server.get("/me/", &token().sign()).await;
            token().claim("sub", "another").sign()
        }
        Refusal::UserUnknown => server.pool.token("nobody").sign(),
        Refusal::UserInactive => {
            server.sql("UPDATE users SET is_active = FALSE").await;
            token().sign()
        }
        Refusal::ResourceServerUnset | Refusal::ServiceAccountUnknown => {
            server.pool.machine_token(MACHINE, "articles/read").sign()
        }
        Refusal::ServiceAccountInactive => {
            server.service_account("nightly", MACHINE, &[]).await;
            server.sql("UPDATE service_accounts SET is_active = FALSE").await;
            server.pool.machine_token(MACHINE, "articles/read").sign()
        }
    };
    (server, token)
}

/// Does what leads to this refusal.
async fn provoke(refusal: Refusal) -> Answer {
    let (server, token) = refused(refusal).await;
    match refusal {
        Refusal::NoToken => server.fetch("/me/").await,
        Refusal::AuthorizationInvalid => server.call("GET", "/me/").header("authorization", "Basic x").send().await,
        _ => server.get("/me/", &token).await,
    }
}

#[tokio::test]
async fn each_refusal_can_be_met() {
    for refusal in Refusal::ALL.iter().copied() {
        let answer = provoke(refusal).await;
        if refusal == Refusal::KeysUnavailable {
            // Not the caller's fault, and no token would help.
            assert_eq!((answer.status, answer.code().as_str()), (503, refusal.code()));
            assert_eq!((answer.header("retry-after"), answer.header("www-authenticate")), ("5", ""));
        } else {
            assert_refusal(refusal.code(), &answer, refusal);
        }
    }
}

#[test]
fn each_refusal_has_a_code_and_a_sentence_of_its_own() {
    let sets: [Vec<(&str, &str)>; 4] = [
        Refusal::ALL.iter().map(|refusal| (refusal.code(), refusal.detail())).collect(),
        TriggerRefusal::ALL.iter().map(|refusal| (refusal.code(), refusal.detail())).collect(),
        MetricsRefusal::ALL.iter().map(|refusal| (refusal.code(), refusal.detail())).collect(),
        SignInRefusal::ALL.iter().map(|refusal| (refusal.code(), refusal.detail())).collect(),
    ];
    for set in sets {
        let codes: HashSet<&str> = set.iter().map(|(code, _)| *code).collect();
        let details: HashSet<&str> = set.iter().map(|(_, detail)| *detail).collect();
        assert_eq!((codes.len(), details.len()), (set.len(), set.len()));
        for code in codes {
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
        }
    }
}

#[test]
fn the_table_of_codes_explains_each_refusal() {
    let Ok(document) = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors.md")) else {
        return skip("the_table_of_codes_explains_each_refusal", "docs/errors.md");
    };
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let explained: HashSet<&str> = rows.map(|(code, _)| code).collect();
    let codes: HashSet<&str> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
    assert_eq!(explained, codes);
}

#[test]
fn the_documentation_names_every_other_code() {
    let (errors, trigger) =
        (include_str!("../../../../docs/errors.md"), include_str!("../../../../docs/post-confirmation.md"));
    let (_, code) = include_str!("../../../../src/error/mod.rs").split_once("fn status_and_code(").expect("the codes");
    let (code, _) = code.split_once("\n    }\n").expect("their end");
    let codes: Vec<&str> = code.split(", \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(codes.len() > 10, "{codes:?}");
    // This one is a redirect.
    for code in codes.into_iter().filter(|code| *code != "sign_in_required") {
        assert!(errors.contains(&format!("| `{code}` |")), "{code}");
    }
    for code in MetricsRefusal::ALL.iter().map(|refusal| refusal.code()) {
        assert!(errors.contains(&format!("`{code}`")), "{code}");
    }
    for code in SignInRefusal::ALL.iter().map(|refusal| refusal.code()) {
        assert!(include_str!("../../../../docs/admin.md").contains(&format!("| `{code}` |")), "{code}");
    }
    for code in TriggerRefusal::ALL.iter().map(|refusal| refusal.code()) {
        assert!(trigger.contains(&format!("`{code}`")), "{code}");
    }
}
