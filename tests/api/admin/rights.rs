//! What staff may not do: give rights beyond their own, or touch whoever has more.

use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::client::Answer;
use crate::harness::form::{Form, undo};
use crate::harness::{TestServer, assert_has, assert_lacks};

const CLERK: &[&str] = &[
    "users.view_user",
    "users.add_user",
    "users.change_user",
    "users.delete_user",
    "groups.view_group",
    "groups.add_group",
    "groups.change_group",
    "groups.delete_group",
    "articles.view_article",
];

fn change(id: i64) -> String {
    format!("/admin/users/{id}/change/")
}

fn password(id: i64) -> String {
    format!("/admin/users/{id}/password/")
}

async fn rights(server: &TestServer) -> Vec<String> {
    server
        .texts(
            "SELECT concat_ws(' ', username, email, password IS NULL, is_active, is_staff, is_superuser, cognito_sub) FROM users
             UNION ALL SELECT concat_ws(' ', 'permission', user_id, permission) FROM user_permissions
             UNION ALL SELECT concat_ws(' ', 'group', user_id, group_id) FROM user_groups
             UNION ALL SELECT concat_ws(' ', 'groups', group_id, permission) FROM group_permissions
             UNION ALL SELECT concat_ws(' ', name) FROM groups ORDER BY 1",
        )
        .await
}

/// `boss` 1 (superuser), `jane` 2 (nothing), `editor` 3 (may delete articles), `retired` 4 (an inactive
/// superuser); groups `Deleters` 1 (may delete articles), `Viewers` 2 (may view them); `clerk` 5.
async fn office() -> (TestServer, AdminClient) {
    let server = TestServer::start().await;
    server.staff("boss", |new| new.is_superuser = true).await;
    server.user("jane").await;
    server.user("editor").await;
    server.user_with("retired", |new| (new.is_superuser, new.is_active) = (true, false)).await;
    server
        .sql(
            "INSERT INTO user_permissions VALUES (3, 'articles.delete_article');
             INSERT INTO groups (name) VALUES ('Deleters'), ('Viewers');
             INSERT INTO group_permissions VALUES (1, 'articles.delete_article'), (2, 'articles.view_article');
             UPDATE users SET cognito_issuer = 'i', cognito_sub = 'sub-' || id;",
        )
        .await;
    let clerk = server.staff_with("clerk", CLERK).await;
    (server, clerk)
}

fn refused_at(answer: &Answer, field: &str, message: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text());
    let error = format!("<a href=\"#id_{field}\">");
    assert!(answer.text().contains(&error) && answer.text().contains(message), "{field}: {}", answer.text());
}

#[tokio::test]
async fn staff_gives_only_what_they_have() {
    let (server, mut clerk) = office().await;
    let before = rights(&server).await;
    const BEYOND: &str = "You cannot give permissions that you do not have.";
    for (field, value) in [
        ("is_superuser", "on"),
        ("groups", "1"),
        ("user_permissions", "articles.delete_article"),
        ("user_permissions", "history.view_entry"),
    ] {
        let form = clerk.open_form(&change(2)).await.set(field, &[value]);
        let answer = form.save(&mut clerk).await;
        match value {
            "history.view_entry" => assert_eq!(answer.status, 400),
            _ => refused_at(&answer, field, BEYOND),
        }
        let add = "/admin/users/add/";
        let form = clerk.open_form(add).await.set("username", &["new"]).set(field, &[value]);
        assert_eq!(form.save(&mut clerk).await.status, 400, "{field}");
    }
    assert_eq!(rights(&server).await, before);
    let page = clerk.page(&change(2)).await;
    assert_has(&page, &[">Viewers</option>"]);
    assert_lacks(&page, &[">Deleters</option>"]);
    assert_lacks(&page, &["articles.delete_article", "name=\"is_superuser\""]);
    let form = Form::with(&page, "_save").set("groups", &["2"]).set("user_permissions", &["articles.view_article"]);
    assert_eq!(form.send(&mut clerk, &change(2), "_save").await.status, 303);
    assert_eq!(rights(&server).await.len(), before.len() + 2);
}

#[tokio::test]
async fn whoever_has_more_can_only_be_looked_at() {
    let (server, mut clerk) = office().await;
    let before = rights(&server).await;
    for (id, name) in [(1, "boss"), (3, "editor"), (4, "retired")] {
        let page = clerk.page(&change(id)).await;
        assert_has(&page, &[&format!("{name} has permissions that you do not have.")]);
        assert_has(&page, &["View only"]);
        assert_lacks(&page, &["_save", "/password/"]);
        let id = id.to_string();
        let user = |page: &str| format!("/admin/users/{id}/{page}/");
        let fields = [("username", "mine"), ("email", "clerk@evil.example"), ("is_active", "on"), ("_save", "")];
        assert_eq!(clerk.post(&user("change"), &fields).await.status, 403);
        assert_eq!(clerk.get(&user("password")).await.status, 403);
        let password = [("usable_password", "true"), ("password1", PASSWORD), ("password2", PASSWORD)];
        assert_eq!(clerk.post(&user("password"), &password).await.status, 403);
        assert_eq!(clerk.post(&user("delete"), &[("post", "yes")]).await.status, 403);
        let answer = clerk.post(&user("action"), &[("action", "unlink")]).await;
        assert!(clerk.follow(&answer).await.contains("permissions that you do not have."));
        for action in ["activate", "deactivate", "unlink", "delete_selected"] {
            let mut fields = vec![("action", action), ("post", "yes"), ("_selected_action", &id)];
            // A deletion is of all or none.
            fields.extend((action == "delete_selected").then_some(("_selected_action", "2")));
            let answer = clerk.post("/admin/users/", &fields).await;
            let page = clerk.follow(&answer).await;
            assert!(page.contains("Nothing was changed."), "{action} {id}: {page}");
        }
    }
    assert_eq!(rights(&server).await, before);
}

#[tokio::test]
async fn an_action_leaves_out_whom_one_may_not_change_and_names_them() {
    let (server, mut clerk) = office().await;
    let fields = [("action", "deactivate"), ("select_across", "1")];
    let page = clerk.post("/admin/users/", &fields).await.text();
    assert_has(&page, &["Deactivate 2 users", "Left out: boss has permissions", "editor has permissions", ">jane</a>"]);
    assert_lacks(&page, &[">boss</a>", "Nothing can be changed"]);
    let answer = clerk.post("/admin/users/", &[&fields[..], &[("post", "yes")]].concat()).await;
    let page = clerk.follow(&answer).await;
    assert_has(&page, &["1 user deactivated. 1 was already inactive. 3 were left out: boss has permissions"]);
    assert_has(&page, &["You cannot change this on your own account."]);
    assert_eq!(
        server.texts("SELECT username FROM users WHERE is_active ORDER BY 1").await,
        ["boss", "clerk", "editor"]
    );
    assert!(undo(&mut clerk, &page).await.contains("The change to the user “jane” was undone."));
    // Of nobody that one may change, it says so before.
    let fields = [("action", "deactivate"), ("_selected_action", "1"), ("_selected_action", "3")];
    assert_has(
        &clerk.post("/admin/users/", &fields).await.text(),
        &["Nothing can be changed:", "boss has permissions"],
    );
}

#[tokio::test]
async fn nobody_raises_themselves() {
    let (server, mut clerk) = office().await;
    let before = rights(&server).await;
    for (field, values) in [
        ("is_superuser", vec!["on"]),
        ("is_active", vec![]),
        ("is_staff", vec![]),
        ("groups", vec!["2"]),
        ("groups", vec!["1"]),
        ("user_permissions", [CLERK, &["articles.delete_article"]].concat()),
    ] {
        let form = clerk.open_form(&change(5)).await.set(field, &values);
        let answer = form.save(&mut clerk).await;
        assert_eq!(answer.status, 400, "{field}: {}", answer.text());
    }
    let answer = clerk.post("/admin/users/", &[("action", "deactivate"), ("_selected_action", "5")]).await;
    assert!(clerk.follow(&answer).await.contains("You cannot change this on your own account."));
    assert_eq!(clerk.post("/admin/users/5/delete/", &[]).await.status, 403);
    assert_eq!(rights(&server).await, before);
    let form = clerk.open_form(&change(5)).await.set("first_name", &["Clara"]);
    assert_eq!(form.save(&mut clerk).await.status, 303);
    assert_eq!(rights(&server).await, before);
}

#[tokio::test]
async fn groups_that_give_more_are_left_alone_and_no_group_is_given_more() {
    let (server, mut clerk) = office().await;
    let before = rights(&server).await;
    let page = clerk.page("/admin/groups/1/change/").await;
    assert_has(&page, &["Deleters gives permissions that you do not have."]);
    assert_lacks(&page, &["_save"]);
    assert_eq!(clerk.post("/admin/groups/1/change/", &[("name", "Mine")]).await.status, 403);
    assert_eq!(clerk.post("/admin/groups/1/delete/", &[]).await.status, 403);
    for page in ["/admin/groups/2/change/", "/admin/groups/add/"] {
        let form = clerk.open_form(page).await.set("name", &["More"]);
        let answer = form.set("permissions", &["articles.delete_article"]).save(&mut clerk).await;
        refused_at(&answer, "permissions", "You cannot give permissions that you do not have.");
    }
    assert_eq!(rights(&server).await, before);
    let form = clerk.open_form("/admin/groups/2/change/").await.set("permissions", &[]);
    assert_eq!(form.save(&mut clerk).await.status, 303);
    assert_eq!(clerk.post("/admin/groups/2/delete/", &[]).await.status, 303);
    assert_eq!(rights(&server).await.len(), before.len() - 2);
}

#[tokio::test]
async fn each_permission_opens_its_own_pages_only() {
    let server = TestServer::start().await;
    server.user("jane").await;
    server.seed_articles(1).await;
    let pages = [
        ("articles.add_article", "/admin/articles/add/"),
        ("articles.view_article", "/admin/articles/1/change/"),
        ("articles.delete_article", "/admin/articles/1/delete/"),
        ("users.add_user", "/admin/users/add/"),
        ("users.view_user", "/admin/users/1/change/"),
        ("users.delete_user", "/admin/users/1/delete/"),
        ("users.change_user", "/admin/users/1/password/"),
        ("groups.add_group", "/admin/groups/add/"),
    ];
    for (index, (permission, _)) in pages.iter().enumerate() {
        let mut client = server.staff_with(&format!("staff{index}"), &[permission]).await;
        for (needed, page) in pages {
            // Whoever may change may view.
            let may = needed == *permission || (needed == "users.view_user" && *permission == "users.change_user");
            let status = client.get(page).await.status;
            assert_eq!(status, if may { 200 } else { 403 }, "{permission} {page}");
            if !may {
                assert_eq!(
                    client.post(page, &[("name", "x"), ("username", "x")]).await.status,
                    403,
                    "{permission} {page}"
                );
            }
        }
    }
    assert_eq!(server.count("articles WHERE name LIKE 'Article%'").await, 1);
}

#[tokio::test]
async fn rights_that_were_taken_away_end_with_the_next_request() {
    let (server, mut clerk) = office().await;
    let form = clerk.open_form(&change(2)).await.set("first_name", &["Jane"]);
    server.sql("DELETE FROM user_permissions WHERE permission = 'users.change_user'").await;
    assert_eq!(form.save(&mut clerk).await.status, 403);
    server.sql("UPDATE users SET is_staff = FALSE WHERE username = 'clerk'").await;
    assert!(matches!(form.save(&mut clerk).await.status, 302 | 403));
    assert_eq!(server.count("users WHERE first_name = 'Jane'").await, 0);
}

#[tokio::test]
async fn a_form_keeps_permissions_that_it_does_not_show() {
    let server = TestServer::start().await;
    server.user("jane").await;
    let mut root = server.superuser().await;
    // A permission of a model that the program does not have any more.
    server.sql("INSERT INTO user_permissions VALUES (1, 'polls.add_poll'), (1, 'articles.add_article')").await;
    let form = root.open_form(&change(1)).await;
    assert_eq!(form.all("user_permissions"), ["articles.add_article"]);
    let form = form.set("user_permissions", &["articles.view_article"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    let left = server.texts("SELECT permission FROM user_permissions ORDER BY 1").await;
    assert_eq!(left, ["articles.view_article", "polls.add_poll"]);
}

#[tokio::test]
async fn the_last_superuser_keeps_what_that_takes() {
    let (server, mut root) = TestServer::with_superuser().await;
    // Another one who could not enter the admin is no help.
    server.user_with("outside", |new| new.is_superuser = true).await;
    for field in ["is_active", "is_staff", "is_superuser"] {
        let form = root.open_form(&change(1)).await.set(field, &[]);
        let answer = form.save(&mut root).await;
        refused_at(&answer, field, "This is the last active superuser. Make another user a superuser first.");
    }
    let answer = root.post("/admin/users/", &[("action", "deactivate"), ("_selected_action", "1")]).await;
    assert!(root.follow(&answer).await.contains("This is the last active superuser."));
    assert_eq!(root.post("/admin/users/1/delete/", &[]).await.status, 403);
    server.staff("second", |new| new.is_superuser = true).await;
    let form = root.open_form(&change(1)).await.set("is_superuser", &[]);
    refused_at(&form.save(&mut root).await, "is_superuser", "You cannot change this on your own account.");
    let page = root.page("/admin/users/1/delete/").await;
    assert_has(&page, &["You cannot delete yourself."]);
}

#[tokio::test]
async fn two_superusers_cannot_remove_each_other_at_once() {
    let server = TestServer::start().await;
    for (way, round) in ["demote", "deactivate", "delete", "take the password"].into_iter().zip(0..) {
        let names = [format!("a{round}"), format!("b{round}")];
        server.sql("DELETE FROM users").await;
        let a = server.staff(&names[0], |new| new.is_superuser = true).await;
        let b = server.staff(&names[1], |new| new.is_superuser = true).await;
        let (mut first, mut second) = (server.sign_in(&names[0]).await, server.sign_in(&names[1]).await);
        let (of_a, of_b) = (a.id.to_string(), b.id.to_string());
        let (first_status, second_status) = match way {
            "demote" => {
                let (a_page, b_page) = (change(a.id), change(b.id));
                let b_form = first.open_form(&b_page).await.set("is_superuser", &[]);
                let a_form = second.open_form(&a_page).await.set("is_superuser", &[]);
                let both = tokio::join!(b_form.save(&mut first), a_form.save(&mut second));
                (both.0.status, both.1.status)
            }
            "take the password" => {
                let (page_of_a, page_of_b) = (password(a.id), password(b.id));
                let none = [("usable_password", "false")];
                let both = tokio::join!(first.post(&page_of_b, &none), second.post(&page_of_a, &none));
                (both.0.status, both.1.status)
            }
            _ => {
                let action = if way == "delete" { "delete_selected" } else { "deactivate" };
                let to_b = [("action", action), ("post", "yes"), ("_selected_action", of_b.as_str())];
                let to_a = [("action", action), ("post", "yes"), ("_selected_action", of_a.as_str())];
                let both = tokio::join!(first.post("/admin/users/", &to_b), second.post("/admin/users/", &to_a));
                (both.0.status, both.1.status)
            }
        };
        let left = "users WHERE is_superuser AND is_active AND is_staff AND password IS NOT NULL";
        assert_eq!(server.count(left).await, 1, "{way}: {first_status} {second_status}");
    }
}

#[tokio::test]
async fn superusers_set_each_others_passwords_and_others_never_do() {
    const NEW: &str = "a-much-better-Passphrase-7";
    let (server, mut root) = TestServer::with_superuser().await;
    let other = server.staff("other", |new| new.is_superuser = true).await;
    let session_of_other = server.sign_in("other").await;
    let set = [("usable_password", "true"), ("password1", NEW), ("password2", NEW)];
    let take = [("usable_password", "false")];
    // Every permission there is does not add up to a superuser.
    let mut clerk = server.staff_with("clerk", CLERK).await;
    for fields in [&set[..], &take] {
        assert_eq!(clerk.post(&password(other.id), fields).await.status, 403);
    }
    assert_eq!(session_of_other.call("GET", "/admin/").status().await, 200);

    assert_eq!(root.post(&password(other.id), &set).await.status, 303);
    assert_eq!(session_of_other.call("GET", "/admin/").status().await, 302, "the old sessions end");
    let mut client = AdminClient::new(server.address);
    assert_eq!(client.sign_in("other", NEW).await.status, 303);
    assert_eq!(root.post(&password(other.id), &take).await.status, 303);
    assert_eq!(server.count("users WHERE username = 'other' AND password IS NULL").await, 1);
}
