//! The field that maps a local group to one of the pool.

use super::{history, members, send, server};
use crate::harness::form::undo;
use crate::harness::{assert_has, assert_lacks};

const EDITORS: &str = "/admin/groups/1/change/";
const READERS: &str = "/admin/groups/2/change/";

#[tokio::test]
async fn a_mapping_that_ends_or_changes_ends_the_memberships_from_the_pool() {
    for value in ["", "writers"] {
        let server = server().await;
        let mut root = server.superuser().await;
        server.sql("UPDATE groups SET cognito_group = 'readers' WHERE name = 'Readers'").await;
        server.sql("INSERT INTO user_groups VALUES (1, 1)").await;
        send(&server, &["editors", "readers"], 5).await;
        let form = root.open_form(EDITORS).await;
        assert_eq!(form.get("cognito_group"), Some("editors"));
        assert_eq!(form.set("cognito_group", &[value]).save(&mut root).await.status, 303);
        assert_eq!(members(&server).await, ["jane Readers"]);
        assert_eq!(server.count("user_groups").await, 1, "what was given by hand stays");
        let changes =
            "SELECT source || ' ' || actor || ' ' || object || ' ' || changes FROM history ORDER BY id DESC LIMIT 2";
        let new = if value.is_empty() { "null" } else { "\"writers\"" };
        let expected = [
            format!("admin root Editors {{\"cognito_group\":[\"editors\",{new}]}}"),
            "admin root jane {\"cognito_groups\":[[\"Editors\",\"Readers\"],[\"Readers\"]]}".to_owned(),
        ];
        assert_eq!(server.texts(changes).await, expected);
    }
}

#[tokio::test]
async fn a_group_that_is_renamed_keeps_its_members() {
    let server = server().await;
    let mut root = server.superuser().await;
    send(&server, &["editors"], 5).await;
    let form = root.open_form(EDITORS).await.set("name", &["Writers"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    assert_eq!(members(&server).await, ["jane Writers"]);
    send(&server, &["editors"], 4).await;
    assert_eq!(history(&server).await.len(), 1, "nothing changed for jane");
}

#[tokio::test]
async fn a_restored_group_is_mapped_and_gets_its_members_from_new_tokens_alone() {
    let server = server().await;
    let mut root = server.superuser().await;
    server.sql("INSERT INTO user_groups VALUES (1, 1)").await;
    send(&server, &["editors"], 5).await;
    let answer = root.post("/admin/groups/1/delete/", &[("post", "yes")]).await;
    let page = root.follow(&answer).await;
    let entry = "SELECT changes FROM history WHERE object = 'jane' ORDER BY id DESC LIMIT 1";
    assert_eq!(server.texts(entry).await, ["{\"cognito_groups\":[[\"Editors\"],[]]}"]);
    assert_has(&undo(&mut root, &page).await, &["The group “Editors” was restored."]);
    let mapping = server.texts("SELECT cognito_group FROM groups WHERE id = 1").await;
    assert_eq!((mapping, server.count("user_groups").await), (vec!["editors".to_owned()], 1));
    assert_eq!(members(&server).await, [""; 0], "meanwhile jane may have left it in the pool");
    send(&server, &["editors"], 4).await;
    assert_eq!(members(&server).await, ["jane Editors"]);

    // Meanwhile another group may have the members.
    let answer = root.post("/admin/groups/1/delete/", &[("post", "yes")]).await;
    let page = root.follow(&answer).await;
    server.sql("UPDATE groups SET cognito_group = 'editors' WHERE name = 'Readers'").await;
    assert_has(&undo(&mut root, &page).await, &["“Editors” cannot be restored: its cognito group is taken."]);
}

#[tokio::test]
async fn a_restored_user_gets_the_groups_with_the_next_token() {
    let server = server().await;
    let mut root = server.superuser().await;
    send(&server, &["editors"], 5).await;
    let page = root.page("/admin/users/1/delete/").await;
    assert_has(&page, &["<dt>Group memberships from Cognito</dt><dd>1 deleted</dd>"]);
    let answer = root.post("/admin/users/1/delete/", &[("post", "yes")]).await;
    let page = root.follow(&answer).await;
    assert_eq!(members(&server).await, [""; 0]);
    undo(&mut root, &page).await;
    // The pool may have taken her out meanwhile.
    assert_eq!(members(&server).await, [""; 0]);
    send(&server, &["editors"], 4).await;
    assert_eq!(members(&server).await, ["jane Editors"]);
}

#[tokio::test]
async fn only_superusers_choose_the_group_of_the_pool() {
    let server = server().await;
    let mut clerk = server.staff_with("clerk", &["groups.add_group", "groups.change_group", "groups.view_group"]).await;
    const MESSAGE: &str = "Only superusers can choose the Cognito group.";
    for (page, value) in [("/admin/groups/add/", "clerks"), (READERS, "clerks")] {
        let form = clerk.open_form(page).await.set("name", &["Mine"]).set("cognito_group", &[value]);
        let answer = form.save(&mut clerk).await;
        assert_eq!(answer.status, 400, "{page} {value:?}");
        assert_has(&answer.text(), &["<a href=\"#id_cognito_group\">", MESSAGE]);
    }
    let form = clerk.open_form(READERS).await.set("name", &["Writers"]);
    assert_eq!(form.save(&mut clerk).await.status, 303, "the name is free to change");
}

#[tokio::test]
async fn the_form_of_a_group_refuses_names_that_no_group_of_the_pool_can_have() {
    let server = server().await;
    let mut root = server.superuser().await;
    let long = "g".repeat(129);
    for (value, message) in [
        ("editors", "Another group has the members of this Cognito group."),
        ("two words", "A Cognito group has no spaces in its name."),
        ("a\u{a0}b", "A Cognito group has no spaces in its name."),
        ("a\u{1}b", "A Cognito group has no spaces in its name."),
        (&long, "Ensure this field has no more than 128 characters."),
    ] {
        for page in [READERS, "/admin/groups/add/"] {
            let form = root.open_form(page).await.set("name", &["New"]).set("cognito_group", &[value]);
            let answer = form.save(&mut root).await;
            assert_eq!(answer.status, 400, "{value:?} {page}: {}", answer.text());
            assert_has(&answer.text(), &["<a href=\"#id_cognito_group\">", message]);
        }
    }
    let longest = "ü".repeat(128);
    for value in [" EDITORS ", "eu-west-1_AbCdEfGhI_Google", "Łódź/🦀.+-", &longest, ""] {
        let form = root.open_form(READERS).await.set("cognito_group", &[value]);
        assert_eq!(form.save(&mut root).await.status, 303, "{value:?}");
        let stored = server.texts("SELECT coalesce(cognito_group, '') FROM groups WHERE id = 2").await;
        assert_eq!(stored, [value.trim()]);
    }
    let form = root.open_form("/admin/groups/add/").await.set("name", &["New"]).set("cognito_group", &["new"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    assert_eq!(server.count("groups WHERE name = 'New' AND cognito_group = 'new'").await, 1);
}

#[tokio::test]
async fn nobody_maps_a_group_that_gives_more_than_they_have() {
    let server = server().await;
    let clerk =
        ["groups.view_group", "groups.add_group", "groups.change_group", "users.view_user", "users.change_user"];
    let mut clerk = server.staff_with("clerk", &clerk).await;
    assert_lacks(&clerk.page(EDITORS).await, &["_save"]);
    let fields = [("name", "Editors"), ("cognito_group", "clerks"), ("permissions", "articles.change_article")];
    assert_eq!(clerk.post(EDITORS, &fields).await.status, 403);
    let new = [("name", "Mine"), ("cognito_group", "clerks"), ("permissions", "articles.change_article")];
    let answer = clerk.post("/admin/groups/add/", &new).await;
    assert_eq!(answer.status, 400);
    assert_has(&answer.text(), &["You cannot give permissions that you do not have."]);
    assert_eq!(server.texts("SELECT cognito_group FROM groups WHERE cognito_group IS NOT NULL").await, ["editors"]);
    // Who has more by the pool is as much out of reach as who has it by hand.
    send(&server, &["editors"], 5).await;
    assert_has(&clerk.page("/admin/users/1/change/").await, &["jane has permissions that you do not have."]);
}
