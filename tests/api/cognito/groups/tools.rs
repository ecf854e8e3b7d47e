//! Groups at the local pool's sign-in page and in the token inspector.

use gatepost::config::{Mode, Pool};
use url::Url;

use super::staff::server;
use super::{history, members, send, set_up, token};
use crate::harness::admin::AdminClient;
use crate::harness::{TestServer, assert_has};

#[tokio::test]
async fn groups_can_be_tried_at_the_local_pools_page() {
    let server = TestServer::start_with(|config| {
        (config.mode, config.pool, config.staff_group) = (Mode::Development, Pool::Local, Some("staff".into()));
    })
    .await;
    set_up(&server).await;
    let mut browser = AdminClient::new(server.address);
    let url = Url::parse(browser.get("/admin/login/cognito/").await.header("location")).expect("a URL");
    assert_has(&browser.page(&url[url::Position::BeforePath..]).await, &["id_groups"]);
    let asked: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut fields: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("email", "jane@example.com"));
    let wrong = [&fields[..], &[("groups", "two words")]].concat();
    let answer = browser.post("/local-pool/oauth2/authorize", &wrong).await;
    assert_has(&answer.text(), &["A Cognito group has no spaces in its name.", "value=\"two words\""]);
    fields.push(("groups", "staff, editors,"));
    let answer = browser.post("/local-pool/oauth2/authorize", &fields).await;
    let url = Url::parse(answer.header("location")).expect("a URL");
    assert_eq!(browser.get(&url[url::Position::BeforePath..]).await.status, 303);
    assert_has(&browser.page("/admin/").await, &["jane"]);
    assert_eq!(members(&server).await, ["jane Editors"]);
}

#[tokio::test]
async fn the_inspector_says_what_each_group_would_give() {
    let server = server().await;
    let mut root = server.superuser().await;
    let inspected = token(&server, &["editors", "staff", "<b>"], 10).sign();
    let page = root.post("/admin/inspector/", &[("token", inspected.as_str())]).await.text();
    assert_has(
        &page,
        &[
            "<dt><code>editors</code></dt><dd>Editors</dd>",
            "<dt><code>staff</code></dt><dd>staff</dd>",
            "<dt><code>&#60;b&#62;</code></dt><dd>nothing</dd>",
        ],
    );
    assert_eq!((members(&server).await.len(), history(&server).await.len()), (0, 0), "to inspect changes nothing");
    send(&server, &[], 5).await;
    send(&server, &["editors"], 4).await;
    let page = root.post("/admin/inspector/", &[("token", inspected.as_str())]).await.text();
    assert_has(&page, &["<dd>Editors, but a newer token counts</dd>", "<dd>staff, but a newer token counts</dd>"]);
}
