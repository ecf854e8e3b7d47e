//! The local user pool, for development.

use actix_web::cookie::{Cookie, CookieJar, Key};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;
use url::Url;

use gatepost::config::Pool;

use super::sign_in::assert_refused;
use crate::harness::admin::AdminClient;
use crate::harness::client::Answer;
use crate::harness::html::between;
use crate::harness::program::Program;
use crate::harness::{TestServer, assert_has, assert_lacks};

#[cfg(unix)]
#[tokio::test]
async fn the_local_pools_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    // Whatever the umask.
    let program = Program::new().by(&["sh", "-c", "umask 000; exec \"$@\"", "sh"]);
    program.token().await;
    let mode = std::fs::metadata(program.path("gatepost.local-pool.keys")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
}

/// Begins a sign-in, makes it older by that many minutes, and comes back. The server's key opens its cookie.
async fn come_back_after(minutes: i64) -> Answer {
    let program = Program::new();
    let server = program.serve().await;
    let mut browser = AdminClient::new(server.address);
    let begun = browser.get("/admin/login/cognito/").await;
    let authorize = Url::parse(begun.header("location")).expect("a URL");
    let mut fields: Vec<(String, String)> = authorize.query_pairs().into_owned().collect();
    fields.push(("email".to_owned(), "admin@example.com".to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.get(&authorize[url::Position::BeforePath..]).await;
    let allowed = browser.post("/local-pool/oauth2/authorize", &fields).await;
    let callback = Url::parse(allowed.header("location")).expect("a URL");

    let key = program.texts("SELECT value FROM secrets WHERE name = 'sign_in_cookie'").remove(0);
    let key = Key::from(&URL_SAFE_NO_PAD.decode(key).expect("base64url"));
    let mut aged = 0;
    for (name, value) in &mut browser.cookies {
        let mut jar = CookieJar::new();
        jar.add_original(Cookie::new(name.clone(), value.clone()));
        let Some(flow) = jar.private(&key).get(name) else { continue };
        let mut flow: Json = serde_json::from_str(flow.value()).expect("JSON");
        flow["begun"] = (flow["begun"].as_i64().expect("a time") - minutes * 60).into();
        jar.private_mut(&key).add(Cookie::new(name.clone(), flow.to_string()));
        *value = jar.get(name).expect("the cookie").value().to_owned();
        aged += 1;
    }
    assert_eq!(aged, 1, "{:?}", browser.cookies);
    browser.get(&callback[url::Position::BeforePath..]).await
}

#[tokio::test]
async fn a_sign_in_that_took_more_than_ten_minutes_is_over() {
    let late = come_back_after(11).await;
    assert_refused("late", &late, 400, "This sign-in took too long");
    let in_time = come_back_after(9).await;
    assert_eq!((in_time.status, in_time.header("location")), (303, "/admin/"), "{in_time:?}");
}

/// The token on a page, and the command with it.
fn sample(page: &str) -> (&str, String) {
    let value = |id: &str| between(page, &format!("id=\"{id}\" class=\"mono\" readonly value=\""), "\"")[0];
    (value("id_sample"), crate::harness::html::unescape(value("id_curl")))
}

#[tokio::test]
async fn in_development_a_user_and_the_inspector_have_a_token_to_copy() {
    let server = TestServer::start_with(|config| config.pool = Pool::Local).await;
    let mut root = server.superuser().await;
    let alice = server.user("alice").await;
    let tab = format!("/admin/users/{}/token/", alice.id);
    assert_has(&root.page(&format!("/admin/users/{}/change/", alice.id)).await, &[&tab]);
    for (path, email) in [(tab.as_str(), "alice@example.com"), ("/admin/inspector/", "root@example.com")] {
        let page = root.page(path).await;
        assert_has(&page, &["Copy a token", "Copy as curl"]);
        let (token, curl) = sample(&page);
        let me = server.get("/me/", token).await;
        assert_eq!((me.status, me.json()["email"].as_str()), (200, Some(email)), "{path}");
        let url = format!("http://{}/me/", server.address);
        assert_eq!(curl, format!("curl -H 'Authorization: Bearer {token}' {url}"));
    }
    // The local pool knows its users by their e-mail.
    server.sql(format!("UPDATE users SET email = '', email_key = NULL WHERE id = {}", alice.id)).await;
    let page = root.page(&tab).await;
    assert_has(&page, &["This user has no e-mail."]);
    assert_lacks(&page, &["id_sample"]);
    // Tokens are for those who may change the user.
    let mut viewer = server.staff_with("viewer", &["users.view_user"]).await;
    assert_eq!(viewer.get(&tab).await.status, 403);
    let mut clerk = server.staff_with("clerk", &["users.view_user", "users.change_user"]).await;
    assert_eq!((clerk.get("/admin/users/1/token/").await.status, clerk.get(&tab).await.status), (403, 200));
}

#[tokio::test]
async fn with_a_pool_of_cognito_no_page_has_a_token() {
    let (server, mut root) = TestServer::with_superuser().await;
    let alice = server.user("alice").await;
    let (user, tab) = (format!("/admin/users/{}/change/", alice.id), format!("/admin/users/{}/token/", alice.id));
    assert_eq!(root.get(&tab).await.status, 404);
    for path in [user.as_str(), "/admin/inspector/"] {
        assert_lacks(&root.page(path).await, &["Copy a token", "Copy as curl", "/token/", "id_sample"]);
    }
}
