//! Disabling a user here and in the pool, and the way back.

use super::{calls_since, history, linked, office, press};
use crate::harness::aws::Fault;
use crate::harness::{assert_has, assert_lacks};

const STATE: &str = "SELECT CASE WHEN is_active THEN 'active' ELSE 'inactive' END FROM users WHERE username = 'jane'";

#[tokio::test]
async fn a_user_is_deactivated_here_then_disabled_and_signed_out_in_the_pool() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    let token = server.pool.token("jane").sign();
    server.me(&token).await;
    let before = aws.calls();
    let answer = press(&mut root, &page, "disable").await;
    assert_has(
        &answer,
        &["“jane” is disabled here and in Cognito, and signed out of both.", "Enable here and in Cognito…"],
    );
    assert_lacks(&answer, &["Disable here and in Cognito…"]);
    assert_eq!(calls_since(&aws, before)[..3], ["AdminGetUser", "AdminDisableUser", "AdminUserGlobalSignOut"]);
    assert_eq!(
        (server.get("/me/", &token).await.code().as_str(), server.texts(STATE).await[0].as_str()),
        ("user_inactive", "inactive")
    );
    aws.users(|users| assert_eq!(users[0]["Enabled"], false));
    let entries = history(&server, "jane").await;
    assert_eq!(entries[1], "admin root {\"is_active\":[true,false]}");
    assert_eq!(entries[2], "admin root {\"cognito_enabled\":[true,false],\"cognito_sessions\":[null,\"ended\"]}");
    assert_has(&root.page("/admin/history/").await, &["Cognito enabled", "Cognito sessions"]);

    let answer = press(&mut root, &page, "enable").await;
    assert_has(&answer, &["“jane” is enabled here and in Cognito."]);
    aws.users(|users| assert_eq!(users[0]["Enabled"], true));
    assert_eq!(server.me(&token).await["username"], "jane");
    let entries = history(&server, "jane").await;
    assert_eq!(
        entries[3..],
        ["admin root {\"cognito_enabled\":[false,true]}", "admin root {\"is_active\":[false,true]}"]
    );
}

#[tokio::test]
async fn what_the_pool_did_not_do_is_said_and_done_by_another_try() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    aws.fail([None, Some(Fault::error("400 Bad Request", "AccessDeniedException", "x"))]);
    let answer = press(&mut root, &page, "disable").await;
    let said = "“jane” is deactivated here, but not disabled in Cognito. The AWS credentials of Gatepost lack the right cognito-idp:AdminDisableUser.";
    assert_has(&answer, &[said, "Disable here and in Cognito…", "Differs"]);
    assert_eq!(server.texts(STATE).await, ["inactive"]);

    aws.fail([None, None, Some(Fault::error("400 Bad Request", "AccessDeniedException", "x"))]);
    let answer = press(&mut root, &page, "disable").await;
    let said = "but not signed out of the other apps of the pool. The AWS credentials of Gatepost lack the right cognito-idp:AdminUserGlobalSignOut.";
    assert_has(&answer, &["“jane” is disabled here and in Cognito,", said]);

    assert_has(
        &press(&mut root, &page, "disable").await,
        &["“jane” is disabled here and in Cognito, and signed out of both."],
    );
    let entries = history(&server, "jane").await;
    let expected = [
        "{\"is_active\":[true,false]}",
        "{\"cognito_enabled\":[true,false]}",
        "{\"cognito_sessions\":[null,\"ended\"]}",
    ];
    assert_eq!(entries[1..], expected.map(|changes| format!("admin root {changes}")));
}

#[tokio::test]
async fn a_user_who_is_gone_from_the_pool_is_deactivated_here() {
    let (_aws, server, mut root) = office(&[]).await;
    let page = linked(&server, "jane").await;
    let said = "“jane” is deactivated here, but not disabled in Cognito. The user pool no longer has this user.";
    assert_has(&press(&mut root, &page, "disable").await, &[said]);
    assert_eq!(server.texts(STATE).await, ["inactive"]);
    assert_has(
        &press(&mut root, &page, "enable").await,
        &["“jane” was not enabled. The user pool no longer has this user."],
    );
    assert_eq!(server.texts(STATE).await, ["inactive"]);
}

#[tokio::test]
async fn a_user_whom_the_pool_keeps_disabled_stays_deactivated() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    press(&mut root, &page, "disable").await;
    aws.fail([None, Some(Fault::throttled()), Some(Fault::throttled())]);
    let answer = press(&mut root, &page, "enable").await;
    assert_has(
        &answer,
        &["“jane” was not enabled. Cognito has too many requests at the moment. Try again in a minute."],
    );
    assert_eq!(server.texts(STATE).await, ["inactive"]);
}

#[tokio::test]
async fn a_user_of_another_identity_provider_is_called_by_the_username() {
    let (aws, server, mut root) = office(&["Google_1"]).await;
    aws.user("Google_1", |user| {
        user["UserStatus"] = "EXTERNAL_PROVIDER".into();
        user["Attributes"][0]["Value"] = "sub-of-jane".into();
    });
    let page = linked(&server, "jane").await;
    let before = aws.calls();
    assert_has(&press(&mut root, &page, "disable").await, &["“jane” is disabled here and in Cognito"]);
    assert_eq!(calls_since(&aws, before)[..3], ["AdminGetUser", "ListUsers", "AdminDisableUser"]);
    aws.users(|users| assert_eq!(users[0]["Enabled"], false));
}

#[tokio::test]
async fn a_username_that_looks_like_the_sub_of_somebody_else_does_not_take_the_blow() {
    let (aws, server, mut root) = office(&["sub-of-jane", "jane"]).await;
    let page = linked(&server, "jane").await;
    press(&mut root, &page, "disable").await;
    aws.users(|users| assert_eq!([&users[0]["Enabled"], &users[1]["Enabled"]], [true, false]));
}

#[tokio::test]
async fn nobody_disables_themselves_or_the_last_superuser() {
    let (aws, server, mut root) = office(&["root"]).await;
    server.link("root", crate::harness::pool::ISSUER, "sub-of-root").await;
    let page = super::page_of(server.number("SELECT id FROM users WHERE username = 'root'").await);
    let before = aws.calls();
    let answer = root.post(&page, &[("action", "disable")]).await;
    assert_eq!(calls_since(&aws, before), [""; 0]);
    assert_has(&root.follow(&answer).await, &["message bad"]);
    aws.users(|users| assert_eq!(users[0]["Enabled"], true));
    assert_eq!(server.count("users WHERE is_active").await, 1);
}
