//! No other way in leaves the second factor out, and nobody loses it by accident.

use gatepost::config::Config;

use crate::cognito::sign_in::{Begun, server_with};
use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::client::Answer;
use crate::harness::factor::PAGE;
use crate::harness::form::{Form, undo};
use crate::harness::provider::ProviderFixture;
use crate::harness::{TestServer, assert_has, assert_lacks};

const NEW: &str = "a much-better Passphrase 7";

/// Fails unless the sign-in with this password asks for a code.
async fn assert_asked(server: &TestServer, password: &str) {
    let answer = AdminClient::new(server.address).sign_in("alice", password).await;
    assert_eq!(answer.redirect(), (303, "/admin/login/code/?next=/admin/"), "{}", answer.text());
}

async fn id(server: &TestServer, name: &str) -> String {
    server.texts(&format!("SELECT CAST(id AS TEXT) FROM users WHERE username = '{name}'")).await.remove(0)
}

#[tokio::test]
async fn a_new_password_keeps_the_second_factor() {
    let (server, mut root) = TestServer::with_superuser().await;
    let (.., mut alice) = server.staff_with_factor("alice").await;
    alice.page("/admin/password_change/").await;
    let fields = [("old_password", PASSWORD), ("new_password1", NEW), ("new_password2", NEW)];
    assert_eq!(alice.post("/admin/password_change/", &fields).await.redirect(), (303, "/admin/"));
    assert!(alice.is_in().await);
    assert_asked(&server, NEW).await;
    // Set by somebody else, taken away and set again.
    let path = format!("/admin/users/{}/password/", id(&server, "alice").await);
    for usable in ["true", "false", "true"] {
        root.page(&path).await;
        let fields = [("usable_password", usable), ("password1", PASSWORD), ("password2", PASSWORD)];
        assert_eq!(root.post(&path, &fields).await.status, 303);
        assert_eq!(server.count("second_factors").await, 1, "{usable}");
    }
    assert_asked(&server, PASSWORD).await;
    assert!(!alice.is_in().await);
}

#[tokio::test]
async fn a_change_of_the_user_keeps_the_second_factor() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.staff_with_factor("alice").await;
    let path = format!("/admin/users/{}/change/", id(&server, "alice").await);
    let page = root.page(&path).await;
    assert_has(&page, &["Second factor since", "Reset second factor"]);
    let form = Form::with(&page, "name=\"_save\"").set("first_name", &["Alice"]).set("is_superuser", &["on"]);
    assert_eq!(form.send(&mut root, &path, "_save").await.status, 303);
    assert_eq!(server.count("users WHERE first_name = 'Alice' AND is_superuser").await, 1);
    assert_asked(&server, PASSWORD).await;
    // Off and on again.
    for action in ["deactivate", "activate", "unlink"] {
        root.page(&path).await;
        root.post(&path.replace("change", "action"), &[("action", action)]).await;
        root.post("/admin/users/", &[("action", action), ("_selected_action", &id(&server, "alice").await)]).await;
    }
    assert_asked(&server, PASSWORD).await;
}

#[tokio::test]
async fn who_was_deleted_comes_back_with_the_factor_and_with_what_was_used_up() {
    let (server, mut root) = TestServer::with_superuser().await;
    let (app, codes, alice) = server.staff_with_factor("alice").await;
    let mut elsewhere = AdminClient::new(server.address);
    elsewhere.give_password("alice").await;
    assert_eq!(elsewhere.give_code(&codes[0]).await.status, 303);
    let state = async || {
        server
            .texts(
                "SELECT concat_ws(' ', user_id, secret, last_step, confirmed_at) FROM second_factors
                 UNION ALL SELECT concat_ws(' ', id, user_id, code_hash, created_at) FROM recovery_codes ORDER BY 1",
            )
            .await
    };
    let before = state().await;
    let here = format!("/admin/users/{}/delete/", id(&server, "alice").await);
    let page = root.page(&here).await;
    assert_has(&page, &["<div><dt>Second factors</dt><dd>1 deleted</dd></div>"]);
    let answer = Form::with(&page, "Delete the user alice").send(&mut root, &here, "x").await;
    let page = root.follow(&answer).await;
    assert_eq!(state().await, [""; 0]);
    assert_lacks(&server.texts("SELECT content FROM deleted_rows").await.join(""), &[&app.base32, &codes[1]]);
    undo(&mut root, &page).await;
    assert_eq!((before.len(), state().await), (10, before));
    assert_asked(&server, PASSWORD).await;
    assert!(!alice.is_in().await, "no session comes back");
    let mut again = AdminClient::new(server.address);
    again.give_password("alice").await;
    assert_eq!(again.give_code(&codes[0]).await.status, 200, "it was used before");
    assert_eq!(again.give_code(&app.code(1)).await.status, 303);
}

#[tokio::test]
async fn a_session_from_before_ends_with_any_change_of_the_factor() {
    let server = TestServer::start().await;
    server.staff("bob", |_| {}).await;
    let bob = server.sign_in("bob").await;
    let (.., alice) = server.staff_with_factor("alice").await;
    let secret = server.texts("SELECT secret FROM second_factors").await.remove(0);
    assert!(alice.is_in().await && bob.is_in().await);
    // Past the functions that would end the sessions: the guard itself must see it.
    for (name, client, change) in [
        (
            "bob",
            &bob,
            format!(
                "INSERT INTO second_factors SELECT id, '{secret}', 0, '2026-01-01 00:00:00' FROM users WHERE username = 'bob'"
            ),
        ),
        ("alice", &alice, "DELETE FROM second_factors".to_owned()),
    ] {
        server.sql(change).await;
        let api = client.call("GET", "/me/").header("accept", "text/html").header("sec-fetch-site", "same-origin");
        assert_eq!(api.status().await, 401, "{name}");
        assert!(!client.is_in().await, "{name}");
    }
}

#[tokio::test]
async fn a_superuser_resets_the_factor_of_others_and_nobody_else_does() {
    let (server, mut root) = TestServer::with_superuser().await;
    let (.., alice) = server.staff_with_factor("alice").await;
    let mut helper = server.staff_with("helper", &["users.change_user", "users.view_user"]).await;
    let alices = id(&server, "alice").await;
    let path = format!("/admin/users/{alices}/action/");
    let fields = [("action", "reset_second_factor")];
    // Whoever may set Alice's password, but is no superuser.
    assert_lacks(&helper.page(&format!("/admin/users/{alices}/change/")).await, &["Reset second factor"]);
    assert_lacks(&helper.page("/admin/users/").await, &["Reset second factors of selected users"]);
    assert_has(&root.page("/admin/users/").await, &["Reset second factors of selected users"]);
    helper.post(&path, &fields).await;
    assert_has(&helper.page("/admin/").await, &["Only superusers can reset a second factor. Nothing was changed."]);
    helper.post("/admin/users/", &[fields[0], ("_selected_action", &alices)]).await;
    let mut stranger = server.staff_with("stranger", &[]).await;
    assert_eq!(stranger.post(&path, &fields).await.status, 403);
    assert_eq!((server.count("second_factors").await, alice.is_in().await), (1, true));
    // A superuser's own goes by password and code alone.
    let (_, codes) = root.enrol().await;
    let roots = id(&server, "root").await;
    assert_lacks(&root.page(&format!("/admin/users/{roots}/change/")).await, &["Reset second factor"]);
    root.post(&format!("/admin/users/{roots}/action/"), &fields).await;
    assert_eq!((server.count("second_factors").await, codes.len()), (2, 10));

    root.page(&format!("/admin/users/{alices}/change/")).await;
    assert_eq!(root.post(&path, &fields).await.status, 303);
    assert_has(&root.page("/admin/").await, &["1 user left without a second factor."]);
    assert!(!alice.is_in().await, "her sessions end");
    assert_eq!((server.count("second_factors").await, server.count("recovery_codes").await), (1, 10));
    let last = server
        .texts("SELECT concat_ws(' ', actor, source, object, changes) FROM history ORDER BY id DESC LIMIT 1")
        .await;
    assert_eq!(last, [r#"root admin alice {"second_factor":[true,false]}"#]);
    server.sign_in("alice").await;
}

/// Comes back from Cognito as this user.
async fn by_cognito(server: &TestServer, provider: &ProviderFixture, name: &str) -> (AdminClient, Answer) {
    let mut flow = Begun::at(server, "/admin/articles/").await;
    provider.issues(&flow.token(server, name).sign());
    let answer = flow.come_back().await;
    (flow.browser, answer)
}

const CODE: (u16, &str) = (303, "/admin/login/code/?next=/admin/articles/");

#[tokio::test]
async fn cognito_takes_the_place_of_the_password_and_not_of_the_code() {
    let (server, provider) = server_with(|_| {}).await;
    let (app, codes, _) = server.staff_with_factor("alice").await;
    let (mut alice, answer) = by_cognito(&server, &provider, "alice").await;
    assert_eq!(answer.redirect(), CODE, "{}", answer.text());
    assert!(!alice.is_in().await);
    alice.page(answer.header("location")).await;
    assert_has(&alice.give_code(&app.wrong_code()).await.text(), &["This code is wrong"]);
    assert!(!alice.is_in().await);
    assert_eq!(alice.give_code(&codes[0]).await.status, 303);
    assert!(alice.is_in().await);
    assert_has(&alice.page(PAGE).await, &[">On</span>"]);

    // With passwords closed, the code is still asked for.
    let closed = TestServer::start_with(|config| {
        *config = Config { password_sign_in: false, ..server.config.clone() };
    })
    .await;
    let (mut alice, answer) = by_cognito(&closed, &provider, "alice").await;
    assert_eq!(answer.redirect(), CODE);
    alice.page(answer.header("location")).await;
    assert_eq!(alice.give_code(&codes[1]).await.status, 303);
    assert!(alice.is_in().await);

    // Without a password, no factor can be set up.
    server.sql("DELETE FROM second_factors; UPDATE users SET password = NULL").await;
    let (mut alice, answer) = by_cognito(&server, &provider, "alice").await;
    assert_eq!(answer.redirect(), (303, "/admin/articles/"));
    let page = alice.page(PAGE).await;
    assert_has(&page, &["A second factor protects sign-ins with a password, and your account has none."]);
    assert_lacks(&page, &["Set up</button>"]);
    assert_eq!(alice.post(PAGE, &[("action", "begin"), ("password", "")]).await.status, 303);
    assert_lacks(&alice.page(PAGE).await, &["otpauth:"]);
    let page = alice.page("/admin/password_change/").await;
    assert_has(&page, &["Your account has no password: you sign in with Cognito."]);
    assert_lacks(&page, &["Current password"]);
}

#[tokio::test]
async fn an_address_that_somebody_else_has_set_does_not_replace_the_code() {
    let (server, provider) = server_with(|_| {}).await;
    server.staff_with_factor("alice").await;
    let mut root = server.superuser().await;
    let path = format!("/admin/users/{}/change/", id(&server, "alice").await);
    let form = root.open_form(&path).await.set("email", &["mallory@example.com"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    let (mallory, answer) = by_cognito(&server, &provider, "mallory").await;
    assert_eq!(answer.redirect(), CODE, "{}", answer.text());
    assert!(!mallory.is_in().await);
    for path in ["/admin/", "/admin/articles/", PAGE] {
        assert_eq!(mallory.call("GET", path).status().await, 302, "{path}");
    }
}

#[tokio::test]
async fn a_session_that_began_with_cognito_ends_with_the_link() {
    let (server, provider) = server_with(|_| {}).await;
    server.staff("jane", |_| {}).await;
    let (jane, _) = by_cognito(&server, &provider, "jane").await;
    let by_password = server.sign_in("jane").await;
    assert!(jane.is_in().await);
    let mut root = server.superuser().await;
    let path = format!("/admin/users/{}/", id(&server, "jane").await);
    root.page(&format!("{path}change/")).await;
    let answer = root.post(&format!("{path}action/"), &[("action", "unlink")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(!jane.is_in().await);
    assert!(by_password.is_in().await, "the password is still hers");
    let (jane, _) = by_cognito(&server, &provider, "jane").await;
    assert!(jane.is_in().await, "linked again by the address");
}

#[tokio::test]
async fn a_session_that_was_renewed_is_still_bound_to_the_factor() {
    let server = TestServer::start().await;
    let (.., mut alice) = server.staff_with_factor("alice").await;
    let before = alice.session().to_owned();
    alice.page("/admin/password_change/").await;
    let fields = [("old_password", PASSWORD), ("new_password1", NEW), ("new_password2", NEW)];
    assert_eq!(alice.post("/admin/password_change/", &fields).await.status, 303);
    assert_ne!(alice.session(), before);
    assert!(alice.is_in().await);
    server.sql("DELETE FROM second_factors").await;
    assert!(!alice.is_in().await);
}
