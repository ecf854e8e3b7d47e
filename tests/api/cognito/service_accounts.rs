//! Machine clients: what their tokens open, what each refusal says, and that they are never taken for users.

use gatepost::cognito::Refusal;
use gatepost::cognito::user_pool::TokenUse;
use serde_json::json;

use super::tokens::{assert_refusal, assert_says_nothing_of};
use crate::harness::client::Answer;
use crate::harness::html::unescape;
use crate::harness::pool::{CLIENT_ID, ISSUER, MACHINE, TestKey, now};
use crate::harness::{TestServer, ago, assert_has, eventually};

const READ: &str = "articles/read";
const WRITE: &str = "articles/write";
const ALL: &[&str] =
    &["articles.view_article", "articles.add_article", "articles.change_article", "articles.delete_article"];

/// A server with the service account `Nightly import` for [`MACHINE`].
async fn server_with(permissions: &[&str]) -> TestServer {
    let server = TestServer::with_resource_server(|_| {}).await;
    server.service_account("Nightly import", MACHINE, permissions).await;
    server
}

impl TestServer {
    fn machine(&self, scope: &str) -> String {
        self.pool.machine_token(MACHINE, scope).sign()
    }
}

#[track_caller]
fn assert_scope_missing(case: &str, answer: &Answer, scope: &str) {
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
    assert_eq!((answer.status, answer.header("www-authenticate")), (403, challenge.as_str()), "{case}");
    if !answer.body.is_empty() {
        let detail = format!("The token needs the scope {scope}.");
        assert_eq!(answer.json(), json!({ "detail": detail, "code": "insufficient_scope" }), "{case}");
    }
}

#[track_caller]
fn assert_denied(case: &str, answer: &Answer) {
    assert_eq!((answer.status, answer.header("www-authenticate")), (403, ""), "{case}");
    if !answer.body.is_empty() {
        let detail = "You do not have permission to perform this action.";
        assert_eq!(answer.json(), json!({ "detail": detail, "code": "permission_denied" }), "{case}");
    }
}

#[tokio::test]
async fn each_method_takes_its_permission_and_its_scope() {
    let rows = [
        ("GET", "/articles/", "", "view", READ, 200),
        ("HEAD", "/articles/", "", "view", READ, 200),
        ("GET", "/articles/1/", "", "view", READ, 200),
        ("HEAD", "/articles/1/", "", "view", READ, 200),
        ("POST", "/articles/", r#"{"name":"new"}"#, "add", WRITE, 201),
        ("PUT", "/articles/1/", r#"{"name":"put"}"#, "change", WRITE, 200),
        ("PATCH", "/articles/1/", r#"{"name":"patched"}"#, "change", WRITE, 200),
        ("DELETE", "/articles/1/", "", "delete", WRITE, 204),
    ];
    let server = server_with(&[]).await;
    server.articles(&["one"]).await;
    for (method, path, body, verb, scope, status) in rows {
        let case = format!("{method} {path}");
        let other_scope = if scope == READ { WRITE } else { READ };
        let others = format!("permission NOT LIKE 'articles.{verb}%'");
        let call = async |scopes: &str| server.change(method, path, &server.machine(scopes), body).send().await;

        server.sql("DELETE FROM service_account_permissions").await;
        for permission in ALL {
            server.sql(format!("INSERT INTO service_account_permissions VALUES (1, '{permission}')")).await;
        }
        assert_scope_missing(&case, &call(other_scope).await, scope);
        assert_scope_missing(&case, &call("").await, scope);
        server.sql(format!("DELETE FROM service_account_permissions WHERE NOT ({others})")).await;
        assert_denied(&case, &call(&format!("{READ} {WRITE}")).await);
        server.sql("DELETE FROM service_account_permissions").await;
        assert_denied(&case, &call(scope).await);
        server.sql(format!("INSERT INTO service_account_permissions VALUES (1, 'articles.{verb}_article')")).await;
        assert_eq!(call(scope).await.status, status, "{case}");
    }
}

#[tokio::test]
async fn options_reads_and_an_unknown_method_writes() {
    let server = server_with(&[]).await;
    let (read, write) = (server.machine(READ), server.machine(WRITE));
    for path in ["/articles/", "/articles/1/"] {
        let answer = server.call("OPTIONS", path).token(&read).send().await;
        assert_eq!(answer.status, 200);
        assert_has(answer.header("allow"), &["GET", "OPTIONS"]);
        assert_scope_missing(path, &server.call("OPTIONS", path).token(&write).send().await, READ);
        assert_scope_missing(path, &server.call("FOO", path).token(&read).send().await, WRITE);
        assert_eq!(server.call("FOO", path).token(&write).status().await, 405);
    }
}

#[tokio::test]
async fn a_scope_counts_only_if_it_is_the_very_one() {
    let server = server_with(ALL).await;
    for scope in [
        "",
        " ",
        "articles",
        "articles/",
        "articles/rea",
        "articles/readx",
        "articles/read/",
        "xarticles/read",
        "Articles/read",
        "articles/READ",
        "other/read",
        "articles%2Fread",
        "articles/read,articles/write",
        "articles/read\tarticles/write",
        "articles/read\u{a0}articles/write",
        "articles/*",
        "aws.cognito.signin.user.admin openid",
        // Whoever may write may not read for that reason.
        WRITE,
    ] {
        let answer = server.get("/articles/", &server.machine(scope)).await;
        assert_scope_missing(scope, &answer, READ);
    }
    for value in [json!([READ]), json!({ READ: true }), json!(1), json!(null)] {
        let token = server.pool.machine_token(MACHINE, "").claim("scope", value.clone()).sign();
        assert_scope_missing(&value.to_string(), &server.get("/articles/", &token).await, READ);
    }
    let without = server.pool.machine_token(MACHINE, "").without("scope").sign();
    assert_scope_missing("no claim", &server.get("/articles/", &without).await, READ);
    for scope in [READ, "other/read articles/read", "articles/read articles/write", "x  articles/read "] {
        assert_eq!(server.get("/articles/", &server.machine(scope)).await.status, 200, "{scope:?}");
    }
}

#[tokio::test]
async fn a_machine_has_no_id_token_so_the_accepted_kind_does_not_matter() {
    for token_use in [TokenUse::Id, TokenUse::Access, TokenUse::Any] {
        let server = TestServer::with_resource_server(|config| config.token_use = token_use).await;
        server.service_account("Nightly import", MACHINE, ALL).await;
        assert_eq!(server.get("/articles/", &server.machine(READ)).await.status, 200, "{token_use:?}");
    }
}

#[tokio::test]
async fn without_a_resource_server_no_machine_is_let_in() {
    let server = TestServer::start().await;
    server.service_account("Nightly import", MACHINE, ALL).await;
    for scope in [READ, "/read", "read", "aws.cognito.signin.user.admin"] {
        let answer = server.get("/articles/", &server.machine(scope)).await;
        assert_refusal(scope, &answer, Refusal::ResourceServerUnset);
        assert_has(&answer.text(), &["COGNITO_RESOURCE_SERVER"]);
    }
}

#[tokio::test]
async fn only_registered_active_accounts_are_let_in_and_a_change_counts_at_once() {
    let server = TestServer::with_resource_server(|_| {}).await;
    let token = server.machine(READ);
    // The same token each time: it is verified once, and then found in the cache.
    let refused = async |why: Refusal| {
        let answer = server.get("/articles/", &token).await;
        assert_refusal("a machine", &answer, why);
        assert_says_nothing_of("a machine", &answer, &token);
    };
    refused(Refusal::ServiceAccountUnknown).await;
    server.service_account("Another", "4other", ALL).await;
    refused(Refusal::ServiceAccountUnknown).await;
    server.service_account("Nightly import", MACHINE, &["articles.view_article"]).await;
    assert_eq!(server.get("/articles/", &token).await.status, 200);
    server.sql("UPDATE service_accounts SET is_active = FALSE WHERE id = 2").await;
    refused(Refusal::ServiceAccountInactive).await;
    server.sql("UPDATE service_accounts SET is_active = TRUE").await;
    assert_eq!(server.get("/articles/", &token).await.status, 200);
    server.sql("DELETE FROM service_account_permissions WHERE account_id = 2").await;
    assert_denied("a permission that is gone", &server.get("/articles/", &token).await);
    for other in ["moved", &MACHINE.to_uppercase()] {
        server.sql(format!("UPDATE service_accounts SET client_id = '{other}' WHERE id = 2")).await;
        refused(Refusal::ServiceAccountUnknown).await;
    }
}

#[tokio::test]
async fn an_app_client_of_users_needs_an_account_as_any_other() {
    let server = TestServer::with_resource_server(|_| {}).await;
    let token = server.pool.machine_token(CLIENT_ID, READ).sign();
    assert_refusal("no account", &server.get("/articles/", &token).await, Refusal::ServiceAccountUnknown);
    server.service_account("The app itself", CLIENT_ID, ALL).await;
    assert_eq!(server.get("/articles/", &token).await.status, 200);
    // The users of that client stay users.
    let alice = server.alice().await;
    assert_eq!(server.me(&alice).await["username"], "alice");
}

#[tokio::test]
async fn users_are_not_held_to_scopes() {
    let server = TestServer::with_resource_server(|config| config.token_use = TokenUse::Any).await;
    let alice = server.alice().await;
    assert_eq!(server.me(&alice).await["username"], "alice");
    for scope in ["aws.cognito.signin.user.admin", "openid articles/none", "", READ] {
        let token = server.pool.access_token("alice").claim("scope", scope).sign();
        assert_eq!(server.post_article(&token, "mine").await.status, 201, "{scope:?}");
    }
}

#[tokio::test]
async fn a_token_with_a_username_is_a_users_whatever_its_sub() {
    let server = TestServer::with_resource_server(|config| config.token_use = TokenUse::Any).await;
    for client in [MACHINE, CLIENT_ID] {
        server.service_account(client, client, ALL).await;
    }
    let like_machine = |client: &str| server.pool.machine_token(client, &format!("{READ} {WRITE}"));
    for name in ["username", "cognito:username"] {
        for value in ["kate", ""] {
            let token = like_machine(MACHINE).claim(name, value).sign();
            assert_refusal(name, &server.get("/articles/", &token).await, Refusal::ClientNotAccepted);
            let token = like_machine(CLIENT_ID).claim(name, value).sign();
            assert_refusal(name, &server.get("/articles/", &token).await, Refusal::EmailMissing);
        }
    }
    // And one whose `sub` is not the client's id.
    let token = like_machine(CLIENT_ID).claim("sub", "sub-of-kate").sign();
    assert_refusal("another sub", &server.get("/articles/", &token).await, Refusal::EmailMissing);
    let id_token = like_machine(CLIENT_ID).claim("token_use", "id").claim("aud", CLIENT_ID).sign();
    assert_refusal("an ID token", &server.get("/articles/", &id_token).await, Refusal::EmailMissing);
    let no_use = like_machine(MACHINE).without("token_use").sign();
    assert_refusal("no token_use", &server.get("/articles/", &no_use).await, Refusal::TokenUseInvalid);
}

#[tokio::test]
async fn a_machine_token_is_verified_as_strictly_as_any_other() {
    let server = server_with(ALL).await;
    let token = || server.pool.machine_token(MACHINE, READ);
    for (case, token, refusal) in [
        ("another pool", token().claim("iss", "https://example.com"), Refusal::IssuerNotAccepted),
        ("expired", token().claim("exp", now() - 60), Refusal::TokenExpired),
        ("too early", token().claim("iat", now() + 3600), Refusal::TokenNotYetValid),
        ("another key", token().signed_by(&TestKey::nth(2)), Refusal::SignatureInvalid),
        ("an unknown key", token().key(&TestKey::nth(2)), Refusal::KeyUnknown),
        ("unsigned", token().header("alg", "none"), Refusal::AlgorithmNotAllowed),
        ("a list", token().claim("client_id", json!([MACHINE])), Refusal::ClaimInvalid),
    ] {
        assert_refusal(case, &server.get("/articles/", &token.sign()).await, refusal);
    }
}

#[tokio::test]
async fn a_machine_never_becomes_a_user() {
    let server = TestServer::with_resource_server(|config| {
        config.create_users = true;
        config.link_unverified_email = true;
        config.token_use = TokenUse::Any;
    })
    .await;
    let alice = server.alice().await;
    server.service_account("Nightly import", MACHINE, ALL).await;
    // What a pre token generation trigger can add.
    let token = server.pool.machine_token(MACHINE, READ).claim("email", "alice@example.com");
    let token = token.claim("email_verified", true).claim("cognito:groups", json!(["admins"])).sign();
    assert_eq!(server.get("/articles/", &token).await.status, 200);
    let answer = server.get("/me/", &token).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "user_required"));
    assert_eq!(answer.json()["detail"], "Only a user may do this, and the token stands for a service account.");
    assert_eq!(server.count("users").await, 1);
    assert_eq!(server.count("users WHERE cognito_sub IS NOT NULL").await, 0);
    let unknown = server.pool.machine_token("5unknown", READ).claim("email", "new@example.com").sign();
    assert_refusal("unknown", &server.get("/articles/", &unknown).await, Refusal::ServiceAccountUnknown);
    assert_eq!(server.count("users").await, 1);
    // Even if a user had the client's id as `sub`.
    server.sql(format!("UPDATE users SET cognito_issuer = '{ISSUER}', cognito_sub = '{MACHINE}'")).await;
    assert_eq!(server.get("/me/", &token).await.code(), "user_required");
    assert_eq!(server.get("/me/", &server.pool.token("x").claim("sub", MACHINE).sign()).await.status, 200);
    assert_eq!(server.get("/me/", &alice).await.code(), "email_linked");
}

#[tokio::test]
async fn a_machine_enters_neither_the_admin_nor_the_trigger() {
    let server = server_with(ALL).await;
    let token = server.machine(&format!("{READ} {WRITE}"));
    for path in ["/admin/", "/admin/articles/", "/admin/service_accounts/"] {
        let answer = server.get(path, &token).await;
        assert_eq!((answer.status, answer.body.len()), (302, 0), "{path}");
        assert_has(answer.header("location"), &["/admin/login/?next="]);
    }
    let event = server.call("POST", "/cognito/post-confirmation/").token(&token).json("{}").send().await;
    assert_eq!((event.status, event.code().as_str()), (403, "post_confirmation_disabled"));
    // Pages of the API are for the browser; a machine gets them, and no session.
    let page = server.call("GET", "/articles/").token(&token).header("accept", "text/html").send().await;
    assert_eq!((page.status, page.header("set-cookie")), (200, ""));
}

#[tokio::test]
async fn the_history_names_the_account_and_what_it_creates_belongs_to_nobody() {
    let server = server_with(ALL).await;
    // A user of the same number must not be taken for the account.
    let alice = server.alice().await;
    let token = server.machine(&format!("{READ} {WRITE}"));
    assert_eq!(server.post_article(&token, "by night").await.status, 201);
    assert_eq!(server.post_article(&alice, "by day").await.status, 201);
    assert_eq!(server.texts("SELECT name FROM articles WHERE created_by IS NULL").await, ["by night"]);
    // Its permission is for all articles, as that of staff.
    let change = server.change("PATCH", "/articles/2/", &token, r#"{"name":"at night"}"#);
    assert_eq!(change.status().await, 200);
    assert_eq!(server.change("DELETE", "/articles/1/", &token, "").status().await, 204);
    let entries = "SELECT concat_ws(' ', action, object, source) FROM history
        WHERE model = 'article' AND actor = 'Nightly import (service account)' AND actor_id IS NULL ORDER BY id";
    assert_eq!(server.texts(entries).await, ["created by night api", "changed at night api", "deleted by night api"]);
    let page = server.superuser().await.page("/admin/history/?q=service+account").await;
    assert_has(&page, &["Nightly import (service account)"]);
}

#[tokio::test]
async fn an_account_that_may_not_change_articles_does_not_learn_which_there_are() {
    let server = server_with(&["articles.add_article"]).await;
    server.articles(&["one"]).await;
    let token = server.machine(&format!("{READ} {WRITE}"));
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        for path in ["/articles/1/", "/articles/99/"] {
            let body = if method == "PUT" || method == "PATCH" { r#"{"name":"x"}"# } else { "" };
            assert_denied(method, &server.change(method, path, &token, body).send().await);
        }
    }
    assert_eq!(server.count("articles WHERE name = 'one'").await, 1);
}

#[tokio::test]
async fn the_last_visit_is_written_once_a_minute() {
    let server = server_with(&["articles.view_article"]).await;
    let token = server.machine(READ);
    let seen = format!("service_accounts WHERE last_seen_at BETWEEN {} AND {}", ago(60), ago(-60));
    assert_eq!(server.get("/articles/", &token).await.status, 200);
    eventually("the visit is written", async || server.count(&seen).await == 1).await;
    let earlier = ago(30);
    server.sql(format!("UPDATE service_accounts SET last_seen_at = {earlier}")).await;
    assert_eq!(server.get("/articles/", &token).await.status, 200);
    // Writes are made in their order: when Alice's visit is there, another of the account's would be.
    let alice = server.alice().await;
    server.me(&alice).await;
    eventually("hers is", async || server.count("users WHERE last_seen_at IS NOT NULL").await == 1).await;
    assert_eq!(server.count(&format!("service_accounts WHERE last_seen_at = {earlier}")).await, 1);
    server.sql(format!("UPDATE service_accounts SET last_seen_at = {}", ago(120))).await;
    assert_eq!(server.get("/articles/", &token).await.status, 200);
    eventually("the later visit is written", async || server.count(&seen).await == 1).await;
    assert_eq!(server.count("history WHERE changes LIKE '%last_seen%'").await, 0);
}

#[tokio::test]
async fn an_account_has_a_bucket_of_its_own_beside_a_user_of_the_same_number() {
    let server = TestServer::with_resource_server(|config| config.rate_limit_user = "3/h".parse().ok()).await;
    server.service_account("Nightly import", MACHINE, ALL).await;
    let (alice, token) = (server.alice().await, server.machine(READ));
    assert_eq!(server.number("SELECT min(id) FROM users").await, 1);
    for _ in 0..3 {
        assert_eq!(server.get("/articles/", &token).await.status, 200);
    }
    assert_eq!(server.get("/articles/", &token).await.status, 429);
    // Another token of the account is the account's, and what is refused with 403 counts, too.
    assert_eq!(server.get("/articles/", &server.machine(WRITE)).await.status, 429);
    assert_eq!(server.get("/me/", &token).await.status, 429);
    for _ in 0..3 {
        assert_eq!(server.get("/articles/", &alice).await.status, 200);
    }
    assert_eq!(server.get("/articles/", &alice).await.status, 429);
}

#[tokio::test]
async fn the_inspector_says_what_a_machine_may_do_and_changes_nothing() {
    let server = server_with(&["articles.view_article", "articles.add_article"]).await;
    server.service_account("Idle", "4idle", &[]).await;
    let mut root = server.superuser().await;
    let mut inspect = async |token: &str| unescape(&root.post("/admin/inspector/", &[("token", token)]).await.text());
    let both = server.machine(&format!("{READ} {WRITE}"));
    let page = inspect(&both).await;
    assert_has(
        &page,
        &["Service account: Nightly import (service account 1): articles.add_article, articles.view_article"],
    );
    let page = inspect(&server.machine(READ)).await;
    let line = "Nightly import (service account 1): articles.view_article, not articles.add_article without the scope articles/write";
    assert_has(&page, &[line]);
    let page = inspect(&server.pool.machine_token("4idle", READ).sign()).await;
    assert_has(&page, &["Idle (service account 2), which has no permissions yet"]);
    let page = inspect(&server.pool.machine_token("5unknown", READ).sign()).await;
    assert_has(&page, &["service_account_unknown", "under \"Service accounts\" in the admin"]);
    assert_eq!(server.count("service_accounts WHERE last_seen_at IS NOT NULL").await, 0);
}
