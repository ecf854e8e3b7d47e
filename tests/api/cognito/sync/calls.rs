//! Calls of the pool's API: signed, page by page, repeated where that helps, and with a clear word where it does not.

use super::{active, add_linked_users, assert_ended, office, sql, sync};
use crate::harness::aws::{FakeAws, Fault};
use crate::harness::{assert_has, assert_lacks};

#[tokio::test]
async fn a_call_is_signed_for_the_region_of_the_pool() {
    let aws = FakeAws::with(&["ann"]).await;
    let program = office(&aws).await.set("AWS_SESSION_TOKEN", "token-of-the-session");
    sync(&program, &[]).await.success();
    let call = &aws.asked()[0];
    assert_eq!(call.header("x-amz-target"), "AWSCognitoIdentityProviderService.ListUsers");
    assert_eq!(call.header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(call.header("x-amz-security-token"), "token-of-the-session");
    assert_eq!(call.header("host"), aws.address.to_string());
    let day = &call.header("x-amz-date")[..8];
    assert_has(
        call.header("authorization"),
        &[
            &format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{day}/eu-west-1/cognito-idp/aws4_request, "),
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=",
        ],
    );
    assert_has(&call.body, &["eu-west-1_TestPool1"]);
}

#[tokio::test]
async fn a_call_that_is_throttled_or_broken_off_is_repeated() {
    let names: Vec<String> = (0..130).map(|number| format!("user{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let aws = FakeAws::with(&names).await;
    let program = office(&aws).await;
    sql(&program, "INSERT INTO groups (name, cognito_group) VALUES ('Editors', 'editors')");
    aws.group("editors", &names);
    aws.fail([
        Some(Fault::throttled()),
        Some(Fault::HangUp),
        None,
        Some(Fault::BreakOff),
        Some(Fault::error("500 Internal Server Error", "InternalErrorException", "")),
        Some(Fault::Answer("503 Service Unavailable", String::new(), "<html>".to_owned())),
        None,
        None,
        None,
        Some(Fault::error("400 Bad Request", "com.amazonaws.cognito#ThrottlingException:http://x", "Rate")),
        Some(Fault::Answer("429 Too Many Requests", String::new(), String::new())),
    ]);
    let outcome = sync(&program, &["--create"]).await;
    assert_has(outcome.success(), &["The pool has 130 users", "130 users were changed"]);
    assert_eq!(aws.calls(), 3 + 3 + 7, "3 pages of users, 3 of members, 7 that failed");
    assert_eq!(program.texts("SELECT count(*) FROM user_cognito_groups"), ["130"]);
}

#[tokio::test]
async fn a_list_that_breaks_off_for_good_changes_nothing() {
    let names: Vec<String> = (0..61).map(|number| format!("user{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let aws = FakeAws::with(&names).await;
    let program = office(&aws).await;
    add_linked_users(&program, &["ann"]);
    aws.fail([None, Some(Fault::error("400 Bad Request", "InvalidParameterException", "Invalid \u{1b}[31mtoken"))]);
    let outcome = sync(&program, &[]).await;
    assert_ended(&outcome, 1, "nothing was changed: AWS refuses the call: InvalidParameterException");
    assert!(!outcome.stderr.contains('\u{1b}'), "{outcome:?}");
    assert_eq!((active(&program), aws.calls()), (vec!["ann".to_owned()], 2));
}

#[tokio::test]
async fn what_another_attempt_would_not_change_is_said_at_once() {
    let aws = FakeAws::with(&["ann"]).await;
    let program = office(&aws).await;
    let late = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z";
    let date = format!("date: {}\r\n", (chrono::Utc::now() + chrono::TimeDelta::minutes(20)).to_rfc2822());
    let skewed = serde_json::json!({ "__type": "InvalidSignatureException", "message": late }).to_string();
    for (fault, problem) in [
        (
            Fault::error(
                "400 Bad Request",
                "AccessDeniedException",
                "not authorized to perform: cognito-idp:ListUsers",
            ),
            "AWS refuses the call: AccessDeniedException: not authorized to perform: cognito-idp:ListUsers",
        ),
        (
            Fault::error("400 Bad Request", "UnrecognizedClientException", "The security token is invalid."),
            "UnrecognizedClientException",
        ),
        (Fault::Answer("400 Bad Request", date, skewed), "the clock of this machine is wrong: it is 1"),
        (Fault::error("400 Bad Request", "ExpiredTokenException", "over"), "the AWS credentials have expired: over"),
        (Fault::Answer("200 OK", String::new(), "{}".to_owned()), "the answer of AWS cannot be used"),
        (Fault::Answer("302 Found", "location: /elsewhere\r\n".to_owned(), String::new()), "302 Found"),
        (Fault::Answer("200 OK", String::new(), " ".repeat(9_000_000)), "the response is larger than"),
    ] {
        let before = aws.calls();
        aws.fail([Some(fault)]);
        let outcome = sync(&program, &[]).await;
        assert_ended(&outcome, 1, problem);
        assert_eq!(aws.calls(), before + 1, "{problem}");
        assert_lacks(&outcome.stderr, &["secret-of-the-key"]);
    }
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up() {
    let aws = FakeAws::with(&["ann"]).await;
    let program = office(&aws).await;
    let endless = serde_json::json!({ "Users": [], "PaginationToken": "again" }).to_string();
    aws.fail([1, 2].map(|_| Some(Fault::Answer("200 OK", String::new(), endless.clone()))));
    assert_ended(&sync(&program, &[]).await, 1, "the list goes round in a circle");
}

#[tokio::test]
async fn an_endpoint_must_be_safe() {
    let aws = FakeAws::with(&["ann"]).await;
    let program = office(&aws).await;
    for url in [
        "http://example.com",
        "ftp://localhost",
        "localhost:4566",
        "https://user:pass@example.com",
        "https://example.com/path",
    ] {
        let program = Program::with(&program, url);
        let outcome = sync(&program, &[]).await;
        assert_ended(&outcome, 1, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: ");
        assert_lacks(&outcome.stderr, &["pass"]);
    }
}

/// The same program with another endpoint.
struct Program;

impl Program {
    fn with(program: &crate::harness::program::Program, url: &str) -> crate::harness::program::Program {
        let same = crate::harness::program::Program::within(&program.path(""));
        same.set("APP_ENV", "production")
            .set("AWS_USER_POOLS_ID", crate::harness::pool::POOL_ID)
            .set("AWS_APP_CLIENT_ID", crate::harness::pool::CLIENT_ID)
            .set("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", url)
    }
}
