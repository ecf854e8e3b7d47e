//! The admin in a real browser: the way that the staff goes, with and without JavaScript; what the keyboard
//! can do; and every page by the rules of accessibility, in both widths and both colours.

use std::path::{Path, PathBuf};

use gatepost::config::Mode;
use serde_json::json;
use thirtyfour::prelude::*;

use crate::harness::admin::PASSWORD;
use crate::harness::browser::Browser;
use crate::harness::{TestServer, assert_has, assert_lacks, eventually, skip};

/// A server with a superuser `admin`.
async fn server() -> TestServer {
    // Without TLS a browser takes no cookie that asks for it.
    let server = TestServer::start_with(|config| config.mode = Mode::Development).await;
    server.staff("admin", |new| new.is_superuser = true).await;
    server
}

/// The names in the first column of a list.
async fn rows(browser: &Browser) -> Vec<String> {
    let cells = browser.driver.find_all(By::Css("#results tbody th a")).await.expect("a list");
    let mut names = Vec::new();
    for cell in cells {
        names.push(cell.text().await.unwrap_or_default());
    }
    names
}

/// Waits until the list has these rows.
async fn see_rows(browser: &Browser, wanted: &[&str]) {
    eventually(&format!("the list shows {wanted:?}"), async || rows(browser).await == wanted).await;
}

async fn select(browser: &Browser, row: &str) {
    let path = format!("//tr[th[normalize-space(.)=\"{row}\"]]//input[@name='_selected_action']");
    browser.driver.find(By::XPath(&*path)).await.expect("the row").click().await.expect("a box to tick");
}

async fn open_palette(browser: &Browser) {
    browser.keys(Key::Control + "k").await;
    browser.find("dialog[open] input").await;
}

async fn close_dialog(browser: &Browser) {
    browser.keys(Key::Escape).await;
    let script = "return !document.querySelector('dialog[open]') && !document.activeElement?.closest('dialog')";
    eventually("the dialog is closed and the focus outside", async || browser.run(script).await == true).await;
}

async fn choose_action(browser: &Browser, label: &str) {
    let path = format!("//select[@name='action']/option[contains(normalize-space(.), \"{label}\")]");
    browser.driver.find(By::XPath(&*path)).await.expect("the action").click().await.expect("a choice");
    browser.press("Go").await;
}

async fn add_article(browser: &Browser, name: &str) {
    browser.open("/admin/articles/add/").await;
    browser.fill("name", name).await;
    browser.press("Save").await;
    browser.see("was added").await;
}

/// What the tutorial's reader does, from signing in to the user whose token is good.
async fn create_the_user(browser: &Browser, server: &TestServer) {
    browser.open("/admin/users/add/").await;
    browser.see("Sign in").await;
    browser.fill("username", "admin").await;
    browser.fill("password", PASSWORD).await;
    browser.press("Sign in").await;
    browser.see("Add user").await;
    browser.fill("username", "jane").await;
    browser.fill("email", "jane@example.com").await;
    browser.press("Save").await;
    browser.see("was added").await;
    browser.open("/admin/users/").await;
    browser.see("Not linked").await;
    let token = server.pool.token("jane").sign();
    assert_eq!(server.get("/articles/", &token).await.status, 200, "jane's token is good at once");
    browser.open("/admin/users/").await;
    browser.see("Linked").await;
}

#[tokio::test]
async fn the_staff_goes_the_whole_way_in_a_browser() {
    let server = server().await;
    let Some(browser) = Browser::start("the_staff_goes_the_whole_way_in_a_browser", &server).await else { return };
    create_the_user(&browser, &server).await;
    for name in ["Beta", "Alpha", "Gamma"] {
        add_article(&browser, name).await;
    }

    // Sorted and searched as one types; the address keeps it, and the back button gives it back.
    browser.open("/admin/articles/").await;
    see_rows(&browser, &["Gamma", "Alpha", "Beta"]).await;
    browser
        .driver
        .find(By::XPath("//th//a[starts-with(normalize-space(.), 'Name')]"))
        .await
        .expect("a head")
        .click()
        .await
        .expect("a link");
    see_rows(&browser, &["Alpha", "Beta", "Gamma"]).await;
    browser.find("[data-search]").await.send_keys("amm").await.expect("a search box");
    see_rows(&browser, &["Gamma"]).await;
    assert!(browser.path().await.contains("q=amm"), "{}", browser.path().await);
    browser.driver.refresh().await.expect("a new look");
    see_rows(&browser, &["Gamma"]).await;

    edit_in_two_windows(&browser).await;

    // Deleted together, and brought back.
    browser.open("/admin/articles/").await;
    for name in ["Beta", "Alpha"] {
        select(&browser, name).await;
    }
    browser.see("2 of 3 selected").await;
    choose_action(&browser, "Delete selected").await;
    browser.see("Delete 2 articles").await;
    browser.press("Delete 2 articles").await;
    browser.see("Deleted 2 articles").await;
    see_rows(&browser, &["Delta"]).await;
    browser.press("Undo").await;
    see_rows(&browser, &["Delta", "Alpha", "Beta"]).await;

    import_and_export(&browser, &server).await;
    browser.open("/admin/history/").await;
    browser.see("Gamma").await;
    browser.see("Delta").await;
}

/// The second of two editors sees what the first one did, and decides.
async fn edit_in_two_windows(browser: &Browser) {
    browser.open("/admin/articles/").await;
    browser.press("Gamma").await;
    browser.see("History").await;
    let (first, address) = (browser.driver.window().await.expect("a window"), browser.path().await);
    let second = browser.driver.new_tab().await.expect("a second window");
    browser.driver.switch_to_window(second.clone()).await.expect("the second window");
    browser.open(&address).await;
    browser.fill("name", "Gamma of the second").await;
    browser.press("Save").await;
    browser.see("was changed").await;
    browser.driver.switch_to_window(first).await.expect("the first window");
    browser.fill("name", "Delta").await;
    browser.press("Save").await;
    browser.see("while you were editing").await;
    browser.see("Gamma of the second").await;
    browser.click("main button.primary").await;
    browser.see("was changed").await;
    browser.see("Delta").await;
    browser.driver.switch_to_window(second).await.expect("the second window");
    browser.driver.close_window().await.expect("one window is enough");
    let left = browser.driver.windows().await.expect("windows").remove(0);
    browser.driver.switch_to_window(left).await.expect("the first window");
}

async fn import_and_export(browser: &Browser, server: &TestServer) {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("articles.csv");
    std::fs::write(&file, format!("name\n\"Epsilon, quoted\"\n{}\n", "x".repeat(51))).expect("a file");
    browser.open("/admin/articles/").await;
    browser.press("Import").await;
    browser.find("input[type=file]").await.send_keys(file.display().to_string()).await.expect("a file");
    browser.press("Check the file").await;
    browser.see("Preview").await;
    browser.see("Ensure this field has no more than 50 characters.").await;
    browser.see("An import saves all rows or none.").await;
    std::fs::write(&file, "name\n\"Epsilon, quoted\"\nZeta\n").expect("a file");
    browser.press("Choose another file").await;
    browser.find("input[type=file]").await.send_keys(file.display().to_string()).await.expect("a file");
    browser.press("Check the file").await;
    assert_eq!(server.count("articles WHERE name = 'Zeta'").await, 0, "a check changes nothing");
    browser.press("Import 2 rows").await;
    browser.see("Done").await;
    browser.press("View articles").await;
    browser.see("Epsilon, quoted").await;
    // The export is fetched as the link does it, with the session's cookie.
    browser.find("[data-search]").await.send_keys("eta").await.expect("a search box");
    see_rows(browser, &["Zeta", "Beta"]).await;
    let link = browser.driver.find(By::XPath("//a[normalize-space(.)='Export CSV']")).await.expect("the link");
    let address = link.attr("href").await.expect("an attribute").expect("an address");
    let csv = browser.run(&format!("return fetch({}).then(answer => answer.text())", json!(address))).await;
    let csv = csv.as_str().expect("a text").to_owned();
    assert_has(&csv, &["Zeta", "Beta"]);
    assert_lacks(&csv, &["Epsilon"]);
}

#[tokio::test]
async fn everything_that_matters_works_without_javascript() {
    let server = server().await;
    let test = "everything_that_matters_works_without_javascript";
    let Some(browser) = Browser::start_without_script(test, &server).await else { return };
    create_the_user(&browser, &server).await;
    add_article(&browser, "Alpha").await;
    add_article(&browser, "Beta").await;
    browser.open("/admin/articles/").await;
    browser.find("[data-search]").await.send_keys("alp").await.expect("a search box");
    browser.press("Search").await;
    see_rows(&browser, &["Alpha"]).await;
    select(&browser, "Alpha").await;
    choose_action(&browser, "Delete selected").await;
    browser.press("Delete the article Alpha").await;
    browser.see("Deleted 1 article").await;
    browser.press("Undo").await;
    browser.see("was restored").await;
    browser.open("/admin/articles/").await;
    see_rows(&browser, &["Beta", "Alpha"]).await;
    browser.click("header button[value=dark]").await;
    browser.find("html[data-theme=dark]").await;
    browser.open("/admin/users/").await;
    browser.press("jane").await;
    browser.press("Unlink").await;
    browser.press("Unlink the user jane from Cognito").await;
    browser.see("Not linked").await;
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let server = server().await;
    let Some(browser) = Browser::start("the_keyboard_is_enough", &server).await else { return };
    server.user("jane").await;
    browser.sign_in("admin", PASSWORD).await;
    browser.open("/admin/users/").await;
    browser.keys("/").await;
    browser.keys("jane").await;
    see_rows(&browser, &["jane"]).await;
    // From anywhere to a user: palette, a few letters, Enter.
    browser.open("/admin/").await;
    open_palette(&browser).await;
    browser.keys("jan").await;
    eventually("the palette finds jane", async || browser.text("#palette-list").await.contains("jane")).await;
    browser.keys(Key::Enter).await;
    browser.see("Cognito link").await;
    browser.fill("first_name", "Jane").await;
    browser.see("Unsaved changes").await;
    browser.keys(Key::Control + "s").await;
    browser.see("was changed").await;
    // Also to what is no page of the navigation.
    browser.open("/admin/").await;
    for (typed, found) in [("import us", "Import users"), ("api doc", "API documentation"), ("sign o", "Sign out")] {
        open_palette(&browser).await;
        browser.keys(typed).await;
        eventually(found, async || browser.text("#palette-list [aria-selected=true]").await == found).await;
        close_dialog(&browser).await;
    }
    open_palette(&browser).await;
    browser.keys("qqqq").await;
    browser.see("Nothing found.").await;
    browser.see("Search all users for “qqqq”").await;
    close_dialog(&browser).await;
    browser.keys("?").await;
    browser.see("Keyboard shortcuts").await;
    assert!(browser.has("dialog[open]").await);
    close_dialog(&browser).await;
    open_palette(&browser).await;
    browser.keys("sign out").await;
    eventually("it is offered", async || browser.text("#palette-list [aria-selected=true]").await == "Sign out").await;
    browser.keys(Key::Enter).await;
    browser.see("Signed out").await;
}

#[tokio::test]
async fn markup_in_names_stays_text() {
    let server = server().await;
    let Some(browser) = Browser::start("markup_in_names_stays_text", &server).await else { return };
    let evil = "<img src=x onerror=document.title=1>'\"<b>";
    browser.sign_in("admin", PASSWORD).await;
    add_article(&browser, evil).await;
    for page in [
        "/admin/",
        "/admin/articles/",
        "/admin/history/",
        "/admin/articles/1/change/",
        "/admin/articles/1/history/",
        "/admin/articles/1/delete/",
    ] {
        browser.open(page).await;
        assert!(!browser.has("main img, main b").await, "{page}");
        assert_ne!(browser.driver.title().await.expect("a title"), "1", "{page}");
    }
    browser.open(&format!("/admin/search/?q={}", "%3Cimg%20src=x")).await;
    assert!(!browser.has("main img").await);
}

/// axe-core's text, if it is installed.
fn axe(test: &str) -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/node_modules/axe-core/axe.min.js");
    let source = std::fs::read_to_string(file).ok();
    if source.is_none() {
        skip(test, "axe-core (npm ci in e2e/)");
    }
    source
}

/// What there is to look at, and under which name its picture is kept.
const PAGES: &[(&str, &str)] = &[
    ("index", "/admin/"),
    ("users", "/admin/users/"),
    ("users_filtered", "/admin/users/?q=example&active=yes&o=-username,email"),
    ("users_nothing", "/admin/users/?q=nobody-has-this"),
    ("user_add", "/admin/users/add/"),
    ("user", "/admin/users/2/change/"),
    ("user_articles", "/admin/users/2/articles/"),
    ("user_activity", "/admin/users/2/activity/"),
    ("user_sessions", "/admin/users/1/sessions/"),
    ("user_refusals", "/admin/users/2/refusals/"),
    ("user_history", "/admin/users/2/history/"),
    ("user_delete", "/admin/users/2/delete/"),
    ("user_password", "/admin/users/2/password/"),
    ("groups", "/admin/groups/"),
    ("group", "/admin/groups/1/change/"),
    ("group_members", "/admin/groups/1/members/"),
    ("articles_of_author", "/admin/articles/?author__username=grace.hopper"),
    ("articles", "/admin/articles/"),
    ("article", "/admin/articles/1/change/"),
    ("article_add", "/admin/articles/add/"),
    ("import", "/admin/users/import/"),
    ("history", "/admin/history/"),
    ("service_accounts", "/admin/service_accounts/"),
    ("service_account", "/admin/service_accounts/1/change/"),
    ("second_factor", "/admin/second_factor/"),
    ("sessions", "/admin/sessions/"),
    ("password", "/admin/password_change/"),
    ("search", "/admin/search/?q=e"),
    ("refusals", "/admin/refusals/"),
    ("inspector", "/admin/inspector/"),
    ("status", "/admin/status/"),
    ("not_found", "/admin/nothing/"),
    ("deleted", "/admin/articles/4/change/"),
    ("import_check", "/admin/users/import/1/"),
    ("import_done", "/admin/users/import/2/"),
    ("import_failed", "/admin/users/import/3/"),
];

/// Widths and colours.
const LOOKS: [(u32, &str); 4] = [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")];

/// Fills a server with what makes its pages worth looking at.
async fn furnish(server: &TestServer) {
    for name in ["grace.hopper", "ada.lovelace", "alan.turing", "barbara.liskov", "annie.easley"] {
        server.user(name).await;
    }
    let token = server.pool.token("grace.hopper").sign();
    for name in ["How trees keep time", "A short history of the gate", "On posts", "Not for long"] {
        server.post(&token, &json!({ "name": name }).to_string()).await;
    }
    assert_eq!(server.call("DELETE", "/articles/4/").token(&token).status().await, 204);
    server
        .sql(
            "INSERT INTO service_accounts (name, client_id, is_active, created_at) VALUES
        ('Nightly import', '5nightlyimport7890abcdefgh', TRUE, '2026-11-22 10:00:00')",
        )
        .await;
    server.sql("INSERT INTO refusals (at, kind, code, sub, email, user_id, times) VALUES
        ('2026-11-22 10:00:00', 'token', 'token_expired', '8f1d3c4e-0a52-4c7e-9d7a-3f1b2c3d4e5f', 'grace.hopper@example.com', 1, 3),
        ('2026-11-22 11:00:00', 'sign_in', 'password_wrong', '', '', 2, 1), ('2026-11-22 12:00:00', 'token', 'key_unknown', '', '', NULL, 12)").await;
    let report = json!({
        "created": 7, "changed": 2, "fields": { "email": 2, "first_name": 1 }, "unchanged": 1, "wrong": 2,
        "errors": [[4, "email", "Enter a valid email address."], [9, "", "There is no user 99."]],
        "ignored": ["colour"], "empty_lines": 3, "failure": null,
    });
    for state in ["checked", "done", "failed"] {
        server
            .sql(format!(
                "INSERT INTO jobs (user_id, model, title, content, state, report, updated_at)
                 VALUES (1, 'users', 'people.csv', '', '{state}', '{report}', '2026-01-01 00:00:00')"
            ))
            .await;
    }
    server.sql("INSERT INTO groups (name) VALUES ('Editors'), ('Readers'); INSERT INTO group_permissions VALUES (1, 'articles.change_article'); INSERT INTO user_groups VALUES (2, 1)").await;
    server.sql("UPDATE users SET first_name = 'Grace', last_name = 'Hopper' WHERE username = 'grace.hopper'").await;
}

/// One command makes all pictures: `GATEPOST_SCREENSHOTS=folder cargo test --test api every_page`.
#[tokio::test]
async fn every_page_is_accessible_in_both_widths_and_colours() {
    let test = "every_page_is_accessible_in_both_widths_and_colours";
    let server = server().await;
    let Some(browser) = Browser::start(test, &server).await else { return };
    let Some(axe) = axe(test) else { return };
    let pictures = std::env::var_os("GATEPOST_SCREENSHOTS").map(PathBuf::from);
    furnish(&server).await;
    let mut wrong = Vec::new();
    for (width, colours) in LOOKS {
        browser.look(width, colours).await;
        browser.open("/admin/login/").await;
        wrong.extend(problems(&browser, "login", width, colours, &axe, pictures.as_deref()).await);
    }
    browser.look(1280, "light").await;
    browser.sign_in("admin", PASSWORD).await;
    for (name, address) in PAGES {
        for (width, colours) in LOOKS {
            browser.look(width, colours).await;
            browser.open(address).await;
            wrong.extend(problems(&browser, name, width, colours, &axe, pictures.as_deref()).await);
        }
    }
    // What takes a form, a key or a second editor to be seen.
    browser.open("/admin/users/2/change/").await;
    browser.find("#id_groups-add").await.send_keys("r").await.expect("an input");
    browser.find(".suggestions:not([hidden])").await;
    wrong.extend(problems_of_present(&browser, "suggestions", &axe, pictures.as_deref()).await);
    browser.open("/admin/users/").await;
    browser.click("input[name=_selected_action]").await;
    choose_action(&browser, "Add selected users to a group").await;
    browser.see("Add the user").await;
    wrong.extend(problems_of_present(&browser, "add_to_group", &axe, pictures.as_deref()).await);
    browser.open("/admin/inspector/").await;
    browser.fill("token", &server.pool.access_token("grace.hopper").sign()).await;
    browser.press("Inspect").await;
    browser.see("id_token_wanted").await;
    wrong.extend(problems_of_present(&browser, "inspected", &axe, pictures.as_deref()).await);
    browser.open("/admin/articles/1/change/").await;
    server
        .call("PUT", "/articles/1/")
        .token(&server.pool.token("grace.hopper").sign())
        .json(r#"{"name":"Theirs"}"#)
        .send()
        .await;
    browser.fill("name", "Mine").await;
    browser.press("Save").await;
    browser.see("while you were editing").await;
    wrong.extend(problems_of_present(&browser, "conflict", &axe, pictures.as_deref()).await);
    browser.open("/admin/").await;
    open_palette(&browser).await;
    browser.keys("e").await;
    browser.see("Search all users for").await;
    wrong.extend(problems_of_present(&browser, "palette", &axe, pictures.as_deref()).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The problems of the page that is open, in every look.
async fn problems_of_present(browser: &Browser, name: &str, axe: &str, pictures: Option<&Path>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (width, colours) in LOOKS {
        browser.look(width, colours).await;
        wrong.extend(problems(browser, name, width, colours, axe, pictures).await);
    }
    wrong
}

async fn problems(
    browser: &Browser,
    name: &str,
    width: u32,
    colours: &str,
    axe: &str,
    pictures: Option<&Path>,
) -> Vec<String> {
    if let Some(folder) = pictures {
        std::fs::create_dir_all(folder).expect("a folder");
        browser.screenshot(&folder.join(format!("{name}_{width}_{colours}.png"))).await;
    }
    let mut problems = browser.axe(axe).await;
    if browser.scrolls_sideways().await {
        problems.push("the page scrolls sideways".to_owned());
    }
    let errors = browser.driver.get_log("browser").await.unwrap_or_default();
    // It says so of any page that is not 200.
    let expected = |message: &str| message.contains("status of 40") || message.contains("beforeunload");
    let errors = errors.into_iter().filter(|entry| !expected(&entry.message));
    problems.extend(errors.map(|entry| format!("the browser says: {entry:?}")));
    problems.into_iter().map(|problem| format!("{name} at {width} {colours}: {problem}")).collect()
}
