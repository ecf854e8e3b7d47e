//! The forms that add and change rows.

use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::form::Form;
use crate::harness::html::link;
use crate::harness::{TestServer, assert_has, assert_lacks};

const ADD_USER: &str = "/admin/users/add/";

fn change(slug: &str, id: i64) -> String {
    format!("/admin/{slug}/{id}/change/")
}

#[tokio::test]
async fn a_user_with_the_e_mail_of_cognito_is_made_in_one_form_and_then_the_token_works() {
    let server = TestServer::start().await;
    let token = server.pool.token("jane").sign();
    assert_eq!(server.get("/me/", &token).await.status, 401);
    let mut root = server.superuser().await;
    let form = root.open_form(ADD_USER).await;
    let form = form.set("username", &["jane"]).set("email", &["jane@example.com"]);
    let answer = form.save(&mut root).await;
    assert_eq!(answer.redirect(), (303, "/admin/users/"), "{}", answer.text());
    let list = root.follow(&answer).await;
    assert_has(&list, &["The user “jane” was added successfully."]);
    let me = server.get("/me/", &token).await;
    assert_eq!((me.status, me.json()["username"].as_str()), (200, Some("jane")));
    let id = me.json()["id"].as_i64().expect("an id");
    let page = root.page(&change("users", id)).await;
    assert_has(&page, &["Linked", "Subject (sub)"]);
    assert_has(&page, &["None: signs in with Cognito only"]);
    let origin = server.texts("SELECT origin FROM users WHERE username = 'jane'").await;
    assert_eq!(origin, ["admin"]);
}

#[tokio::test]
async fn each_save_button_leads_where_it_says() {
    let (server, mut root) = TestServer::with_superuser().await;
    let add = "/admin/articles/add/?_changelist_filters=q%3Dtree%26o%3D-name";
    let form = root.open_form(add).await.set("name", &["  How trees keep time \u{1f}"]);
    let answer = form.send(&mut root, add, "_continue").await;
    assert_eq!(answer.header("location"), "/admin/articles/1/change/?_changelist_filters=q%3Dtree%26o%3D-name");
    let page = root.follow(&answer).await;
    let text = "The article “How trees keep time” was added successfully. You may edit it again below.";
    assert_has(&page, &[text]);
    let here = change("articles", 1) + "?_changelist_filters=q%3Dtree%26o%3D-name";
    let form = Form::with(&page, "_save");
    assert_eq!(form.get("name"), Some("How trees keep time"));
    let answer = form.clone().set("name", &["Trees"]).send(&mut root, &here, "_addanother").await;
    assert_eq!(answer.header("location"), "/admin/articles/add/?_changelist_filters=q%3Dtree%26o%3D-name");
    let page = root.follow(&answer).await;
    let text = "The article “Trees” was changed successfully. You may add another article below.";
    assert_has(&page, &[text]);
    let form = root.open_form(&here).await;
    let answer = form.save(&mut root).await;
    assert_eq!(answer.header("location"), "/admin/articles/?q=tree&o=-name");
    assert_eq!(server.count("history WHERE action = 'changed'").await, 1);
}

#[tokio::test]
async fn filters_that_are_kept_lead_nowhere_else() {
    let (_server, mut root) = TestServer::with_superuser().await;
    for bent in ["//evil.example", "https://evil.example/", "%0d%0aLocation: https://evil.example", "\\evil"] {
        let kept = form_urlencoded::byte_serialize(bent.as_bytes()).collect::<String>();
        let add = format!("/admin/articles/add/?_changelist_filters={kept}");
        let form = root.open_form(&add).await.set("name", &["x"]);
        let answer = form.save(&mut root).await;
        assert_eq!(answer.status, 303);
        let location = answer.header("location");
        assert!(location.starts_with("/admin/articles/?") && !location.contains(['\r', '\n']), "{location}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_field_and_what_was_typed_stays_but_for_passwords() {
    let server = TestServer::start().await;
    server.user("taken").await;
    let mut root = server.superuser().await;
    let form = root
        .open_form(ADD_USER)
        .await
        .set("username", &["taken one"])
        .set("email", &["nothing"])
        .set("first_name", &["<b>Jane</b>"])
        .set("usable_password", &["true"])
        .set("password1", &["sh0rt-Pw"])
        .set("password2", &["another-Pw"]);
    let answer = form.send(&mut root, ADD_USER, "_save").await;
    assert_eq!(answer.status, 400);
    let page = answer.text();
    assert_has(&page, &["Fix the 3 errors below. Nothing has been saved."]);
    for (id, message) in [
        ("id_username", "Username: Enter a valid username."),
        ("id_email", "E-mail: Enter a valid e-mail address."),
        ("id_password2", "Confirm password: The two password fields didn’t match."),
    ] {
        assert!(page.contains(&format!("<a href=\"#{id}\">{message}")), "{message}: {page}");
        assert_has(&page, &[&format!("id=\"{id}-errors\"")]);
    }
    assert_has(&page, &[r#"aria-invalid="true" aria-describedby="id_email-errors id_email-help""#]);
    let form = Form::with(&page, "_save");
    assert_eq!((form.get("username"), form.get("email")), (Some("taken one"), Some("nothing")));
    assert_eq!(form.get("first_name"), Some("<b>Jane</b>"));
    assert_lacks(&page, &["<b>Jane", "sh0rt-Pw", "another-Pw"]);
    assert_eq!(form.get("usable_password"), Some("true"));
    let form = form.set("username", &["taken"]).set("email", &[""]).set("usable_password", &["false"]);
    let answer = form.send(&mut root, ADD_USER, "_save").await;
    assert_eq!(answer.status, 400);
    assert_has(&answer.text(), &["Fix the error below."]);
    assert_has(&answer.text(), &["A user with that username already exists."]);
    assert_eq!(server.count("users").await, 2);
}

#[tokio::test]
async fn texts_have_limits_and_no_null_characters() {
    let (_server, mut root) = TestServer::with_superuser().await;
    for (field, value, message) in [
        ("username", "x".repeat(151), "Ensure this field has no more than 150 characters."),
        ("first_name", "é".repeat(151), "Ensure this field has no more than 150 characters."),
        ("last_name", "y".repeat(151), "Ensure this field has no more than 150 characters."),
        ("last_name", "a\0b".to_owned(), "Null characters are not allowed."),
        ("email", format!("{}@example.com", "x".repeat(250)), "Ensure this field has no more than 254 characters."),
        ("username", " ".to_owned(), "This field may not be blank."),
        ("groups", "77".to_owned(), "Select a valid choice. 77 is not one of the available choices."),
        ("user_permissions", "articles.eat_article".to_owned(), "Select a valid choice."),
    ] {
        let form = root.open_form(ADD_USER).await.set("username", &["jane"]).set(field, &[&value]);
        let answer = form.save(&mut root).await;
        assert_eq!(answer.status, 400, "{field}");
        assert!(answer.text().contains(message), "{field}: {}", answer.text());
    }
    let longest = "é".repeat(150);
    let form = root.open_form(ADD_USER).await.set("username", &["jane"]).set("last_name", &[&longest]);
    assert_eq!(form.save(&mut root).await.status, 303);
}

#[tokio::test]
async fn an_e_mail_that_is_there_in_another_case_is_named() {
    let server = TestServer::start().await;
    server.user_with("jane", |new| new.email = "Jane@Example.com".to_owned()).await;
    let mut root = server.superuser().await;
    let form = root.open_form(ADD_USER).await.set("username", &["other"]);
    let answer = form.clone().set("email", &["jane@example.com"]).save(&mut root).await;
    let message = "A user with this e-mail already exists: jane (Jane@Example.com).";
    assert!(answer.status == 400 && answer.text().contains(message), "{}", answer.text());
    let answer = form.set("email", &["Jane@Example.com"]).save(&mut root).await;
    assert_has(&answer.text(), &["A user with that e-mail already exists."]);
}

#[tokio::test]
async fn a_password_is_optional_keeps_djangos_rules_and_opens_the_admin() {
    let (server, mut root) = TestServer::with_superuser().await;
    for (password, message) in [
        ("", "This field is required."),
        ("short1!", "This password is too short."),
        ("password", "This password is too common."),
        ("8361940275", "This password is entirely numeric."),
        ("janet.miller", "The password is too similar to the username."),
    ] {
        let form = root.open_form(ADD_USER).await.set("username", &["janet.miller"]);
        let form = form.set("usable_password", &["true"]).set("password1", &[password]).set("password2", &[password]);
        let answer = form.save(&mut root).await;
        assert!(answer.status == 400 && answer.text().contains(message), "{password}: {}", answer.text());
    }
    let form = root.open_form(ADD_USER).await.set("username", &["janet"]).set("is_staff", &["on"]);
    let form = form.set("usable_password", &["true"]).set("password1", &[PASSWORD]).set("password2", &[PASSWORD]);
    assert_eq!(form.save(&mut root).await.status, 303);
    server.sign_in("janet").await;
    let changes = server.texts("SELECT changes FROM history").await.join("\n");
    assert_lacks(&changes, &["argon2", PASSWORD]);
}

#[tokio::test]
async fn the_query_fills_in_a_new_form() {
    let server = TestServer::start().await;
    server.groups(&["Editors"]).await;
    let mut root = server.superuser().await;
    let query = "?username=%3Ci%3Ejane&is_staff=on&groups=1&password1=secret&is_superuser=off&unknown=x";
    let form = root.open_form(&format!("{ADD_USER}{query}")).await;
    assert_eq!(form.get("username"), Some("<i>jane"));
    assert_eq!((form.get("is_staff"), form.get("is_active"), form.get("is_superuser")), (Some("on"), Some("on"), None));
    assert_eq!((form.all("groups"), form.get("password1"), form.get("unknown")), (vec!["1"], Some(""), None));
}

#[tokio::test]
async fn the_history_has_every_fields_old_and_new_value() {
    let server = TestServer::start().await;
    let jane = server.user("jane").await;
    server.groups(&["Editors", "Viewers"]).await;
    server.sql(format!("INSERT INTO user_groups VALUES ({}, 1)", jane.id)).await;
    let mut root = server.superuser().await;
    let here = change("users", jane.id);
    let form = root
        .open_form(&here)
        .await
        .set("username", &["jane.doe"])
        .set("email", &["doe@example.com"])
        .set("first_name", &["Jane"])
        .set("last_name", &["Doe"])
        .set("is_active", &[])
        .set("is_staff", &["on"])
        .set("is_superuser", &["on"])
        .set("groups", &["2"])
        .set("user_permissions", &["articles.view_article", "articles.add_article"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    let changes = server.texts("SELECT changes FROM history WHERE action = 'changed' AND model = 'user'").await;
    let changes: serde_json::Value = serde_json::from_str(&changes[0]).expect("JSON");
    let expected = serde_json::json!({
        "username": ["jane", "jane.doe"],
        "email": ["jane@example.com", "doe@example.com"],
        "first_name": ["", "Jane"],
        "last_name": ["", "Doe"],
        "is_active": [true, false],
        "is_staff": [false, true],
        "is_superuser": [false, true],
        "groups": [["Editors"], ["Viewers"]],
        "user_permissions": [[], ["articles.add_article", "articles.view_article"]],
    });
    assert_eq!(changes, expected);
    let source = server.texts("SELECT actor || ' ' || source FROM history ORDER BY id DESC LIMIT 1").await;
    assert_eq!(source, ["root admin"]);
}

#[tokio::test]
async fn a_group_gives_its_members_what_it_has() {
    let (server, mut root) = TestServer::with_superuser().await;
    let add = "/admin/groups/add/";
    let form = root.open_form(add).await.set("name", &["Editors"]);
    let form = form.set("permissions", &["articles.view_article"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    let again = form.save(&mut root).await;
    assert_has(&again.text(), &["A group with that name already exists."]);
    let blank = form.set("name", &["  "]).save(&mut root).await;
    assert_has(&blank.text(), &["This field may not be blank."]);
    let editor = server.staff("editor", |_| {}).await;
    let mut client = server.sign_in("editor").await;
    assert_eq!(client.get("/admin/articles/add/").await.status, 403);
    let here = change("users", editor.id);
    let form = root.open_form(&here).await.set("groups", &["1"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    let here = change("groups", 1);
    let page = root.page(&here).await;
    assert_has(&page, &["1 user"]);
    let form = Form::with(&page, "_save").set("permissions", &["articles.add_article", "articles.view_article"]);
    assert_eq!(form.send(&mut root, &here, "_save").await.status, 303);
    client.page("/admin/articles/add/").await;
    let changes = server.texts("SELECT changes FROM history WHERE action = 'changed' AND model = 'group'").await;
    assert_eq!(
        changes,
        [r#"{"permissions":[["articles.view_article"],["articles.add_article","articles.view_article"]]}"#]
    );
}

#[tokio::test]
async fn who_may_only_view_sees_values_and_a_way_out() {
    let server = TestServer::start().await;
    let jane = server.user_with("jane", |new| new.first_name = "<script>x</script>".to_owned()).await;
    let mut viewer = server.staff_with("viewer", &["users.view_user"]).await;
    let page = viewer.page(&change("users", jane.id)).await;
    assert_has(&page, &["View only", ">Close</a>"]);
    assert_has(&page, &["jane@example.com"]);
    assert_lacks(&page, &["_save", "Unlink"]);
    assert_lacks(&page, &["<script>x"]);
    let answer = viewer.post(&change("users", jane.id), &[("username", "changed")]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(viewer.get(ADD_USER).await.status, 403);
    assert_eq!(server.count("users WHERE username = 'jane'").await, 1);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (_server, mut root) = TestServer::with_superuser().await;
    for path in [
        "/admin/users/99/change/",
        "/admin/users/x/change/",
        "/admin/users/99999999999999999999/change/",
        "/admin/users/99/delete/",
        "/admin/users/99/password/",
        "/admin/nothing/add/",
        "/admin/nothing/1/change/",
    ] {
        let answer = root.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("<h1>"), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_address_of_a_row_alone_leads_to_its_form() {
    let (server, mut root) = TestServer::with_superuser().await;
    let answer = root.get("/admin/users/1/?_changelist_filters=q%3Droot").await;
    assert_eq!(answer.redirect(), (303, "/admin/users/1/change/?_changelist_filters=q%3Droot"));
    for path in ["/admin/users/root/", "/admin/nothing/1/", "/admin/users/99999999999999999999/", "/admin/history/1/"] {
        assert_eq!(root.get(path).await.status, 404, "{path}");
    }
    server.staff("clerk", |_| {}).await;
    assert_eq!(server.sign_in("clerk").await.get("/admin/users/1/").await.status, 403, "without rights");
    let stranger = AdminClient::new(server.address).get("/admin/users/1/").await;
    assert_eq!(stranger.redirect(), (302, "/admin/login/?next=/admin/users/1/"));
}

#[tokio::test]
async fn only_declared_fields_are_taken() {
    let server = TestServer::start().await;
    let jane = server.user("jane").await;
    let mut root = server.superuser().await;
    let here = change("users", jane.id);
    let columns = "SELECT concat_ws(' ', id, password, cognito_sub, cognito_issuer, origin, date_joined, email_key)
                   FROM users WHERE id = 1";
    let before = server.texts(columns).await;
    let mut form = root.open_form(&here).await;
    for name in ["id", "password", "cognito_sub", "cognito_issuer", "origin", "date_joined", "email_key", "last_login"]
    {
        form = form.set(name, &["7"]);
    }
    let form = form.set("usable_password", &["true"]).set("password1", &[PASSWORD]).set("password2", &[PASSWORD]);
    assert_eq!(form.save(&mut root).await.status, 303);
    assert_eq!(server.texts(columns).await, before);
    let form = root.open_form(ADD_USER).await.set("username", &["other"]);
    let form = form.set("password", &["!"]).set("origin", &["first_token"]).set("cognito_sub", &["x"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    let other =
        server.texts("SELECT concat_ws(' ', password, cognito_sub, origin) FROM users WHERE username = 'other'");
    assert_eq!(other.await, ["admin"], "no password and no link");
}

#[tokio::test]
async fn every_form_is_refused_without_its_token() {
    let server = TestServer::start().await;
    let jane = server.user("jane").await;
    let root = server.superuser().await;
    let forms = [
        ADD_USER.to_owned(),
        change("users", jane.id),
        format!("/admin/users/{}/delete/", jane.id),
        format!("/admin/users/{}/action/", jane.id),
        format!("/admin/users/{}/password/", jane.id),
        "/admin/users/".to_owned(),
        "/admin/undo/".to_owned(),
    ];
    let fields = [("username", "changed"), ("action", "deactivate"), ("_selected_action", "1"), ("post", "yes")];
    for path in forms {
        assert_eq!(root.form(&path, &fields).status().await, 403, "{path}");
    }
    let rows = "users WHERE username = 'jane' AND is_active";
    assert_eq!(server.count(rows).await, 1);
}

#[tokio::test]
async fn an_unlinked_user_links_again_with_the_next_token() {
    let (server, token) = TestServer::with_alice().await;
    assert_eq!(server.get("/me/", &token).await.status, 200);
    let mut root = server.superuser().await;
    let here = change("users", 1);
    let ask = link(&root.page(&here).await, "Unlink");
    let page = root.page(&ask).await;
    assert_has(&page, &["Unlink the user alice from Cognito"]);
    let answer = Form::with(&page, "value=\"unlink\"").send(&mut root, &ask, "x").await;
    assert_eq!(answer.header("location"), here);
    let page = root.follow(&answer).await;
    assert_has(&page, &["1 user unlinked.", "Not linked"]);
    assert_lacks(&page, &["action=unlink"]);
    let unlinked = server.texts("SELECT changes FROM history ORDER BY id DESC LIMIT 1").await;
    assert!(unlinked[0].contains("cognito_sub") && unlinked[0].contains(",null]"), "{unlinked:?}");
    assert_eq!(server.get("/me/", &token).await.status, 200);
    assert_eq!(server.count("users WHERE cognito_sub IS NOT NULL").await, 1);
}

#[tokio::test]
async fn another_users_password_is_set_or_taken_away_and_their_sessions_end() {
    let server = TestServer::start().await;
    let jane = server.staff("jane", |_| {}).await;
    let mut root = server.superuser().await;
    let mut client = server.sign_in("jane").await;
    let here = format!("/admin/users/{}/password/", jane.id);
    let form = Form::with(&root.page(&here).await, "password1");
    let bad = form.clone().set("password1", &["example.1"]).set("password2", &["example.1"]);
    let answer = bad.send(&mut root, &here, "x").await;
    assert_eq!(answer.status, 400);
    assert_has(&answer.text(), &["too similar to the e-mail"]);
    assert_lacks(&answer.text(), &["example.1"]);
    client.page("/admin/").await;
    let good = form.clone().set("password1", &["Zq8-other-pass"]).set("password2", &["Zq8-other-pass"]);
    let answer = good.send(&mut root, &here, "x").await;
    assert_eq!(answer.header("location"), change("users", jane.id));
    assert_eq!(client.get("/admin/").await.status, 302);
    let mut client = AdminClient::new(server.address);
    assert_eq!(client.sign_in("jane", "Zq8-other-pass").await.status, 303);
    let none = form.set("usable_password", &["false"]).send(&mut root, &here, "x").await;
    assert_eq!(none.status, 303);
    assert_eq!(client.get("/admin/").await.status, 302);
    assert_eq!(server.count("users WHERE username = 'jane' AND password IS NULL").await, 1);
    let changes = server.texts("SELECT changes FROM history WHERE action = 'changed'").await;
    assert_eq!(changes, [r#"{"password":"changed"}"#; 2]);
    let own = root.get("/admin/users/2/password/").await;
    assert_eq!(own.header("location"), "/admin/password_change/");
}
