//! Whatever the pool answers, the staff read a sentence.

use super::{linked, office, press};
use crate::harness::aws::Fault;
use crate::harness::{assert_has, assert_lacks};

#[tokio::test]
async fn each_failure_of_the_pool_is_a_sentence() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    let error = |code: &str| Fault::error("400 Bad Request", code, "secret-of-aws <script>");
    for (faults, sentence) in [
        (vec![error("AccessDeniedException")], "lack the right cognito-idp:AdminResetUserPassword."),
        (vec![error("UnrecognizedClientException")], "AWS does not accept the credentials of Gatepost."),
        (vec![error("InvalidSignatureException")], "AWS does not accept the credentials of Gatepost."),
        (vec![error("ExpiredTokenException")], "Gatepost has no valid AWS credentials. The log says more."),
        (vec![error("UserNotFoundException")], "The user pool does not have this user."),
        (vec![error("ResourceNotFoundException")], "AWS does not know this user pool."),
        (vec![error("LimitExceededException")], "Cognito’s limit for this user or pool is reached. Try again later."),
        (vec![error("CodeDeliveryFailureException")], "Cognito could not send the e-mail."),
        (vec![error("NotAuthorizedException")], "Cognito refused AdminResetUserPassword: NotAuthorizedException: "),
        (vec![Fault::throttled()], "Cognito has too many requests at the moment. Try again in a minute."),
        (vec![Fault::HangUp], "Cognito did not answer. It may have done it all the same"),
        (vec![Fault::BreakOff], "Cognito did not answer. It may have done it all the same"),
        (
            vec![Fault::Answer("500 Internal Server Error", String::new(), "<html>".to_owned())],
            "Cognito has a problem at the moment. Try again later.",
        ),
        (vec![Fault::Answer("200 OK", String::new(), "<html>".to_owned())], "The answer of Cognito cannot be used."),
    ] {
        let count = faults.len();
        aws.fail([None].into_iter().chain(faults.into_iter().map(Some)));
        let before = aws.calls();
        let answer = press(&mut root, &page, "reset_password").await;
        assert_has(&answer, &["The password of “jane” was not reset. ", sentence]);
        assert_lacks(&answer, &["<script>"]);
        // The user is looked up before, and compared with its groups after it.
        assert_eq!(aws.calls() - before, 1 + count + 2, "{sentence}");
    }
    assert_eq!(super::history(&server, "jane").await.len(), 1, "only the link");
}

#[tokio::test]
async fn what_may_have_happened_is_not_tried_again_by_itself() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    aws.fail([None, Some(Fault::HangUp)]);
    assert_has(&press(&mut root, &page, "reset_password").await, &["was not reset. Cognito did not answer."]);
    assert_has(&press(&mut root, &page, "reset_password").await, &["The Cognito password of “jane” was reset."]);
}

#[tokio::test]
async fn an_answer_that_never_comes_holds_up_nobody_else() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    aws.hold(true);
    let waiting = tokio::spawn({
        let mut root = root.clone();
        async move { root.post(&page, &[("action", "reset_password")]).await.status }
    });
    crate::harness::eventually("the pool is asked", async || aws.calls() > 0).await;
    // Neither a worker nor the writer of the database waits.
    assert_eq!(root.get("/admin/users/").await.status, 200);
    server.user("carl").await;
    assert!(!waiting.is_finished());
    aws.hold(false);
    assert_eq!(waiting.await.expect("an answer"), 303);
}
