//! The status page of the admin: keys, database and settings, for superusers.

use std::time::Duration;

use gatepost::crypto::Secret;
use gatepost::http::rate_limit::Rate;

use crate::harness::admin::AdminClient;
use crate::harness::html::unescape;
use crate::harness::jwks::Behaviour;
use crate::harness::pool::{CLIENT_ID, ISSUER, POOL_ID, TestKey};
use crate::harness::{TestServer, assert_has, assert_lacks};

const PAGE: &str = "/admin/status/";

/// The value under a name.
fn fact(page: &str, name: &str) -> String {
    let page = page.replace("<code>", "").replace("</code>", "");
    let value = page.split_once(&format!("<dt>{name}</dt><dd>")).and_then(|(_, rest)| rest.split_once("</dd>"));
    unescape(value.unwrap_or_else(|| panic!("no {name} in {page}")).0)
}

#[tokio::test]
async fn the_status_page_shows_pool_keys_database_and_settings_and_masks_secrets() {
    let secrets = ["m".repeat(40), "a-secret-of-the-trigger-".repeat(2), "an-older-secret-of-the-trigger-".repeat(2)];
    let [metrics, trigger, older] = secrets.clone();
    let server = TestServer::start_with(move |config| {
        config.metrics_token = Some(Secret::new(metrics));
        config.post_confirmation_secrets = vec![Secret::new(trigger), Secret::new(older)];
        config.rate_limit_user = "100/s".parse::<Rate>().ok();
        config.leeway = Duration::from_secs(42);
    })
    .await;
    server.ready().await;
    let mut root = server.superuser().await;
    let page = root.page(PAGE).await;
    assert_eq!(fact(&page, "Version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(fact(&page, "User pool"), POOL_ID);
    assert!(fact(&page, "Issuer").starts_with(ISSUER), "{page}");
    assert_eq!(fact(&page, "App clients"), CLIENT_ID);
    let (_, keys) = page.split_once(">Keys</h2>").expect("the keys");
    assert_eq!(fact(keys, "URL"), server.pool.jwks.url().as_str());
    for key in [&server.pool.id_key, &server.pool.access_key] {
        assert!(fact(&page, "Keys").contains(&key.kid), "{page}");
    }
    assert!(fact(&page, "Fetched").ends_with(" s ago"), "{page}");
    assert!(fact(&page, "Next fetch").starts_with("in "), "{page}");
    assert!(fact(&page, "Migrations").starts_with("all "), "{page}");
    assert_lacks(&page, &["Last error", "Failing"]);
    assert_eq!(fact(&page, "APP_ENV"), "production");
    assert_eq!(fact(&page, "COGNITO_LEEWAY_SECONDS"), "42");
    assert_eq!(fact(&page, "RATE_LIMIT_USER"), "100/s");
    assert_eq!(fact(&page, "RATE_LIMIT_ADDRESS"), "none");
    assert_eq!(fact(&page, "METRICS_TOKEN"), "set");
    assert_eq!(fact(&page, "POST_CONFIRMATION_SECRETS"), "2 are set");
    for secret in secrets {
        assert_lacks(&page, &[&secret[..16]]);
    }
    // None is left out.
    for setting in gatepost::config::SETTINGS {
        fact(&page, setting.name);
    }
}

#[tokio::test]
async fn the_keys_can_be_fetched_at_once_and_a_failure_is_shown() {
    let server = TestServer::start().await;
    server.ready().await;
    server.user("alice").await;
    let mut root = server.superuser().await;
    root.page(PAGE).await;
    let fetches = server.pool.jwks.fetches();

    // A third key is there the moment that the staff asks, without waiting for the cool-down.
    let new = TestKey::nth(2);
    server.pool.jwks.publish(&[&server.pool.id_key, &new]);
    let answer = root.post(PAGE, &[]).await;
    assert_eq!(answer.redirect(), (303, PAGE));
    assert_eq!(server.pool.jwks.fetches(), fetches + 1);
    let page = root.page(PAGE).await;
    assert!(page.contains("The keys were fetched.") && fact(&page, "Keys").contains(&new.kid), "{page}");
    assert_eq!(server.get("/me/", &server.pool.token("alice").key(&new).sign()).await.status, 200);

    server.pool.jwks.behave(Behaviour::Answer {
        status: "503 Service Unavailable",
        headers: String::new(),
        body: b"<script>down</script>".to_vec(),
    });
    let answer = root.post(PAGE, &[]).await;
    let page = root.follow(&answer).await;
    assert_has(&page, &["The keys could not be fetched. The last error is below."]);
    assert_has(&page, &["Failing"]);
    assert_lacks(&page, &["<script>down"]);
    let failure = fact(&page, "Last error");
    assert_has(&failure, &["The last fetch, ", "503"]);
    assert!(fact(&page, "Keys").contains(&new.kid), "the known keys stay: {page}");

    server.pool.jwks.publish(&[&new]);
    let answer = root.post(PAGE, &[]).await;
    let page = root.follow(&answer).await;
    assert!(!page.contains("Last error") && fact(&page, "Keys") == new.kid, "{page}");
}

#[tokio::test]
async fn the_status_page_is_for_superusers_and_its_form_for_our_own_pages() {
    let server = TestServer::start().await;
    server.ready().await;
    let fetches = server.pool.jwks.fetches();
    let stranger = AdminClient::new(server.address);
    assert_eq!(stranger.call("GET", PAGE).status().await, 302);
    assert_eq!(stranger.form(PAGE, &[]).status().await, 302);
    // No permission of all that there are makes up for it.
    let many = ["users.view_user", "users.change_user", "users.change_group", "articles.change_article"];
    let mut staff = server.staff_with("staff", &many).await;
    let answer = staff.get(PAGE).await;
    assert_eq!(answer.status, 403);
    assert_lacks(&answer.text(), &[POOL_ID, "DATABASE_URL"]);
    assert_eq!(staff.post(PAGE, &[]).await.status, 403);
    assert!(!staff.page("/admin/").await.contains(PAGE));

    let mut root = server.superuser().await;
    root.page(PAGE).await;
    assert_eq!(root.form(PAGE, &[]).status().await, 403, "without its CSRF token");
    let form = [("csrfmiddlewaretoken", root.token.as_str())];
    let foreign = root.form(PAGE, &form).header("origin", "https://evil.example").send().await;
    assert_eq!(foreign.status, 403);
    assert_eq!(server.pool.jwks.fetches(), fetches, "nothing was fetched");
}

#[tokio::test]
async fn the_local_pool_has_keys_of_its_own_that_nobody_fetches() {
    use gatepost::config::{Mode, Pool};
    let server = TestServer::start_with(|config| {
        config.mode = Mode::Development;
        config.pool = Pool::Local;
    })
    .await;
    server.staff("root", |new| new.is_superuser = true).await;
    let mut root = AdminClient::new(server.address);
    assert_eq!(root.sign_in("root", crate::harness::admin::PASSWORD).await.status, 303);
    let page = root.page(PAGE).await;
    assert_has(&page, &["Keys of the local user pool"]);
    assert_lacks(&page, &["Fetch keys now"]);
    assert_eq!(fact(&page, "AWS_USER_POOLS_ID"), "the local user pool");
    let answer = root.post(PAGE, &[]).await;
    assert!(root.follow(&answer).await.contains("The keys were fetched."));
}
