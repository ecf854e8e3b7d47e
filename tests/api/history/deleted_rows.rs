//! Deleted rows, and how they come back.

use crate::harness::form::{Form, undo};
use crate::harness::{TestServer, ago, assert_has};

/// A user `jane` with a group, a permission and two articles.
async fn jane(server: &TestServer) -> i64 {
    let jane = server.user_with("jane", |new| new.password = Some("a hash".to_owned())).await.id;
    server
        .sql(format!(
            "INSERT INTO groups (name) VALUES ('Editors');
             INSERT INTO user_groups VALUES ({jane}, 1);
             INSERT INTO user_permissions VALUES ({jane}, 'articles.view_article');
             UPDATE users SET cognito_issuer = 'i', cognito_sub = 's', linked_at = '2026-01-01 00:00:00.123';
             INSERT INTO articles (name, created_by, created_at, updated_at)
             VALUES ('One', {jane}, '2026-01-01 00:00:00', '2026-01-01 00:00:00'),
                    ('Two', {jane}, '2026-01-01 00:00:00', '2026-01-01 00:00:00'),
                    ('Nobodys', NULL, '2026-01-01 00:00:00', '2026-01-01 00:00:00');"
        ))
        .await;
    jane
}

/// All that there is to know of users and what belongs to them.
async fn state(server: &TestServer) -> Vec<String> {
    server
        .texts(
            "SELECT concat_ws(' ', id, username, email, email_key, password, is_active, cognito_sub, linked_at, date_joined)
             FROM users WHERE username <> 'root'
             UNION ALL SELECT concat_ws(' ', 'groups', user_id, group_id) FROM user_groups
             UNION ALL SELECT concat_ws(' ', 'permissions', user_id, permission) FROM user_permissions
             UNION ALL SELECT concat_ws(' ', 'articles', id, name, created_by) FROM articles
             UNION ALL SELECT concat_ws(' ', 'history', count(*)) FROM history WHERE actor_id = 1
             UNION ALL SELECT concat_ws(' ', 'count', sum(row_count)) FROM row_counts WHERE table_name = 'users' ORDER BY 1",
        )
        .await
}

#[tokio::test]
async fn deleting_says_what_goes_and_undo_brings_back_all_of_it() {
    let server = TestServer::start().await;
    let id = jane(&server).await;
    let mut root = server.superuser().await;
    server.sql(format!("UPDATE history SET actor_id = {id} WHERE object = 'jane'")).await;
    let before = state(&server).await;
    let here = format!("/admin/users/{id}/delete/");
    let page = root.page(&here).await;
    for (label, fate) in [
        ("Group memberships", "1 deleted"),
        ("Permissions", "1 deleted"),
        ("Articles", "2 kept, with “created by” empty"),
    ] {
        assert!(page.contains(&format!("<div><dt>{label}</dt><dd>{fate}</dd></div>")), "{label}: {page}");
    }
    assert_eq!(state(&server).await, before);
    let answer = Form::with(&page, "Delete the user jane").send(&mut root, &here, "x").await;
    assert_eq!(answer.header("location"), "/admin/users/");
    let page = root.follow(&answer).await;
    assert_has(&page, &["The user “jane” was deleted successfully."]);
    assert_eq!(server.count("users WHERE username = 'jane'").await, 0);
    assert_eq!(server.count("articles WHERE created_by IS NOT NULL").await, 0);
    assert_eq!(server.count("user_groups").await, 0);
    let page_again = page.clone();
    let page = undo(&mut root, &page).await;
    assert_has(&page, &["The user “jane” was restored."]);
    assert_eq!(state(&server).await, before);
    let actions = server.texts("SELECT action || ' ' || changes FROM history ORDER BY id DESC LIMIT 1").await;
    assert!(actions[0].starts_with("created {\"restored\":[\"deleted on 20"), "{actions:?}");
    let history = root.page("/admin/history/?q=jane").await;
    assert_eq!(history.matches("\">Restored</span>").count(), 1, "{history}");
    let page = undo(&mut root, &page_again).await;
    assert_has(&page, &["There is nothing to undo"]);
    assert_eq!(state(&server).await, before);
}

#[tokio::test]
async fn a_group_comes_back_with_its_permissions_and_members() {
    let server = TestServer::start().await;
    jane(&server).await;
    server.sql("INSERT INTO group_permissions VALUES (1, 'articles.view_article')").await;
    let mut root = server.superuser().await;
    let page = root.page("/admin/groups/1/delete/").await;
    assert_has(&page, &["<dt>Memberships of users</dt><dd>1 deleted</dd>"]);
    let answer = root.post("/admin/groups/1/delete/", &[("post", "yes")]).await;
    let page = root.follow(&answer).await;
    assert_eq!(server.count("group_permissions").await, 0);
    assert!(undo(&mut root, &page).await.contains("The group “Editors” was restored."));
    let rows = "group_permissions JOIN user_groups USING (group_id) WHERE user_id = 1";
    assert_eq!(server.count(rows).await, 1);
}

#[tokio::test]
async fn whoever_has_lost_a_name_meanwhile_stays_away_alone_and_comes_once_it_is_free() {
    let server = TestServer::start().await;
    for name in ["jane", "john", "jill"] {
        server.user(name).await;
    }
    let mut root = server.superuser().await;
    let ids = [("_selected_action", "1"), ("_selected_action", "2"), ("_selected_action", "3")];
    let answer =
        root.post("/admin/users/", &[&[("action", "delete_selected"), ("post", "yes")], &ids[..]].concat()).await;
    let page = root.follow(&answer).await;
    assert_has(&page, &["Deleted 3 users."]);
    server.user_with("other", |new| new.email = "JOHN@example.com".to_owned()).await;
    let message = undo(&mut root, &page).await;
    let expected = "Restored 2 users. 1 cannot be restored: “john” (its email is taken).";
    assert_has(&message, &[expected]);
    let here = "SELECT username FROM users WHERE id <= 3 ORDER BY id";
    assert_eq!(server.texts(here).await, ["jane", "jill"]);
    assert_eq!(server.texts("SELECT object FROM deleted_rows").await, ["john"]);
    let restored = "SELECT object FROM history WHERE changes LIKE '%restored%' ORDER BY object";
    assert_eq!(server.texts(restored).await, ["jane", "jill"]);
    let message = undo(&mut root, &page).await;
    let expected = "“john” cannot be restored: its email is taken. Nothing was restored.";
    assert_has(&message, &[expected]);
    server.sql("UPDATE users SET email = '', email_key = NULL WHERE username = 'other'").await;
    let message = undo(&mut root, &page).await;
    assert_has(&message, &["The user “john” was restored."]);
    assert_eq!(server.texts(here).await, ["jane", "john", "jill"]);
    assert_eq!(server.count("deleted_rows").await, 0);
}

#[tokio::test]
async fn a_message_names_three_of_those_that_cannot_come_back_and_counts_the_others() {
    let server = TestServer::start().await;
    let mut fields = vec![("action", "delete_selected".to_owned()), ("post", "yes".to_owned())];
    for number in 1..=5 {
        let id = server.user(&format!("user{number}")).await.id;
        fields.push(("_selected_action", id.to_string()));
    }
    let mut root = server.superuser().await;
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = root.post("/admin/users/", &fields).await;
    let page = root.follow(&answer).await;
    for number in 1..=5 {
        server.user_with(&format!("user{number}"), |new| new.email = String::new()).await;
    }
    let message = undo(&mut root, &page).await;
    let why = "its username is taken";
    let expected = format!(
        "Nothing was restored. 5 cannot be restored: “user5” ({why}), “user4” ({why}), “user3” ({why}) and 2 more."
    );
    assert_has(&message, &[&expected]);
    assert_eq!(server.count("deleted_rows").await, 5);
}

#[tokio::test]
async fn users_with_more_rights_than_ones_own_stay_away_while_the_others_come() {
    let server = TestServer::start().await;
    server.staff("boss", |new| new.is_superuser = true).await;
    server.user("jane").await;
    let mut root = server.superuser().await;
    let mut adder = server.staff_with("adder", &["users.view_user", "users.add_user"]).await;
    let fields = [("action", "delete_selected"), ("post", "yes"), ("_selected_action", "1"), ("_selected_action", "2")];
    assert_eq!(root.post("/admin/users/", &fields).await.status, 303);
    let batch = server.texts("SELECT DISTINCT batch FROM deleted_rows").await;
    let answer = adder.post("/admin/undo/", &[("batch", &batch[0])]).await;
    let message = adder.follow(&answer).await;
    let expected = "Restored 1 user. 1 cannot be restored: “boss” (you do not have permission to restore it).";
    assert_has(&message, &[expected]);
    assert_eq!(server.texts("SELECT username FROM users WHERE id <= 2").await, ["jane"]);
    assert_eq!(server.texts("SELECT object FROM deleted_rows").await, ["boss"]);
}

#[tokio::test]
async fn what_belonged_to_something_that_is_gone_is_left_out_and_said() {
    let server = TestServer::start().await;
    let id = jane(&server).await;
    let mut root = server.superuser().await;
    let answer = root.post(&format!("/admin/users/{id}/delete/"), &[("post", "yes")]).await;
    let page = root.follow(&answer).await;
    server.sql("DELETE FROM groups; UPDATE articles SET created_by = 2 WHERE name = 'One'").await;
    let message = undo(&mut root, &page).await;
    assert_has(&message, &["1 related record is missing"]);
    let authors =
        server.texts("SELECT name || ' ' || coalesce(CAST(created_by AS TEXT), '-') FROM articles ORDER BY id").await;
    assert_eq!(authors, ["One 2", "Two 1", "Nobodys -"]);
    // An article whose author is gone by then comes back without.
    let answer = root.post("/admin/articles/2/delete/", &[("post", "yes")]).await;
    let page = root.follow(&answer).await;
    assert_eq!(root.post(&format!("/admin/users/{id}/delete/"), &[("post", "yes")]).await.status, 303);
    assert!(undo(&mut root, &page).await.contains("The article “Two” was restored."));
    assert_eq!(server.count("articles WHERE id = 2 AND created_by IS NULL").await, 1);
}

#[tokio::test]
async fn what_the_api_deletes_comes_back_as_well() {
    let (server, token) = TestServer::with_alice().await;
    assert_eq!(server.post_article(&token, "Łódź 🦀").await.status, 201);
    assert_eq!(server.call("DELETE", "/articles/1/").token(&token).status().await, 204);
    let mut root = server.superuser().await;
    let batch = server.texts("SELECT batch FROM deleted_rows").await;
    let answer = root.post("/admin/undo/", &[("batch", &batch[0])]).await;
    assert_eq!(answer.header("location"), "/admin/articles/1/change/");
    server.get("/articles/1/", &token).await.assert(200, r#"{"id":1,"name":"Łódź 🦀"}"#);
    assert_eq!(server.number("SELECT created_by FROM articles").await, 1);
}

#[tokio::test]
async fn an_undo_takes_the_right_to_add_and_rights_that_cover_the_users() {
    let server = TestServer::start().await;
    server.staff("boss", |new| new.is_superuser = true).await;
    server.user("jane").await;
    let mut root = server.superuser().await;
    let mut clerk = server.staff_with("clerk", &["users.view_user", "users.change_user", "users.delete_user"]).await;
    let mut adder = server.staff_with("adder", &["users.view_user", "users.add_user"]).await;
    assert_eq!(root.post("/admin/users/1/delete/", &[]).await.status, 303);
    assert_eq!(clerk.post("/admin/users/2/delete/", &[]).await.status, 303);
    let batches = server.texts("SELECT batch FROM deleted_rows ORDER BY id").await;
    for batch in &batches {
        assert_eq!(clerk.post("/admin/undo/", &[("batch", batch)]).await.status, 403);
    }
    assert_eq!(adder.post("/admin/undo/", &[("batch", &batches[0])]).await.status, 403);
    assert_eq!(server.count("users WHERE id <= 2").await, 0);
    assert_eq!(adder.post("/admin/undo/", &[("batch", &batches[1])]).await.status, 303);
    assert_eq!(root.post("/admin/undo/", &[("batch", &batches[0])]).await.status, 303);
    assert_eq!(server.count("users WHERE id <= 2").await, 2);
    for batch in ["", "x", "' OR 1=1 --"] {
        let answer = root.post("/admin/undo/", &[("batch", batch)]).await;
        assert!(root.follow(&answer).await.contains("There is nothing to undo"));
    }
}

#[tokio::test]
async fn deleted_rows_are_kept_for_a_month() {
    let server = TestServer::start().await;
    server.seed_articles(3).await;
    let mut root = server.superuser().await;
    for id in [1, 2] {
        assert_eq!(root.post(&format!("/admin/articles/{id}/delete/"), &[]).await.status, 303);
    }
    let batch = server.texts("SELECT batch FROM deleted_rows ORDER BY id LIMIT 1").await;
    server.sql(format!("UPDATE deleted_rows SET at = {} WHERE object_id = 1", ago(31 * 86_400))).await;
    let answer = root.post("/admin/undo/", &[("batch", &batch[0])]).await;
    assert!(root.follow(&answer).await.contains("There is nothing to undo"));
    // Expired imports and deletions go when a server starts, whether or not anybody deletes anything again.
    let import = |days: i64| {
        format!(
            "INSERT INTO jobs (user_id, model, title, content, state, report, updated_at)
             SELECT id, 'articles', '{days}', '', 'checked', '', {} FROM users LIMIT 1;",
            ago(days * 86_400)
        )
    };
    server.sql(format!("{}{}", import(0), import(2))).await;
    let _second = server.second().await;
    let left = "SELECT 'deleted ' || object_id FROM deleted_rows UNION ALL SELECT 'import ' || title FROM jobs";
    let mut rows = server.texts(left).await;
    for _ in 0..100 {
        if rows.len() <= 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        rows = server.texts(left).await;
    }
    assert_eq!(rows, ["deleted 2", "import 0"]);
}
