//! Staff who must have a second factor, and do not have one yet.

use gatepost::users::second_factor::Required;

use crate::cognito::sign_in::{Begun, server_with};
use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::factor::PAGE;
use crate::harness::{TestServer, assert_has, assert_lacks};

async fn server(required: Required) -> TestServer {
    TestServer::start_with(|config| config.second_factor_required = required).await
}

#[tokio::test]
async fn without_a_factor_there_is_nothing_but_the_page_to_set_it_up() {
    let server = server(Required::Staff).await;
    server.staff("alice", |new| new.is_superuser = true).await;
    server.articles(&["One"]).await;
    let mut alice = server.sign_in("alice").await;
    let page = alice.page(PAGE).await;
    assert_has(&page, &["Your account needs a second factor.", "Sign out"]);
    assert_lacks(&page, &["/admin/users/", "/admin/articles/"]);
    for (path, next) in [
        ("/admin/", "/admin/"),
        ("/admin/users/", "/admin/users/"),
        ("/admin/users/1/change/", "/admin/users/1/change/"),
        ("/admin/users/export/?q=a", "/admin/users/export/%3Fq%3Da"),
        ("/admin/password_change/", "/admin/password_change/"),
        ("/admin/sessions/", "/admin/sessions/"),
        ("/admin/history/", "/admin/history/"),
        ("/admin/search/?q=a", "/admin/search/%3Fq%3Da"),
        ("/admin/nope", "/admin/nope"),
        ("/admin", "/admin"),
        ("/admin//second_factor/", "/admin//second_factor/"),
        ("/admin/%73econd_factor/", "/admin/%2573econd_factor/"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = alice.call(method, path).send().await;
            let expected = format!("/admin/second_factor/?next={next}");
            assert_eq!(answer.redirect(), (302, expected.as_str()), "{method} {path}");
        }
    }
    for (path, fields) in [
        ("/admin/users/1/change/", ("first_name", "x")),
        ("/admin/articles/add/", ("name", "x")),
        ("/admin/articles/", ("action", "delete_selected")),
        ("/admin/password_change/", ("old_password", PASSWORD)),
        ("/admin/undo/", ("batch", "x")),
        ("/admin/sessions/revoke-others/", ("x", "x")),
        ("/admin/second_factor/../users/", ("x", "x")),
    ] {
        let answer = alice.post(path, &[fields]).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    for (method, path) in [("GET", "/me/"), ("GET", "/articles/"), ("POST", "/articles/"), ("DELETE", "/articles/1/")] {
        let call = alice.call(method, path).header("accept", "text/html").header("sec-fetch-site", "same-origin");
        assert_eq!(call.header("x-csrftoken", &alice.token).status().await, 401, "{method} {path}");
    }
    assert_eq!((server.count("articles").await, server.count("users WHERE first_name = 'x'").await), (1, 0));
    // The theme and the way out are there.
    assert_eq!(alice.post("/admin/theme/", &[("theme", "dark")]).await.status, 303);
    assert_eq!(alice.clone().post("/admin/logout/", &[]).await.status, 200);
    assert_eq!(server.count("sessions").await, 0);
}

#[tokio::test]
async fn with_a_factor_the_way_leads_where_the_user_wanted_to_go() {
    let server = server(Required::Staff).await;
    server.staff("alice", |new| new.is_superuser = true).await;
    let mut alice = AdminClient::new(server.address);
    alice.get("/admin/login/").await;
    let fields = [("username", "alice"), ("password", PASSWORD), ("next", "/admin/users/?q=a")];
    let answer = alice.post("/admin/login/", &fields).await;
    assert_eq!(answer.redirect(), (303, "/admin/users/?q=a"));
    let answer = alice.get("/admin/users/?q=a").await;
    let page = alice.follow(&answer).await;
    assert_has(&page, &[r#"name="next" value="/admin/users/?q=a""#]);
    let (app, _) = alice.enrol().await;
    assert_has(&alice.page("/admin/users/?q=a").await, &["alice"]);
    // Turning it off leads back to the page, and so does a sign-in after a reset.
    alice.page(PAGE).await;
    let answer = alice.post(PAGE, &[("action", "off"), ("password", PASSWORD), ("code", &app.code(1))]).await;
    assert_eq!(answer.redirect(), (303, PAGE));
    assert_has(&alice.page(PAGE).await, &["Your account needs a second factor."]);
    assert_eq!(alice.get("/admin/").await.redirect(), (302, "/admin/second_factor/?next=/admin/"));
}

#[tokio::test]
async fn the_setting_says_whom_it_concerns() {
    for (required, concerned) in
        [(Required::Nobody, [false, false]), (Required::Superusers, [false, true]), (Required::Staff, [true, true])]
    {
        let server = server(required).await;
        server.staff("member", |_| {}).await;
        server.staff("boss", |new| new.is_superuser = true).await;
        for (name, is_concerned) in ["member", "boss"].into_iter().zip(concerned) {
            let client = server.sign_in(name).await;
            let expected = if is_concerned { 302 } else { 200 };
            assert_eq!(client.call("GET", "/admin/").status().await, expected, "{required:?} {name}");
        }
        // Who becomes a superuser is concerned at once.
        if required == Required::Superusers {
            let member = server.sign_in("member").await;
            server.sql("UPDATE users SET is_superuser = TRUE").await;
            assert_eq!(member.call("GET", "/admin/").status().await, 302);
        }
    }
}

#[tokio::test]
async fn a_sign_in_with_cognito_is_not_concerned() {
    let (server, provider) = server_with(|config| config.second_factor_required = Required::Staff).await;
    server.staff("alice", |_| {}).await;
    let mut flow = Begun::at(&server, "/admin/").await;
    provider.issues(&flow.token(&server, "alice").sign());
    assert_eq!(flow.come_back().await.redirect(), (303, "/admin/"));
    assert!(flow.browser.is_in().await);
    // The same user with the password is, and may choose Cognito instead.
    let by_password = server.sign_in("alice").await;
    assert_eq!(by_password.call("GET", "/admin/").status().await, 302);
    assert_has(&by_password.call("GET", "/admin/login/").send().await.text(), &["Sign in with Cognito"]);
    let mut flow = Begun::in_browser(by_password, "/admin/").await;
    provider.issues(&flow.token(&server, "alice").sign());
    assert_eq!(flow.come_back().await.redirect(), (303, "/admin/"));
    assert!(flow.browser.is_in().await);
}
