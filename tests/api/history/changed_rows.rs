//! What actions changed, and how it is undone.

use crate::harness::admin::AdminClient;
use crate::harness::form::{Form, undo};
use crate::harness::html::link;
use crate::harness::{TestServer, ago, assert_has, assert_lacks};

const LIST: &str = "/admin/users/";

/// Active users with these names, linked to Cognito.
async fn linked(server: &TestServer, names: &[&str]) {
    for name in names {
        let id = server.user(name).await.id;
        server
            .sql(format!(
                "UPDATE users SET cognito_issuer = 'issuer', cognito_sub = 'sub of {name}',
                 linked_at = '2026-01-01 00:00:00.123' WHERE id = {id}"
            ))
            .await;
    }
}

/// Runs an action on all users that match, through the page that asks, and returns that page and the list after it.
async fn on_all(client: &mut AdminClient, list: &str, action: &str) -> (String, String) {
    let answer = client.post(list, &[("action", action), ("select_across", "1")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let page = answer.text();
    let answer = Form::with(&page, "name=\"post\"").send(client, list, "x").await;
    (page, client.follow(&answer).await)
}

/// The batch of the message on a page.
fn batch(page: &str) -> String {
    Form::with(page, "name=\"batch\"").get("batch").unwrap_or_default().to_owned()
}

async fn users(server: &TestServer) -> Vec<String> {
    let columns = "concat_ws(' ', username, is_active, is_staff, cognito_issuer, cognito_sub, linked_at)";
    server.texts(&format!("SELECT {columns} FROM users WHERE username <> 'root' ORDER BY username")).await
}

#[tokio::test]
async fn many_users_are_deactivated_after_a_page_that_names_them_and_undo_activates_them_again() {
    let (server, mut root) = TestServer::with_superuser().await;
    for number in 0..104 {
        server.user_with(&format!("user{number:03}"), |new| new.is_active = number != 7 && number != 9).await;
    }
    let before = users(&server).await;
    let (page, after) = on_all(&mut root, "/admin/users/?q=user&o=-email", "deactivate").await;
    assert_has(&page, &["Deactivate 102 users", "user000", "2 users are already inactive and stay as they are."]);
    assert_has(&page, &["<li>and 2 more</li>"]);
    assert_lacks(&page, &["user007", "user009", "user103"]);
    assert_has(&after, &["102 users deactivated. 2 were already inactive."]);
    assert_eq!(server.count("users WHERE is_active").await, 1);
    let page = undo(&mut root, &after).await;
    assert_has(&page, &["The change to 102 users was undone."]);
    assert_eq!(users(&server).await, before);
    assert_eq!(server.count("changed_rows").await, 0);
    let last = server.texts("SELECT concat_ws(' ', actor, action, changes) FROM history ORDER BY id DESC LIMIT 1");
    assert_eq!(last.await, ["root changed {\"is_active\":[false,true]}"]);
    assert_has(&undo(&mut root, &after).await, &["There is nothing to undo."]);
}

#[tokio::test]
async fn a_page_that_asks_changes_nothing_and_one_row_needs_none() {
    let (server, mut root) = TestServer::with_superuser().await;
    linked(&server, &["ann", "bob"]).await;
    let before = users(&server).await;
    let both = [("_selected_action", "2"), ("_selected_action", "3")];
    for action in ["deactivate", "unlink"] {
        let answer = root.post(LIST, &[&[("action", action)], &both[..]].concat()).await;
        assert_eq!(answer.status, 200);
        assert_has(&answer.text(), &["Nothing has been changed yet.", "ann", "bob"]);
    }
    let ask = link(&root.page("/admin/users/2/change/").await, "Unlink");
    assert_has(&root.page(&ask).await, &["Unlink the user ann from Cognito"]);
    assert_eq!(users(&server).await, before);
    let answer = root.post(LIST, &[("action", "deactivate"), ("_selected_action", "2")]).await;
    let page = root.follow(&answer).await;
    assert_has(&page, &["1 user deactivated."]);
    // The other one is already so, which leaves one.
    let answer = root.post(LIST, &[&[("action", "deactivate")], &both[..]].concat()).await;
    assert_has(&root.follow(&answer).await, &["1 user deactivated. 1 was already inactive."]);
    assert_has(&undo(&mut root, &page).await, &["The change to the user “ann” was undone."]);
    assert_eq!(server.texts("SELECT username FROM users WHERE NOT is_active").await, ["bob"]);
}

#[tokio::test]
async fn an_unlinked_user_gets_back_the_link_and_the_groups_with_the_next_token() {
    let (server, mut root) = TestServer::with_superuser().await;
    linked(&server, &["ann"]).await;
    server
        .sql(
            "INSERT INTO groups (name, cognito_group) VALUES ('Editors', 'editors');
             INSERT INTO user_cognito_groups VALUES (2, 1);
             UPDATE users SET is_staff = TRUE, staff_by_cognito = TRUE WHERE id = 2",
        )
        .await;
    let before = users(&server).await;
    let answer = root.post("/admin/users/2/action/", &[("action", "unlink")]).await;
    let page = root.follow(&answer).await;
    assert_eq!(server.count("user_cognito_groups").await, 0);
    assert_has(&undo(&mut root, &page).await, &["The change to the user “ann” was undone."]);
    assert_eq!(users(&server).await, before);
    assert_eq!(server.count("users WHERE staff_by_cognito").await, 1);
    assert_eq!(server.count("user_cognito_groups").await, 0, "the group may have another meaning by now");
    let entries = server.texts("SELECT changes FROM history ORDER BY id DESC LIMIT 2").await;
    assert_eq!(entries[1], "{\"is_staff\":[false,true]}");
    assert_has(&entries[0], &["\"cognito_sub\":[null,\"sub of ann\"]"]);
    assert_lacks(&entries[0], &["is_staff", "cognito_groups"]);
}

#[tokio::test]
async fn what_has_changed_since_an_action_stays_as_it_is() {
    let (server, mut root) = TestServer::with_superuser().await;
    linked(&server, &["ann", "bob", "cyd", "dan"]).await;
    let (_, page) = on_all(&mut root, "/admin/users/?cognito=linked", "unlink").await;
    // Bob has another link, Cyd's former one is somebody else's, and Ann has another name, which the action left alone.
    server
        .sql(
            "UPDATE users SET cognito_issuer = 'issuer', cognito_sub = 'another' WHERE username = 'bob';
             UPDATE users SET first_name = 'Anna' WHERE username = 'ann';
             UPDATE users SET cognito_issuer = 'issuer', cognito_sub = 'sub of cyd' WHERE username = 'root';
             DELETE FROM users WHERE username = 'dan'",
        )
        .await;
    let page = undo(&mut root, &page).await;
    assert_has(&page, &["The change to 1 user was undone. 3 stay as they are:", "“dan” (it was deleted)"]);
    assert_has(&page, &["“bob” (it has changed since)", "“cyd” (its cognito sub is taken)"]);
    let links = server.texts("SELECT concat_ws(' ', username, first_name, cognito_sub) FROM users ORDER BY username");
    assert_eq!(links.await, ["ann Anna sub of ann", "bob  another", "cyd ", "root  sub of cyd"]);
}

#[tokio::test]
async fn a_factor_that_was_reset_comes_back_with_its_recovery_codes_through_superusers_alone() {
    let (server, mut root) = TestServer::with_superuser().await;
    let (.., alice) = server.staff_with_factor("alice").await;
    let factor = "SELECT concat_ws(' ', user_id, secret, last_step, confirmed_at) FROM second_factors";
    let before = server.texts(factor).await;
    let answer = root.post("/admin/users/2/action/", &[("action", "reset_second_factor")]).await;
    let page = root.follow(&answer).await;
    let batch = batch(&page);
    let mut helper = server.staff_with("helper", &["users.change_user", "users.view_user"]).await;
    assert_eq!(helper.post("/admin/undo/", &[("batch", batch.as_str())]).await.status, 403);
    assert_eq!(server.count("second_factors").await, 0);
    assert_has(&undo(&mut root, &page).await, &["The change to the user “alice” was undone."]);
    assert_eq!(server.texts(factor).await, before);
    assert_eq!(server.count("recovery_codes").await, 10);
    assert!(!alice.is_in().await, "her sessions stay ended");
    let last = server.texts("SELECT changes FROM history ORDER BY id DESC LIMIT 1").await;
    assert_eq!(last, ["{\"second_factor\":[false,true]}"]);
}

#[tokio::test]
async fn an_undo_keeps_the_rules_of_the_model() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.staff("second", |new| (new.is_superuser, new.is_active) = (true, false)).await;
    server.staff("editor", |_| {}).await;
    let activate = [("action", "activate"), ("_selected_action", "2")];
    let answer = root.post(LIST, &activate).await;
    let activated = root.follow(&answer).await;
    let mut second = server.sign_in("second").await;
    server.sql("UPDATE users SET is_superuser = FALSE WHERE username = 'root'").await;
    server.sql("INSERT INTO user_permissions VALUES (1, 'users.change_user'), (1, 'users.view_user')").await;
    let fields = [("batch", batch(&activated))];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(root.post("/admin/undo/", &fields).await.status, 403, "the user has more rights");
    let answer = second.post("/admin/undo/", &fields).await;
    let page = second.follow(&answer).await;
    assert_has(&page, &["The change to “second” cannot be undone: This is the last active superuser."]);
    assert_eq!(server.count("users WHERE is_superuser AND is_active").await, 1);
}

#[tokio::test]
async fn the_undo_of_an_activation_ends_sessions() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.staff("bob", |new| new.is_active = false).await;
    let answer = root.post(LIST, &[("action", "activate"), ("_selected_action", "2")]).await;
    let page = root.follow(&answer).await;
    server.sign_in("bob").await;
    undo(&mut root, &page).await;
    assert_eq!(server.count("sessions WHERE user_id = 2").await, 0);
}

#[tokio::test]
async fn the_history_offers_the_undo_to_who_may_change_the_rows() {
    let (server, mut root) = TestServer::with_superuser().await;
    linked(&server, &["ann", "bob"]).await;
    on_all(&mut root, "/admin/users/?cognito=linked", "deactivate").await;
    let mut viewer = server.staff_with("viewer", &["users.view_user"]).await;
    assert_lacks(&viewer.page("/admin/users/2/history/").await, &["Undo"]);
    let page = root.page("/admin/users/2/history/").await;
    assert_has(&page, &["Undo all 2"]);
    assert_eq!(viewer.post("/admin/undo/", &[("batch", &batch(&page))]).await.status, 403);
    assert_has(&undo(&mut root, &page).await, &["The change to 2 users was undone."]);
    assert_lacks(&root.page("/admin/users/2/history/").await, &["Undo"]);
}

#[tokio::test]
async fn an_action_can_be_undone_for_a_month() {
    let (server, mut root) = TestServer::with_superuser().await;
    linked(&server, &["ann", "bob"]).await;
    let (_, page) = on_all(&mut root, "/admin/users/?cognito=linked", "deactivate").await;
    server.sql(format!("UPDATE changed_rows SET at = {}", ago(31 * 86_400))).await;
    assert_has(&undo(&mut root, &page).await, &["There is nothing to undo. It was already undone, or is too old."]);
    let second = server.second().await;
    crate::harness::eventually("what is too old goes", async || server.count("changed_rows").await == 0).await;
    drop(second);
}

#[tokio::test]
async fn service_accounts_get_it_too() {
    let (server, mut root) = TestServer::with_superuser().await;
    let now = ago(0);
    server
        .sql(format!(
            "INSERT INTO service_accounts (name, client_id, is_active, created_at)
             VALUES ('One', 'c1', TRUE, {now}), ('Two', 'c2', TRUE, {now})"
        ))
        .await;
    let (page, after) = on_all(&mut root, "/admin/service_accounts/", "deactivate").await;
    assert_has(&page, &["Deactivate 2 service accounts", "One", "Two"]);
    assert_has(&undo(&mut root, &after).await, &["The change to 2 service accounts was undone."]);
    assert_eq!(server.count("service_accounts WHERE is_active").await, 2);
}
