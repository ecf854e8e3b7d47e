//! Times in the admin: one element and one format, in UTC without a script and in the reader's zone with it.

use gatepost::config::Mode;

use crate::harness::admin::PASSWORD;
use crate::harness::browser::Browser;
use crate::harness::html::between;
use crate::harness::{TestServer, ago};

/// A superuser `root` and a user `jane`, with something on each page that shows times.
async fn fill(server: &TestServer) {
    server.articles(&["First"]).await;
    server.user("jane").await;
    const AT: &str = "'2026-07-01 22:30:05'";
    server.sql(format!("UPDATE users SET last_login = {AT}, last_seen_at = {AT} WHERE username = 'jane'")).await;
    let refusal = "INSERT INTO refusals (at, kind, code, sub, email, times) VALUES";
    server.sql(format!("{refusal} ({}, 'token', 'signature_invalid', '', '', 1)", ago(0))).await;
}

#[tokio::test]
async fn every_time_is_the_same_element_in_utc() {
    let (server, mut root) = TestServer::with_superuser().await;
    fill(&server).await;
    for path in [
        "/admin/",
        "/admin/users/",
        "/admin/users/2/change/",
        "/admin/articles/",
        "/admin/history/",
        "/admin/users/2/history/",
        "/admin/users/2/activity/",
        "/admin/sessions/",
        "/admin/users/1/sessions/",
        "/admin/refusals/",
    ] {
        let html = root.page(path).await;
        let times = between(&html, "<time", "</time>");
        assert!(!times.is_empty(), "{path}: {html}");
        for time in times {
            let (marked_up, shown) = time.split_once('>').expect("an element");
            let at = marked_up.strip_prefix(" datetime=\"").and_then(|rest| rest.strip_suffix("Z\""));
            let at = at.unwrap_or_else(|| panic!("{path}: {time}"));
            assert_eq!(at.len(), 19, "{path}: {time}");
            assert_eq!(shown, at[..16].replace('T', " "), "{path}");
        }
        assert!(html.contains("Times are in UTC."), "{path}");
    }
}

/// The text and the tooltip of Jane's last sign-in.
const SIGN_IN: &str = "const t = document.querySelector('#results tbody time[datetime=\"2026-07-01T22:30:05Z\"]'); \
                       return `${t.textContent}|${t.title}`";
/// How far what a page shows has moved since it was there.
const SHIFT: &str = "return performance.getEntriesByType('layout-shift').reduce((sum, entry) => sum + entry.value, 0)";

#[tokio::test]
async fn a_script_shows_times_in_the_readers_zone_and_moves_nothing() {
    let server = TestServer::start_with(|config| config.mode = Mode::Development).await;
    server.staff("root", |new| new.is_superuser = true).await;
    fill(&server).await;
    let test = "a_script_shows_times_in_the_readers_zone_and_moves_nothing";
    let Some(browser) = Browser::start(test, &server).await else { return };
    browser.sign_in("root", PASSWORD).await;
    for (zone, shown) in [
        ("Asia/Tokyo", "2026-07-02 07:30"),
        ("Europe/Berlin", "2026-07-02 00:30"),
        ("America/Lima", "2026-07-01 17:30"),
    ] {
        browser.zone(zone).await;
        browser.open("/admin/users/").await;
        browser.see(&format!("Times are in your time zone, {zone}.")).await;
        assert_eq!(browser.run(SIGN_IN).await, format!("{shown}|2026-07-01 22:30:05 UTC"));
        // Also in rows that the search brings.
        browser.find("[data-search]").await.send_keys("jane").await.expect("a search box");
        browser.see("1 of 2 users").await;
        assert_eq!(browser.run(SIGN_IN).await, format!("{shown}|2026-07-01 22:30:05 UTC"));
    }
    for path in ["/admin/", "/admin/users/", "/admin/history/", "/admin/refusals/"] {
        browser.open(path).await;
        assert_eq!(browser.run(SHIFT).await, 0, "{path}");
    }
}

#[tokio::test]
async fn without_a_script_times_are_in_utc_and_the_page_says_so() {
    let server = TestServer::start_with(|config| config.mode = Mode::Development).await;
    server.staff("root", |new| new.is_superuser = true).await;
    fill(&server).await;
    let test = "without_a_script_times_are_in_utc_and_the_page_says_so";
    let Some(browser) = Browser::start_without_script(test, &server).await else { return };
    browser.sign_in("root", PASSWORD).await;
    browser.zone("Asia/Tokyo").await;
    browser.open("/admin/users/").await;
    browser.see("2026-07-01 22:30").await;
    browser.see("Times are in UTC.").await;
}
