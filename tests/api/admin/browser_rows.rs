//! The pages of a row in a real browser, with and without JavaScript: tabs, chips, members, and what inputs suggest.

use gatepost::config::Mode;
use thirtyfour::prelude::*;

use crate::harness::admin::PASSWORD;
use crate::harness::browser::Browser;
use crate::harness::{TestServer, eventually};

/// Users 1 to 3 are admin, jane and john; Jane has an article. The group is Editors.
async fn server() -> TestServer {
    let server = TestServer::start_with(|config| config.mode = Mode::Development).await;
    server.staff("admin", |new| new.is_superuser = true).await;
    let jane = server.caller("jane").await;
    server.user("john").await;
    server.post_article(&jane, "By Jane").await;
    server.articles(&["Of nobody"]).await;
    server.groups(&["Editors"]).await;
    server
}

/// Types into an input, and takes the first of the suggestions by the keyboard.
async fn take_suggestion(browser: &Browser, css: &str, typed: &str, suggested: &str) {
    browser.find(css).await.send_keys(typed).await.expect("an input");
    let first = ".suggestions:not([hidden]) [role=option]";
    eventually(suggested, async || browser.has(first).await && browser.text(first).await.starts_with(suggested)).await;
    browser.keys(Key::Down + Key::Enter).await;
}

async fn through_the_tabs(browser: &Browser) {
    browser.open("/admin/users/2/change/").await;
    for (tab, seen) in [
        ("Articles 1", "By Jane"),
        ("Activity", "Created"),
        ("Sessions", "Not signed in to the admin"),
        ("Refused tokens", "No refusals"),
        ("Details", "Effective permissions"),
    ] {
        browser.press(tab).await;
        browser.see(seen).await;
        assert_eq!(browser.text(".tabs [aria-current=page]").await.replace('\n', " "), tab);
    }
}

#[tokio::test]
async fn groups_are_chips_and_inputs_suggest_what_they_take() {
    let server = server().await;
    let test = "groups_are_chips_and_inputs_suggest_what_they_take";
    let Some(browser) = Browser::start(test, &server).await else { return };
    browser.sign_in("admin", PASSWORD).await;
    through_the_tabs(&browser).await;
    take_suggestion(&browser, "#id_groups-add", "edit", "Editors").await;
    browser.see("Unsaved changes").await;
    // What is folded away is loaded when it is opened.
    assert!(!browser.has(".picker").await);
    browser.click("details.section summary").await;
    browser.find(".picker").await;
    browser.press("Save").await;
    browser.see("was changed").await;
    assert_eq!(server.count("user_groups WHERE user_id = 2").await, 1);
    browser.open("/admin/users/2/change/").await;
    browser.click(".chips-field button.chip").await;
    browser.press("Save").await;
    browser.see("was changed").await;
    assert_eq!(server.count("user_groups").await, 0);

    browser.open("/admin/groups/1/members/").await;
    take_suggestion(&browser, "input[name=user]", "john@ex", "john").await;
    browser.press("Add member").await;
    browser.see("1 user added to the group.").await;
    browser.press("Remove john").await;
    browser.see("1 user removed from the group.").await;
    browser.press("Undo").await;
    browser.see("john").await;
    assert_eq!(server.count("user_groups WHERE user_id = 3").await, 1);

    browser.open("/admin/articles/").await;
    take_suggestion(&browser, "input[name=author__username]", "jan", "jane").await;
    browser.see("Author: jane").await;
    browser.see("1 of 2 articles").await;
    assert_eq!(browser.path().await, "/admin/articles/?author=2");
}

#[tokio::test]
async fn pages_of_a_row_work_without_javascript() {
    let server = server().await;
    let test = "pages_of_a_row_work_without_javascript";
    let Some(browser) = Browser::start_without_script(test, &server).await else { return };
    browser.sign_in("admin", PASSWORD).await;
    through_the_tabs(&browser).await;
    browser.click("select[name=groups] option").await;
    browser.press("Save").await;
    browser.see("was changed").await;
    assert_eq!(server.count("user_groups WHERE user_id = 2").await, 1);

    browser.open("/admin/groups/1/members/").await;
    browser.fill("user", "john@example.com").await;
    browser.press("Add member").await;
    browser.see("1 user added to the group.").await;
    browser.press("Remove jane").await;
    browser.see("1 user removed from the group.").await;

    browser.open("/admin/users/").await;
    browser.click("input[name=_selected_action][value='2']").await;
    browser.click("option[value=add_to_group]").await;
    browser.press("Go").await;
    browser.see("Add the user jane to a group").await;
    browser.click("#choice option[value='1']").await;
    browser.press("Add the user jane to a group").await;
    browser.see("1 user added to the group.").await;
    browser.press("Undo").await;
    let members = "SELECT user_id FROM user_groups";
    eventually("the action is undone", async || server.texts(members).await == ["3"]).await;

    browser.open("/admin/articles/").await;
    browser.fill("author__username", "jane").await;
    browser.press("Filter").await;
    browser.see("Author: jane").await;
    browser.see("1 of 2 articles").await;
}
