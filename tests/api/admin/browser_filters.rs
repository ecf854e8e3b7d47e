//! Home, filters and saved views in a real browser, with and without JavaScript.

use gatepost::config::Mode;

use crate::harness::TestServer;
use crate::harness::admin::PASSWORD;
use crate::harness::browser::Browser;

async fn server() -> TestServer {
    let server = TestServer::start_with(|config| config.mode = Mode::Development).await;
    server.staff("admin", |new| new.is_superuser = true).await;
    server.user("jane").await;
    server.user("john").await;
    server.groups(&["Editors", "Readers"]).await;
    server.sql("INSERT INTO user_groups VALUES (2, 1), (3, 2)").await;
    server.sql("UPDATE users SET date_joined = '2026-01-02 03:04:05' WHERE username = 'jane'").await;
    server
}

async fn filter_and_save(browser: &Browser) {
    browser.open("/admin/").await;
    browser.press("2 new in 7 days").await;
    browser.see("Date joined: Past 7 days").await;
    browser.open("/admin/users/").await;
    // Editors, then Readers as well, then Editors no more.
    for (query, seen) in [("groups=1", "1 of 3 users"), ("groups=1&groups=2", "2 of 3 users"), ("groups=2", "1 of 3")] {
        browser.click(&format!("#filter-choices a[href='?{query}']")).await;
        browser.see(seen).await;
    }
    browser.see("1 of 3 users").await;
    assert_eq!(browser.path().await, "/admin/users/?groups=2");
    browser.fill("name", "Only readers").await;
    browser.press("Save").await;
    browser.see("The view “Only readers” was saved.").await;
    browser.open("/admin/users/").await;
    browser.press("Only readers").await;
    browser.see("Group: Readers").await;
    browser.press("Clear Group").await;
    browser.see("3 users").await;

    browser.click("details:has([name=joined__gte]) summary").await;
    for end in ["joined__gte", "joined__lte"] {
        // As a person types it in a browser that speaks American English.
        browser.find(&format!("[name={end}]")).await.send_keys("01022026").await.expect("a date");
    }
    browser.click("form.facet-range:has([name=joined__lte]) button").await;
    browser.see("Date joined: until 2026-01-02").await;
    browser.see("1 of 3 users").await;
    browser.press("Delete the view Only readers").await;
    browser.see("The view was deleted.").await;
}

#[tokio::test]
async fn filters_combine_and_views_are_saved() {
    let server = server().await;
    let Some(browser) = Browser::start("filters_combine_and_views_are_saved", &server).await else { return };
    browser.sign_in("admin", PASSWORD).await;
    filter_and_save(&browser).await;
}

#[tokio::test]
async fn filters_combine_and_views_are_saved_without_javascript() {
    let server = server().await;
    let test = "filters_combine_and_views_are_saved_without_javascript";
    let Some(browser) = Browser::start_without_script(test, &server).await else { return };
    browser.sign_in("admin", PASSWORD).await;
    filter_and_save(&browser).await;
}
