//! A field that nobody touched stays as it is, whatever a browser makes of it.

use gatepost::config::Mode;

use crate::harness::TestServer;
use crate::harness::admin::PASSWORD;
use crate::harness::browser::Browser;

const KIM: &str = "SELECT email || '|' || first_name || '|' || last_name FROM users WHERE username = 'kim'";

async fn add_kim(server: &TestServer) -> String {
    server.staff("kim", |new| new.email = "kim@b\u{fc}cher.example".to_owned()).await;
    server.sql("UPDATE users SET first_name = 'Kim\r\nLou' WHERE username = 'kim'").await;
    let id = server.number("SELECT id FROM users WHERE username = 'kim'").await;
    format!("/admin/users/{id}/change/")
}

#[tokio::test]
async fn line_breaks_that_a_browser_removes_come_back() {
    let (server, mut root) = TestServer::with_superuser().await;
    let path = add_kim(&server).await;
    let form = root.open_form(&path).await.set("first_name", &["KimLou"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    assert_eq!(server.count("history WHERE source = 'admin'").await, 0, "nothing has changed");
    assert_eq!(form.clone().set("last_name", &["Park"]).save(&mut root).await.status, 303);
    assert_eq!(server.texts(KIM).await, ["kim@b\u{fc}cher.example|Kim\r\nLou|Park"]);
    let form = root.open_form(&path).await.set("first_name", &["Kim Lou"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    assert_eq!(server.texts(KIM).await, ["kim@b\u{fc}cher.example|Kim Lou|Park"]);
}

#[tokio::test]
async fn no_input_has_a_type_that_browsers_rewrite_or_a_length_that_they_count() {
    let (server, mut root) = TestServer::with_superuser().await;
    let path = add_kim(&server).await;
    for page in [path.as_str(), "/admin/users/add/", "/admin/articles/", "/admin/sessions/", "/admin/search/"] {
        let html = root.page(page).await;
        for attribute in ["type=\"email\"", "type=\"number\"", "type=\"url\"", "maxlength="] {
            assert!(!html.contains(attribute), "{page} has {attribute}");
        }
    }
    let smileys = "\u{1f600}".repeat(50);
    let form = root.open_form("/admin/articles/add/").await.set("name", &[&smileys]);
    assert_eq!(form.save(&mut root).await.status, 303);
    let text = form.set("name", &[&format!("{smileys}!")]).save(&mut root).await.text();
    assert!(text.contains("Ensure this field has no more than 50 characters."), "{text}");
}

#[tokio::test]
async fn a_browser_saves_one_field_and_leaves_the_others() {
    // Without TLS a browser takes no cookie that asks for it.
    let server = TestServer::start_with(|config| config.mode = Mode::Development).await;
    server.staff("admin", |new| new.is_superuser = true).await;
    let path = add_kim(&server).await;
    server.seed_articles(1).await;
    server.sql("UPDATE articles SET name = 'Two\nlines'").await;
    let Some(browser) = Browser::start("a_browser_saves_one_field_and_leaves_the_others", &server).await else {
        return;
    };
    browser.sign_in("admin", PASSWORD).await;
    browser.open(&path).await;
    browser.fill("last_name", "Park").await;
    browser.press("Save").await;
    browser.see("was changed").await;
    assert_eq!(server.texts(KIM).await, ["kim@b\u{fc}cher.example|Kim\r\nLou|Park"]);

    browser.open("/articles/1/").await;
    browser.press("PUT").await;
    browser.see("PUT /articles/1/").await;
    assert_eq!(server.texts("SELECT name FROM articles").await, ["Two\nlines"]);
    browser.fill("name", "\u{1f600}\u{1f600} and more").await;
    browser.press("PUT").await;
    browser.see("and more").await;
    assert_eq!(server.texts("SELECT name FROM articles").await, ["\u{1f600}\u{1f600} and more"]);
}

#[tokio::test]
async fn two_ways_to_write_a_key_are_one() {
    let (server, mut root) = TestServer::with_superuser().await;
    add_kim(&server).await;
    let form = root.open_form("/admin/users/add/").await.set("username", &["twin"]);
    let text = form.set("email", &["KIM@xn--bcher-kva.example"]).save(&mut root).await.text();
    assert!(text.contains("A user with this e-mail already exists: kim (kim@b\u{fc}cher.example)."), "{text}");

    let groups = root.open_form("/admin/groups/add/").await;
    assert_eq!(groups.clone().set("name", &["Zo\u{eb}s"]).save(&mut root).await.status, 303);
    let text = groups.set("name", &["Zoe\u{308}s"]).save(&mut root).await.text();
    assert!(text.contains("A group with that name already exists."), "{text}");
}
