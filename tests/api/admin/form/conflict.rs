//! Two people edit one row.

use crate::harness::admin::AdminClient;
use crate::harness::form::Form;
use crate::harness::{TestServer, assert_has, assert_lacks};

const HERE: &str = "/admin/users/1/change/";

/// Two superusers with the form of the user `jane` open.
async fn two_with_forms(server: &TestServer) -> (AdminClient, Form, AdminClient, Form) {
    server.user("jane").await;
    let mut first = server.superuser().await;
    server.staff("second", |new| new.is_superuser = true).await;
    let mut second = server.sign_in("second").await;
    let first_form = first.open_form(HERE).await;
    let second_form = second.open_form(HERE).await;
    (first, first_form, second, second_form)
}

#[tokio::test]
async fn who_saves_second_is_shown_what_the_first_did_and_chooses() {
    let server = TestServer::start().await;
    let (mut first, form, mut second, other) = two_with_forms(&server).await;
    let form = form.set("email", &["one@example.com"]).set("last_name", &["First"]);
    assert_eq!(form.save(&mut first).await.status, 303);
    let other = other.set("email", &["two@example.com"]).set("is_staff", &["on"]);
    let answer = other.save(&mut second).await;
    assert_eq!(answer.status, 409);
    let page = answer.text();
    assert_has(&page, &["root changed this user on", "(Admin)"]);
    assert_eq!(server.texts("SELECT email FROM users WHERE id = 1").await, ["one@example.com"]);
    assert_eq!(page.matches("Both changed").count(), 1, "{page}");
    let merge = Form::with(&page, "keep_email");
    // What only the other one changed is taken over; what both changed stays as it was typed.
    let kept = ["keep_email", "keep_last_name", "keep_is_staff"].map(|name| merge.get(name).unwrap_or_default());
    assert_eq!(kept, ["yours", "theirs", "yours"]);
    assert_eq!((merge.get("email"), merge.get("keep_username")), (Some("two@example.com"), None));
    assert_eq!(merge.send(&mut second, HERE, "_save").await.status, 303);
    let row = server
        .texts("SELECT concat_ws(' ', email, last_name, CASE WHEN is_staff THEN 'staff' END) FROM users WHERE id = 1")
        .await;
    assert_eq!(row, ["two@example.com First staff"]);
    let changes = server.texts("SELECT changes FROM history ORDER BY id DESC LIMIT 1").await;
    assert_eq!(changes, [r#"{"email":["one@example.com","two@example.com"],"is_staff":[false,true]}"#]);
}

#[tokio::test]
async fn theirs_can_be_kept_and_a_third_change_is_seen_as_well() {
    let server = TestServer::start().await;
    let (mut first, form, mut second, other) = two_with_forms(&server).await;
    let form = form.set("email", &["one@example.com"]);
    assert_eq!(form.save(&mut first).await.status, 303);
    let page = other.set("email", &["two@example.com"]).save(&mut second).await.text();
    let merge = Form::with(&page, "keep_email").set("keep_email", &["theirs"]);
    let third = first.open_form(HERE).await.set("email", &["three@example.com"]);
    assert_eq!(third.save(&mut first).await.status, 303);
    let answer = merge.send(&mut second, HERE, "_save").await;
    assert_eq!(answer.status, 409);
    assert_eq!(server.texts("SELECT email FROM users WHERE id = 1").await, ["three@example.com"]);
    let merge = Form::with(&answer.text(), "keep_email");
    // Whoever took the first one's value has typed nothing of their own.
    assert_eq!(merge.get("keep_email"), Some("theirs"));
    assert_eq!(merge.send(&mut second, HERE, "_save").await.status, 303);
    assert_eq!(server.texts("SELECT email FROM users WHERE id = 1").await, ["three@example.com"]);
}

#[tokio::test]
async fn groups_and_permissions_conflict_by_name() {
    let server = TestServer::start().await;
    server.groups(&["Editors", "Viewers"]).await;
    let (mut first, form, mut second, other) = two_with_forms(&server).await;
    assert_eq!(form.set("groups", &["1"]).save(&mut first).await.status, 303);
    let answer = other.set("groups", &["2"]).save(&mut second).await;
    assert_eq!(answer.status, 409);
    let page = answer.text();
    assert_has(&page, &["<span>Editors</span>", "<span>Viewers</span>"]);
    let merge = Form::with(&page, "keep_groups");
    assert_eq!(merge.get("groups"), Some("2"));
    assert_eq!(merge.send(&mut second, HERE, "_save").await.status, 303);
    assert_eq!(server.texts("SELECT group_id || '' FROM user_groups").await, ["2"]);
}

#[tokio::test]
async fn changes_that_come_by_other_ways_or_change_no_field_are_told_apart() {
    let (server, token) = TestServer::with_alice().await;
    let mut root = server.superuser().await;
    let here = "/admin/users/1/change/";
    let form = root.open_form(here).await;
    // The first token links the user: no field of the form has another value.
    assert_eq!(server.get("/me/", &token).await.status, 200);
    assert_eq!(form.set("first_name", &["Alice"]).save(&mut root).await.status, 303);
    assert_eq!(server.post_article(&token, "Mine").await.status, 201);
    let here = "/admin/articles/1/change/";
    let form = root.open_form(here).await;
    let patch = server.call("PATCH", "/articles/1/").token(&token).json(r#"{"name": "Mine <i>now</i>"}"#);
    assert_eq!(patch.status().await, 200);
    let answer = form.set("name", &["Hers"]).save(&mut root).await;
    assert_eq!(answer.status, 409);
    let page = answer.text();
    assert_has(&page, &["alice changed this article", "(API)"]);
    assert_has(&page, &["Mine"]);
    assert_lacks(&page, &["<i>now"]);
}

#[tokio::test]
async fn equal_changes_and_errors_after_a_conflict_lose_nothing() {
    let server = TestServer::start().await;
    let (mut first, form, mut second, other) = two_with_forms(&server).await;
    assert_eq!(form.set("first_name", &["Jane"]).save(&mut first).await.status, 303);
    let other = other.set("first_name", &["Jane"]).set("email", &["nothing"]);
    let answer = other.save(&mut second).await;
    assert_eq!(answer.status, 409);
    let answer = Form::with(&answer.text(), "keep_email").send(&mut second, HERE, "_save").await;
    assert_eq!(answer.status, 400);
    let form = Form::with(&answer.text(), "_save");
    assert_eq!((form.get("first_name"), form.get("email")), (Some("Jane"), Some("nothing")));
    assert_eq!(form.set("email", &["jane@work.example"]).send(&mut second, HERE, "_save").await.status, 303);
    assert_eq!(server.texts("SELECT email FROM users WHERE id = 1").await, ["jane@work.example"]);
}

#[tokio::test]
async fn a_form_of_a_row_that_is_gone_offers_what_was_typed_and_the_row() {
    let server = TestServer::start().await;
    let (mut first, form, mut second, _) = two_with_forms(&server).await;
    assert_eq!(second.post("/admin/users/1/delete/", &[("post", "yes")]).await.status, 303);
    let answer = form.set("first_name", &["<b>J"]).set("is_active", &[]).save(&mut first).await;
    assert_eq!(answer.status, 404);
    let page = answer.text();
    assert_has(&page, &["This user was deleted while you were editing."]);
    assert_lacks(&page, &["<b>J"]);
    let new = Form::with(&page, "Add as a new user");
    assert_eq!((new.get("first_name"), new.get("is_active")), (Some("<b>J"), Some("off")));
    assert_eq!(new.action.as_deref(), Some("/admin/users/add/"));
    let restored = Form::with(&page, "Restore it").send(&mut first, HERE, "x").await;
    assert_eq!(restored.header("location"), HERE);
    first.page(HERE).await;
}

#[tokio::test]
async fn a_bent_basis_is_a_conflict_and_no_fault() {
    let server = TestServer::start().await;
    let (mut first, form, ..) = two_with_forms(&server).await;
    for bent in ["", "null", "[]", "{\"username\": 7}", "{", "{\"username\": {\"a\": []}, \"groups\": \"x\"}"] {
        let form = form.clone().set("original", &[bent]).set("version", &["-1"]).set("keep_username", &["theirs"]);
        let answer = form.save(&mut first).await;
        assert_eq!(answer.status, 409, "{bent}");
    }
    assert_eq!(server.count("users WHERE username = 'jane'").await, 1);
}
