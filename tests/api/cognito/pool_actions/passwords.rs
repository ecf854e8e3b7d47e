//! Invitations that are sent again, and passwords that are reset.

use super::{calls_since, history, linked, office, press};
use crate::harness::assert_has;
use crate::harness::aws::Fault;

#[tokio::test]
async fn an_invitation_is_sent_again_until_it_is_used() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    aws.user("jane", |user| user["UserStatus"] = "FORCE_CHANGE_PASSWORD".into());
    assert_has(&press(&mut root, &page, "resend").await, &["Cognito sends “jane” another invitation."]);
    let asked = aws.asked();
    let call = asked.iter().find(|asked| asked.action() == "AdminCreateUser").expect("the call");
    assert_has(&call.body, &["\"MessageAction\":\"RESEND\"", "\"Username\":\"jane\"", "\"EMAIL\""]);
    assert_eq!(history(&server, "jane").await[1], "admin root {\"cognito_invitation\":[null,\"sent again\"]}");

    aws.user("jane", |user| user["UserStatus"] = "CONFIRMED".into());
    let before = aws.calls();
    let said = "The invitation of “jane” was not sent again. Only users who have not signed in to Cognito yet can be invited again.";
    let answer = press(&mut root, &page, "resend").await;
    assert_has(&answer, &[said]);
    assert!(!calls_since(&aws, before).contains(&"AdminCreateUser".to_owned()));
}

#[tokio::test]
async fn a_password_is_reset_by_the_pool_alone() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    let said = "The Cognito password of “jane” was reset. Cognito sends a code for a new one.";
    assert_has(&press(&mut root, &page, "reset_password").await, &[said, "Reset required"]);
    assert_eq!(history(&server, "jane").await[1], "admin root {\"cognito_password\":[null,\"reset\"]}");
    aws.users(|users| assert_eq!(users[0]["UserStatus"], "RESET_REQUIRED"));
}

#[tokio::test]
async fn a_password_that_cognito_would_not_reset_is_left_alone_with_the_reason() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    for (status, reason) in [
        ("FORCE_CHANGE_PASSWORD", "The user has not used the invitation yet. Send it again instead."),
        ("EXTERNAL_PROVIDER", "The user signs in with another identity provider, so Cognito has no password."),
        ("UNCONFIRMED", "The user has not confirmed the sign-up yet."),
    ] {
        aws.user("jane", |user| user["UserStatus"] = status.into());
        assert_has(&press(&mut root, &page, "reset_password").await, &["was not reset. ", reason]);
        aws.users(|users| assert_eq!(users[0]["UserStatus"], status));
    }
    aws.user("jane", |user| user["UserStatus"] = "CONFIRMED".into());
    let message = "Cannot reset password for the user as there is no registered/verified email or phone_number";
    aws.fail([None, Some(Fault::error("400 Bad Request", "InvalidParameterException", message))]);
    let said = "Cognito has no verified e-mail or phone number of the user to send a code to.";
    assert_has(&press(&mut root, &page, "reset_password").await, &[said]);
    aws.enable("jane", false);
    assert_has(&press(&mut root, &page, "reset_password").await, &["The account is disabled in Cognito."]);
}
