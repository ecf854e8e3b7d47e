//! Forms that are sent after their session has ended, or from another one.

use crate::cognito::sign_in::{Begun, server_with};
use crate::harness::admin::{AdminClient, PASSWORD, SESSION_COOKIE};
use crate::harness::client::Answer;
use crate::harness::form::Form;
use crate::harness::html::{link, unescape};
use crate::harness::{TestServer, ago, assert_has, assert_lacks};

const ADD: &str = "/admin/users/add/";
const SENTENCE: &str = "Your session ended while you typed. Nothing is saved yet: check and save again.";

/// Sends a form as a browser does, which says where it comes from.
async fn send(client: &mut AdminClient, path: &str, form: &Form) -> Answer {
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let fields = [fields.as_slice(), &[("_save", "")]].concat();
    let answer = client.form(path, &fields).header("sec-fetch-site", "same-origin").send().await;
    client.take(&answer);
    answer
}

/// Signs in on the page that a redirect leads to, and returns the path that it leads on to.
async fn sign_in_again(client: &mut AdminClient, answer: &Answer, name: &str) -> String {
    assert_eq!(answer.status, 302, "{}", answer.text());
    let page = client.follow(answer).await;
    let next = Form::with(&page, "password").get("next").unwrap_or_default().to_owned();
    let answer = client.post("/admin/login/", &[("username", name), ("password", PASSWORD), ("next", &next)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), next);
    next
}

async fn new_user(client: &mut AdminClient) -> Form {
    let form = client.open_form(ADD).await.set("username", &["jane"]).set("email", &["jane@example.com"]);
    form.set("is_staff", &["on"])
        .set("is_active", &[])
        .set("usable_password", &["true"])
        .set("password1", &["Secret-7-secret"])
}

#[tokio::test]
async fn what_was_typed_into_a_form_that_expired_is_there_after_the_sign_in() {
    let (server, mut root) = TestServer::with_superuser().await;
    let form = new_user(&mut root).await;
    server.sql("DELETE FROM sessions").await;
    let answer = send(&mut root, ADD, &form).await;
    assert_has(
        &root.follow(&answer).await,
        &["Your session ended while you typed. Sign in, and the form is filled in again."],
    );
    let next = sign_in_again(&mut root, &answer, "root").await;
    assert_eq!(server.count("users").await, 1, "nothing is saved by the sign-in");
    let page = root.page(&next).await;
    assert_has(&page, &[SENTENCE, "Enter the password again."]);
    let again = Form::with(&page, "_save");
    for name in ["username", "email", "is_staff", "usable_password"] {
        assert_eq!(again.get(name), form.get(name), "{name}");
    }
    assert_eq!((again.get("is_active"), again.get("password1")), (None, Some("")));
    assert_lacks(&page, &["Secret-7-secret"]);
    let content = server.texts("SELECT content FROM kept_forms").await.join("");
    assert_lacks(&content, &["jane"]);
    let answer = again.set("usable_password", &["false"]).send(&mut root, &next, "_save").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(server.texts("SELECT username FROM users WHERE NOT is_active").await, ["jane"]);
    assert_eq!(server.count("kept_forms").await, 0);
    assert_lacks(&root.page(&next).await, &[SENTENCE, "value=\"jane\""]);
}

#[tokio::test]
async fn a_form_from_before_another_sign_in_comes_back_filled() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&["Before"]).await;
    let here = "/admin/articles/1/change/";
    let form = root.open_form(here).await.set("name", &["Typed"]);
    root = server.sign_in("root").await;
    let answer = send(&mut root, here, &form).await;
    assert_eq!(answer.status, 403);
    assert_has(&answer.text(), &[SENTENCE, "value=\"Typed\""]);
    assert_eq!(server.texts("SELECT name FROM articles").await, ["Before"]);
    let again = Form::with(&answer.text(), "_save");
    assert_eq!(again.send(&mut root, here, "_save").await.status, 303);
    assert_eq!(server.texts("SELECT name FROM articles").await, ["Typed"]);
}

#[tokio::test]
async fn a_change_by_somebody_else_in_the_meantime_is_still_a_conflict() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&["Before"]).await;
    let here = "/admin/articles/1/change/?_changelist_filters=q%3DB";
    let form = root.open_form(here).await.set("name", &["Typed"]);
    server.sql("DELETE FROM sessions; UPDATE articles SET name = 'Theirs'").await;
    let answer = send(&mut root, here, &form).await;
    let next = sign_in_again(&mut root, &answer, "root").await;
    assert!(next.starts_with("/admin/articles/1/change/?_changelist_filters=q%3DB&_kept="), "{next}");
    let page = root.page(&next).await;
    assert_has(&page, &[SENTENCE, "value=\"Typed\""]);
    let answer = Form::with(&page, "_save").send(&mut root, &next, "_save").await;
    assert_eq!(answer.status, 409);
    server.sql("DELETE FROM sessions").await;
    let conflict = Form::with(&answer.text(), "_save").set("keep_name", &["yours"]);
    let answer = send(&mut root, here, &conflict).await;
    let next = sign_in_again(&mut root, &answer, "root").await;
    let page = root.page(&next).await;
    assert_has(&page, &[SENTENCE, "value=\"Typed\""]);
    server.sql("DELETE FROM articles").await;
    assert_eq!(root.get(&next).await.status, 404);
}

#[tokio::test]
async fn nobody_else_sees_what_was_typed() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.staff("other", |new| new.is_superuser = true).await;
    let form = new_user(&mut root).await;
    server.sql("DELETE FROM sessions").await;
    let answer = send(&mut root, ADD, &form).await;
    // Another user in the same browser.
    let mut other = root.clone();
    let next = sign_in_again(&mut other, &answer, "other").await;
    assert_lacks(&other.page(&next).await, &[SENTENCE, "jane"]);
    let answer = send(&mut other, ADD, &form).await;
    assert_eq!(answer.status, 403);
    assert_lacks(&answer.text(), &[SENTENCE, "jane"]);
    // The same user in another browser.
    let mut elsewhere = server.sign_in("root").await;
    assert_lacks(&elsewhere.page(&next).await, &[SENTENCE, "jane"]);
    // Another page.
    root.sign_in("root", PASSWORD).await;
    let changed = next.replace("/admin/users/add/", "/admin/groups/add/");
    assert_lacks(&root.page(&changed).await, &[SENTENCE]);
    assert_has(&root.page(&next).await, &[SENTENCE]);
}

#[tokio::test]
async fn strangers_and_other_sites_keep_nothing() {
    let (server, mut root) = TestServer::with_superuser().await;
    let form = new_user(&mut root).await;
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let token = root.token.clone();
    // In a session: the form must say whose it is, and the browser where it comes from.
    let others = fields.iter().copied().filter(|(name, _)| *name != "csrfmiddlewaretoken");
    let stale: Vec<(&str, &str)> = others.chain([("csrfmiddlewaretoken", "x")]).collect();
    let anonymous: Vec<_> = stale.iter().copied().filter(|(name, _)| *name != "_user").collect();
    for call in [
        root.form(ADD, &stale),
        root.form(ADD, &stale).header("sec-fetch-site", "cross-site"),
        root.form(ADD, &anonymous).header("sec-fetch-site", "same-origin"),
        root.form(ADD, &[anonymous.as_slice(), &[("_user", "2")]].concat()).header("sec-fetch-site", "same-origin"),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, 403);
        assert_has(&answer.text(), &["Form refused"]);
    }
    assert_eq!(root.token, token);
    server.sql("DELETE FROM sessions").await;
    let stranger = AdminClient::new(server.address);
    let mut forger = AdminClient::new(server.address);
    let device = root.cookies.keys().find(|name| name.ends_with("device")).expect("a cookie").clone();
    forger.cookies.insert(device.clone(), root.cookies[&device].replacen('1', "2", 1));
    for call in [
        stranger.form(ADD, &fields).header("sec-fetch-site", "same-origin"),
        forger.form(ADD, &fields).header("sec-fetch-site", "same-origin"),
        root.form(ADD, &fields),
        root.form(ADD, &anonymous).header("sec-fetch-site", "same-origin"),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.redirect(), (302, "/admin/login/?next=/admin/"));
    }
    server.sql("UPDATE users SET is_active = FALSE").await;
    assert_eq!(send(&mut root, ADD, &form).await.status, 302, "{}", root.cookies[SESSION_COOKIE]);
    assert_eq!(server.count("kept_forms").await, 0);
}

#[tokio::test]
async fn a_user_keeps_five_forms_for_an_hour() {
    let (server, mut root) = TestServer::with_superuser().await;
    let form = new_user(&mut root).await;
    server.sql("DELETE FROM sessions").await;
    let mut last = None;
    for _ in 0..7 {
        last = Some(send(&mut root, ADD, &form).await);
    }
    assert_eq!(server.texts("SELECT CAST(id AS TEXT) FROM kept_forms ORDER BY id").await, ["3", "4", "5", "6", "7"]);
    let next = sign_in_again(&mut root, &last.expect("an answer"), "root").await;
    assert_has(&root.page(&next).await, &[SENTENCE, "jane"]);
    server.sql(format!("UPDATE kept_forms SET at = {}", ago(3_700))).await;
    assert_lacks(&root.page(&next).await, &[SENTENCE, "jane"]);
    let _second = server.second().await;
    crate::harness::eventually("what is too old goes", async || server.count("kept_forms").await == 0).await;
}

#[tokio::test]
async fn it_survives_the_way_over_cognito() {
    let (server, provider) = server_with(|_| {}).await;
    server.staff("boss", |new| new.is_superuser = true).await;
    let mut flow = Begun::at(&server, "/admin/").await;
    provider.issues(&flow.token(&server, "boss").sign());
    flow.come_back().await;
    let mut boss = flow.browser;
    let form = new_user(&mut boss).await;
    server.sql("DELETE FROM sessions").await;
    let answer = send(&mut boss, ADD, &form).await;
    let begin = link(&boss.follow(&answer).await, "Sign in with Cognito");
    let (_, next) = begin.split_once("next=").expect("a way on");
    let mut flow = Begun::in_browser(boss, next).await;
    provider.issues(&flow.token(&server, "boss").sign());
    let answer = flow.come_back().await;
    let page = flow.browser.follow(&answer).await;
    assert_has(&page, &[SENTENCE, "value=\"jane\""]);
    assert_eq!(server.count("users").await, 1);
}

#[tokio::test]
async fn markup_that_was_typed_is_text() {
    let (server, mut root) = TestServer::with_superuser().await;
    let form = new_user(&mut root).await.set("first_name", &["\"><script>alert(1)</script>"]);
    server.sql("DELETE FROM sessions").await;
    let answer = send(&mut root, ADD, &form).await;
    let next = sign_in_again(&mut root, &answer, "root").await;
    let page = root.page(&next).await;
    assert_lacks(&page, &["<script>alert"]);
    assert_has(&unescape(&page), &["<script>alert(1)</script>"]);
}
