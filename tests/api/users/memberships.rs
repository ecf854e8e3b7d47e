//! Members of groups: their page, and the actions that add and remove them.

use crate::harness::form::{Form, undo};
use crate::harness::html::between;
use crate::harness::{TestServer, assert_has, assert_lacks};

const PAGE: &str = "/admin/groups/1/members/";

/// Users 1 to 3 are root, jane and john; the groups are Editors, which has rights, and Readers.
async fn with_groups() -> (TestServer, crate::harness::admin::AdminClient) {
    let (server, root) = TestServer::with_superuser().await;
    server.user("jane").await;
    server.user("john").await;
    server.groups(&["Editors", "Readers"]).await;
    server.sql("INSERT INTO group_permissions VALUES (1, 'articles.change_article')").await;
    (server, root)
}

async fn members(server: &TestServer) -> Vec<String> {
    server.texts("SELECT CAST(group_id AS TEXT) || ' ' || CAST(user_id AS TEXT) FROM user_groups ORDER BY 1").await
}

#[tokio::test]
async fn members_are_added_by_name_or_e_mail_and_removed() {
    let (server, mut root) = with_groups().await;
    assert_has(&root.page(PAGE).await, &["No members", "<a href=\"/admin/groups/1/members/\" aria-current=\"page\">"]);
    for user in ["jane", " JOHN@example.com "] {
        let answer = root.post(PAGE, &[("user", user)]).await;
        assert_eq!(answer.redirect(), (303, PAGE), "{user}");
        assert_has(&root.follow(&answer).await, &["1 user added to the group.", "Undo"]);
    }
    assert_eq!(members(&server).await, ["1 2", "1 3"]);
    let page = root.page(PAGE).await;
    assert_has(&page, &["<a href=\"/admin/users/2/change/\">jane</a>", "jane@example.com", "By hand", "1–2 of 2"]);
    let answer = root.post(PAGE, &[("remove", "2")]).await;
    let page = root.follow(&answer).await;
    assert_has(&page, &["1 user removed from the group."]);
    assert_eq!(members(&server).await, ["1 3"]);
    // It is a change of the user, and can be undone as one.
    let entries = "SELECT changes FROM history WHERE model = 'user' AND object_id = 2 AND actor = 'root' ORDER BY id";
    let changes = server.texts(entries).await;
    assert_eq!(changes, ["{\"groups\":[[],[\"Editors\"]]}", "{\"groups\":[[\"Editors\"],[]]}"]);
    undo(&mut root, &page).await;
    assert_eq!(members(&server).await, ["1 2", "1 3"]);
    for (fields, message) in [
        (("user", "nobody"), "No user has this username or e-mail."),
        (("user", ""), "No user has this username or e-mail."),
        (("remove", "x"), "No user has this username or e-mail."),
        (("user", "jane"), "there was nothing to do"),
        (("remove", "1"), "there was nothing to do"),
    ] {
        let answer = root.post(PAGE, &[fields]).await;
        assert_has(&root.follow(&answer).await, &[message]);
    }
    assert_eq!(members(&server).await, ["1 2", "1 3"]);
    // What names nobody is there to be corrected.
    let answer = root.post(PAGE, &[("user", " jna@example.com \"")]).await;
    assert_has(&root.follow(&answer).await, &["name=\"user\" value=\"jna@example.com &#34;\""]);
    assert_eq!(root.get("/admin/groups/9/members/").await.status, 404);
    // As a Mac may send it: the accent is a character of its own.
    server.user("andré").await;
    let answer = root.post(PAGE, &[("user", "andre\u{301}")]).await;
    assert_has(&root.follow(&answer).await, &["1 user added to the group."]);
}

#[tokio::test]
async fn memberships_from_cognito_are_told_apart_and_stay() {
    let (server, mut root) = with_groups().await;
    server
        .sql(
            "UPDATE groups SET cognito_group = 'editors' WHERE id = 1;
             INSERT INTO user_cognito_groups VALUES (2, 1), (3, 1); INSERT INTO user_groups VALUES (3, 1)",
        )
        .await;
    let page = root.page(PAGE).await;
    let rows = between(&page, "<tr><th scope=\"row\">", "</tr>");
    assert_has(rows[0], &["jane", "Through Cognito"]);
    assert_lacks(rows[0], &["Remove"]);
    assert_has(rows[1], &["john", "By hand and through Cognito", "Remove"]);
    for user in ["2", "3"] {
        root.post(PAGE, &[("remove", user)]).await;
    }
    assert_eq!(server.count("user_cognito_groups").await, 2);
    assert!(members(&server).await.is_empty());
}

#[tokio::test]
async fn who_may_not_change_users_sees_members_and_changes_none() {
    let (server, mut root) = with_groups().await;
    root.post(PAGE, &[("user", "jane")]).await;
    let mut viewer = server.staff_with("viewer", &["groups.change_group", "users.view_user"]).await;
    let page = viewer.page(PAGE).await;
    assert_has(&page, &["jane"]);
    assert_lacks(&page, &["Remove", "Add member"]);
    for fields in [("user", "john"), ("remove", "2")] {
        assert_eq!(viewer.post(PAGE, &[fields]).await.status, 403);
    }
    let mut blind = server.staff_with("blind", &["groups.change_group"]).await;
    assert_eq!(blind.get(PAGE).await.status, 403);
    assert_lacks(&blind.page("/admin/groups/1/change/").await, &["class=\"tabs\"", "/admin/users/"]);
    assert_lacks(&blind.page("/admin/groups/").await, &["/admin/users/"]);
    // Nobody gives or takes a group with more permissions than their own, or changes who has more.
    let clerk = ["groups.view_group", "users.change_user"];
    let mut clerk = server.staff_with("clerk", &clerk).await;
    for (fields, message) in [
        (("user", "john"), "You cannot give permissions that you do not have."),
        (("remove", "2"), "jane has permissions that you do not have."),
        (("user", "root"), "root has permissions that you do not have."),
    ] {
        let answer = clerk.post(PAGE, &[fields]).await;
        assert_has(&clerk.follow(&answer).await, &[message, "Nothing was changed."]);
    }
    assert_eq!(members(&server).await, ["1 2"]);
    let answer = clerk.post("/admin/groups/2/members/", &[("user", "john")]).await;
    assert_has(&clerk.follow(&answer).await, &["1 user added to the group."]);
    let answer = clerk.post("/admin/groups/2/members/", &[("user", "clerk")]).await;
    assert_has(&clerk.follow(&answer).await, &["You cannot give permissions that you do not have."]);
    assert_eq!(members(&server).await, ["1 2", "2 3"]);
}

#[tokio::test]
async fn selected_users_are_added_to_a_group_that_the_page_lets_choose() {
    let (server, mut root) = with_groups().await;
    server.sql("INSERT INTO user_groups VALUES (2, 1)").await;
    let list = "/admin/users/?o=username";
    let selected = [("action", "add_to_group"), ("_selected_action", "2"), ("_selected_action", "3")];
    let page = root.post(list, &selected).await.text();
    assert_has(&page, &["Add 2 users to a group", ">jane</a>", ">john</a>", "<option value=\"1\">Editors</option>"]);
    assert_eq!(members(&server).await, ["1 2"], "the page only asks");
    // Only what takes something away is red.
    assert_has(&page, &["<button class=\"button primary\" aria-describedby=\"consequences\">Add 2 users to a group"]);
    let removed = [("action", "remove_from_group"), selected[1], selected[2]];
    assert_has(
        &root.post(list, &removed).await.text(),
        &["<button class=\"button danger primary\" aria-describedby=\"consequences\">Remove 2 users"],
    );
    let form = Form::with(&page, "name=\"post\"");
    let answer = form.clone().set("choice", &["1"]).send(&mut root, list, "x").await;
    let page = root.follow(&answer).await;
    assert_has(&page, &["1 user added to the group. 1 was already in the group."]);
    assert_eq!(members(&server).await, ["1 2", "1 3"]);
    undo(&mut root, &page).await;
    assert_eq!(members(&server).await, ["1 2"]);
    // One row asks as well, since the group is still to be chosen; without one nothing is done.
    assert_has(&root.post(list, &selected[..2]).await.text(), &["Add the user jane to a group"]);
    for group in ["", "x", "9"] {
        let answer = form.clone().set("choice", &[group]).send(&mut root, list, "x").await;
        assert_has(&root.follow(&answer).await, &["Choose a group. Nothing was changed."]);
    }
    // All that match, and out again.
    let all = [("action", "remove_from_group"), ("select_across", "1"), ("post", "yes"), ("choice", "1")];
    let answer = root.post("/admin/users/?groups=1", &all).await;
    assert_has(&root.follow(&answer).await, &["1 user removed from the group."]);
    assert!(members(&server).await.is_empty());
}

#[tokio::test]
async fn an_undo_says_so_if_the_group_was_deleted_since() {
    let (server, mut root) = with_groups().await;
    server.sql("INSERT INTO user_groups VALUES (2, 1), (3, 1)").await;
    let selected = [("action", "remove_from_group"), ("select_across", "1"), ("post", "yes"), ("choice", "1")];
    let answer = root.post("/admin/users/?groups=1", &selected).await;
    let page = root.follow(&answer).await;
    server.sql("DELETE FROM group_permissions; DELETE FROM groups WHERE id = 1").await;
    assert_has(&undo(&mut root, &page).await, &["what it belonged to was deleted"]);
    assert!(members(&server).await.is_empty());
}

#[tokio::test]
async fn the_page_offers_only_groups_that_one_may_give() {
    let (server, _) = with_groups().await;
    let mut clerk = server.staff_with("clerk", &["users.change_user"]).await;
    let selected = [("action", "add_to_group"), ("_selected_action", "3")];
    let page = clerk.post("/admin/users/", &selected).await.text();
    assert_has(&page, &[">Readers</option>"]);
    assert_lacks(&page, &[">Editors</option>"]);
    let chosen = [&selected[..], &[("post", "yes"), ("choice", "1")]].concat();
    let answer = clerk.post("/admin/users/", &chosen).await;
    assert_has(&clerk.follow(&answer).await, &["You cannot give permissions that you do not have."]);
    assert!(members(&server).await.is_empty());
}

#[tokio::test]
async fn the_number_of_members_leads_to_them() {
    let (server, mut root) = with_groups().await;
    server.sql("INSERT INTO user_groups VALUES (2, 1), (3, 1)").await;
    assert_has(&root.page("/admin/groups/").await, &["<a href=\"/admin/users/?groups=1\">2</a>"]);
    assert_has(&root.page("/admin/users/?groups=1").await, &["2 of 3 users"]);
}

#[tokio::test]
async fn groups_are_imported_and_only_superusers_map_them_to_cognito() {
    let (server, mut root) = with_groups().await;
    let file = "id,name,cognito_group\n1,Writers,\n,Support,support\n";
    let answer = root.upload("/admin/groups/import/", "groups.csv", file).await;
    let page = root.follow(&answer).await;
    Form::with(&page, "Import 2 rows").send(&mut root, "/", "x").await;
    let groups = "SELECT name || ' ' || coalesce(cognito_group, '-') FROM groups ORDER BY id";
    assert_eq!(server.texts(groups).await, ["Writers -", "Readers -", "Support support"]);
    assert_eq!(server.count("group_permissions WHERE group_id = 1").await, 1, "permissions are no column and stay");
    let mut clerk = server.staff_with("clerk", &["groups.add_group", "groups.change_group"]).await;
    for (file, message) in [
        ("name,cognito_group\nStaff,staff\n", "Only superusers can choose the Cognito group."),
        ("id,name\n1,Mine\n", "Writers gives permissions that you do not have."),
    ] {
        let answer = clerk.upload("/admin/groups/import/", "groups.csv", file).await;
        let page = clerk.follow(&answer).await;
        assert_has(&page, &[message, "An import saves all rows or none."]);
    }
    assert_eq!(server.count("groups").await, 3);
}
