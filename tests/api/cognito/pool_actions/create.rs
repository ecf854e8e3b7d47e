//! Creating the account of a local user in the pool.

use serde_json::json;

use super::{calls_since, history, office, page_of, press};
use crate::harness::assert_has;
use crate::harness::aws::Fault;
use crate::harness::pool::ISSUER;

const LINK: &str =
    "SELECT cognito_issuer || ' ' || cognito_sub FROM users WHERE username = 'jane' AND cognito_sub IS NOT NULL";

#[tokio::test]
async fn a_user_is_invited_and_pinned_to_the_new_account() {
    let (aws, server, mut root) = office(&[]).await;
    let page = page_of(server.user("jane").await.id);
    assert_has(&root.page(&page).await, &["This user is not linked to Cognito.", "Create in Cognito…"]);
    let answer = press(&mut root, &page, "create").await;
    assert_has(
        &answer,
        &["“jane” was created in Cognito and linked. Cognito sends the invitation to jane@example.com."],
    );
    assert_eq!(server.texts(LINK).await, [format!("{ISSUER} sub-of-jane")]);
    let asked = aws.asked().into_iter().find(|asked| asked.action() == "AdminCreateUser").expect("the call");
    let request: serde_json::Value = serde_json::from_str(&asked.body).expect("JSON");
    let expected = json!({
        "UserPoolId": "eu-west-1_TestPool1", "Username": "jane", "DesiredDeliveryMediums": ["EMAIL"],
        "UserAttributes": [
            { "Name": "email", "Value": "jane@example.com" }, { "Name": "email_verified", "Value": "true" },
        ],
    });
    assert_eq!(request, expected);
    let entries = history(&server, "jane").await;
    assert_eq!(entries[0], "admin root {\"cognito_invitation\":[null,\"sent\"]}");
    assert_has(&entries[1], &["admin root ", "\"cognito_sub\":[null,\"sub-of-jane\"]"]);
    // The new user's first token is theirs, whatever e-mail it has.
    let token = server.pool.token("jane").claim("email", "other@example.com").sign();
    assert_eq!(server.me(&token).await["username"], "jane");
}

#[tokio::test]
async fn a_pool_whose_usernames_are_emails_gets_the_email() {
    let (aws, server, mut root) = office(&[]).await;
    let page = page_of(server.user("jane").await.id);
    for message in ["Username should be an email.", "Username should be either an email or a phone number."] {
        aws.fail([None, Some(Fault::error("400 Bad Request", "InvalidParameterException", message))]);
        assert_has(&press(&mut root, &page, "create").await, &["was created in Cognito and linked"]);
        let asked = aws.asked();
        let last = asked.iter().rfind(|asked| asked.action() == "AdminCreateUser").expect("the call");
        assert_has(&last.body, &["\"Username\":\"jane@example.com\""]);
        server.sql("UPDATE users SET cognito_issuer = NULL, cognito_sub = NULL WHERE username = 'jane'").await;
        aws.delete("jane@example.com");
    }
}

#[tokio::test]
async fn an_account_that_is_there_is_linked_only_if_its_email_is_verified_and_the_same() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = page_of(server.user("jane").await.id);
    let unverified =
        [json!({ "Name": "sub", "Value": "sub-of-jane" }), json!({ "Name": "email", "Value": "jane@example.com" })];
    aws.user("jane", |user| user["Attributes"] = unverified.to_vec().into());
    let answer = press(&mut root, &page, "create").await;
    assert_has(&answer, &["which was not linked. The e-mail address is not verified in Cognito."]);

    aws.users(|users| users[0] = crate::harness::aws::pool_user("jane"));
    aws.user("jane", |user| user["Attributes"][1]["Value"] = "somebody@example.com".into());
    assert_has(&press(&mut root, &page, "create").await, &["which was not linked. It has another e-mail."]);

    aws.users(|users| users[0] = crate::harness::aws::pool_user("jane"));
    aws.enable("jane", false);
    assert_has(
        &press(&mut root, &page, "create").await,
        &["“jane” was not created in Cognito.", "and it is disabled."],
    );
    assert_eq!(server.texts(LINK).await, [""; 0]);

    aws.enable("jane", true);
    let before = aws.calls();
    let answer = press(&mut root, &page, "create").await;
    assert_has(&answer, &["“jane” had an account in Cognito already. It is linked now, and no invitation was sent."]);
    assert_eq!(calls_since(&aws, before)[0], "ListUsers");
    assert!(!calls_since(&aws, before).contains(&"AdminCreateUser".to_owned()));
    assert_eq!(server.texts(LINK).await, [format!("{ISSUER} sub-of-jane")]);
}

#[tokio::test]
async fn an_account_of_another_local_user_is_never_taken() {
    let (_aws, server, mut root) = office(&["jane"]).await;
    let page = page_of(server.user("jane").await.id);
    super::linked(&server, "carl").await;
    server.sql("UPDATE users SET cognito_sub = 'sub-of-jane' WHERE username = 'carl'").await;
    assert_has(&press(&mut root, &page, "create").await, &["It belongs to the local user “carl”."]);
    assert_eq!(server.texts(LINK).await, [""; 0]);
}

#[tokio::test]
async fn only_superusers_link_an_account_that_is_there() {
    let (_aws, server, _root) = office(&["jane"]).await;
    let page = page_of(server.user("jane").await.id);
    let mut sue = server.staff_with("sue", &["users.view_user", "users.change_user"]).await;
    let answer = press(&mut sue, &page, "create").await;
    assert_has(&answer, &["Only a superuser can link an account that Cognito already has."]);
    assert_eq!(server.texts(LINK).await, [""; 0]);
}

#[tokio::test]
async fn two_accounts_with_one_email_are_left_to_people() {
    let (aws, server, mut root) = office(&["jane", "other"]).await;
    aws.user("other", |user| user["Attributes"][1]["Value"] = "jane@example.com".into());
    let page = page_of(server.user("jane").await.id);
    let answer = press(&mut root, &page, "create").await;
    assert_has(&answer, &["“jane” was not created in Cognito. Several users of the pool have this verified e-mail."]);
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_account_was_created_is_made_good_by_another_try() {
    let (aws, server, mut root) = office(&[]).await;
    let page = page_of(server.user("jane").await.id);
    // It is carried out, and no answer arrives.
    aws.fail([None, Some(Fault::BreakOff)]);
    assert_has(
        &press(&mut root, &page, "create").await,
        &["“jane” was not created in Cognito. Cognito did not answer."],
    );
    assert_has(
        &press(&mut root, &page, "create").await,
        &["“jane” had an account in Cognito already. It is linked now"],
    );
    assert_eq!(server.texts(LINK).await, [format!("{ISSUER} sub-of-jane")]);
}

#[tokio::test]
async fn only_an_active_user_with_an_email_who_is_not_linked_can_be_created() {
    let (aws, server, mut root) = office(&["carl"]).await;
    let linked = super::linked(&server, "carl").await;
    let without_email = server.user_with("jane", |new| new.email.clear()).await.id;
    let inactive = server.user_with("ann", |new| new.is_active = false).await.id;
    for (page, obstacle) in [
        (linked, "The user is linked to Cognito already."),
        (page_of(without_email), "The user has no e-mail to send an invitation to."),
        (page_of(inactive), "The user is deactivated. Activate the user first."),
    ] {
        let before = aws.calls();
        assert_has(&root.page(&format!("{page}?action=create")).await, &[obstacle]);
        let answer = root.post(&page, &[("action", "create")]).await;
        assert_eq!(answer.status, 303, "{obstacle}");
        assert_eq!(calls_since(&aws, before), [""; 0], "{obstacle}");
        assert_has(&root.follow(&answer).await, &[obstacle]);
    }
}
