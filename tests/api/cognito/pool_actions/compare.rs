//! The user here and in the pool, side by side.

use gatepost::cognito::pool_actions::PoolAction;

use super::{calls_since, linked, office, server_with};
use crate::harness::aws::{FakeAws, Fault};
use crate::harness::html::{between, unescape};
use crate::harness::{assert_has, assert_lacks};

/// The rows of the table, as they are read.
fn rows(html: &str) -> Vec<String> {
    let row = |row: &str| {
        let cells = between(row, ">", "<");
        let cells = cells.into_iter().map(|cell| unescape(cell.trim())).filter(|cell| !cell.is_empty());
        cells.collect::<Vec<_>>().join(" | ")
    };
    between(html, "<tr><th scope=\"row\"", "</tr>").into_iter().map(row).collect()
}

#[tokio::test]
async fn a_user_who_is_the_same_in_both_has_no_difference() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    let before = aws.calls();
    let shown = root.page(&page).await;
    let expected = [
        "Username | jane | jane",
        "E-mail | jane@example.com | jane@example.com",
        "E-mail verified | Yes",
        "Active, or enabled | Yes | Yes",
        "Status | Confirmed",
        "Subject (sub) | sub-of-jane | sub-of-jane",
        "Groups",
    ];
    assert_eq!(rows(&shown), expected);
    assert_eq!(calls_since(&aws, before), ["AdminGetUser", "AdminListGroupsForUser"]);
    assert_lacks(
        &shown,
        &["Differs", "Send the invitation again…", "Enable here and in Cognito…", "Create in Cognito…"],
    );
    assert_has(&shown, &["Disable here and in Cognito…", "Reset the Cognito password…"]);
}

#[tokio::test]
async fn each_difference_comes_with_what_becomes_of_it() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    server.sql("INSERT INTO groups (name, cognito_group) VALUES ('Editors', 'editors'), ('Old', 'old')").await;
    server.sql("INSERT INTO user_cognito_groups (user_id, group_id) SELECT users.id, groups.id FROM users, groups WHERE username = 'jane' AND name = 'Old'").await;
    aws.group("editors", &["jane"]);
    aws.group("unmapped", &["jane"]);
    aws.user("jane", |user| {
        user["Enabled"] = false.into();
        user["UserStatus"] = "FORCE_CHANGE_PASSWORD".into();
        user["Attributes"][1]["Value"] = "jane@other.example".into();
        user["Attributes"][2]["Value"] = "false".into();
    });
    let expected = [
        "Username | jane | jane",
        "E-mail | Differs | jane@example.com | jane@other.example | Nothing changes by itself: the link goes by the sub. Correct the wrong one.",
        "E-mail verified | No | The link stays. After Unlink, this e-mail would not link again.",
        "Active, or enabled | Differs | Yes | No | The next sync deactivates the user, unless it is the last active superuser.",
        "Status | Invited | The user has not used the invitation yet.",
        "Subject (sub) | sub-of-jane | sub-of-jane",
        "Groups | Differs | Old | editors, unmapped | The next token or sync changes: + Editors, - Old.",
    ];
    assert_eq!(rows(&root.page(&page).await), expected);
    aws.enable("jane", true);
    for (flag, effect) in [
        ("TRUE", "The next sync activates the user again."),
        ("FALSE", "The user stays deactivated here: staff did that, not the sync."),
    ] {
        server
            .sql(format!("UPDATE users SET is_active = FALSE, deactivated_by_sync = {flag} WHERE username = 'jane'"))
            .await;
        assert_has(&rows(&root.page(&page).await)[3], &["Differs | No | Yes", effect]);
    }
}

#[tokio::test]
async fn what_cannot_be_asked_leaves_the_rest() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    let denied = || Some(Fault::error("400 Bad Request", "AccessDeniedException", "x"));
    aws.fail([None, denied()]);
    let shown = root.page(&page).await;
    assert_eq!(
        rows(&shown)[6],
        "Groups | The AWS credentials of Gatepost lack the right cognito-idp:AdminListGroupsForUser."
    );
    aws.fail([denied()]);
    let shown = root.page(&page).await;
    assert_has(&shown, &["lack the right cognito-idp:AdminGetUser.", "Disable here and in Cognito…"]);
    assert_eq!(rows(&shown), [""; 0]);
    aws.delete("jane");
    assert_has(&root.page(&page).await, &["The user pool no longer has this user."]);
}

#[tokio::test]
async fn the_pool_is_not_asked_about_strangers_or_without_the_setting() {
    let aws = FakeAws::with(&["jane"]).await;
    let server = server_with(&aws, &[PoolAction::Disable]).await;
    let mut root = server.superuser().await;
    let page = linked(&server, "jane").await;
    let shown = root.page(&page).await;
    assert_has(&shown, &["Disable here and in Cognito…"]);
    assert_lacks(&shown, &["Here and in the pool", "Reset the Cognito password"]);
    assert_eq!(aws.calls(), 0);
    server.sql("UPDATE users SET cognito_issuer = 'https://other.example/pool' WHERE username = 'jane'").await;
    assert_lacks(&root.page(&page).await, &["Disable here and in Cognito…"]);
    let said = "The user is linked to another user pool.";
    assert_has(&root.page(&format!("{page}?action=disable")).await, &[said]);
    assert_eq!(aws.calls(), 0);
}
