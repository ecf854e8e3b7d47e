//! Where credentials come from, in which order, and that they are replaced before they end.

use serde_json::json;

use super::{assert_ended, sync};
use crate::harness::assert_lacks;
use crate::harness::aws::{Asked, FakeAws, Fault};
use crate::harness::program::{Outcome, Program};

const STS: &str = "Action=AssumeRoleWithWebIdentity";
const INSTANCE: &str = "GET /latest/meta-data/iam/security-credentials/";

/// A document with credentials that end in so many minutes.
fn document(id: &str, minutes: i64) -> String {
    let end = chrono::Utc::now() + chrono::TimeDelta::minutes(minutes);
    json!({
        "Code": "Success", "AccessKeyId": id, "SecretAccessKey": "secret-of-the-document",
        "Token": format!("token-of-{id}"), "Expiration": end.to_rfc3339(),
    })
    .to_string()
}

/// The sources that the fake can be.
async fn sources() -> (FakeAws, Program) {
    let aws = FakeAws::with(&["ann"]).await;
    let end = (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339();
    aws.answers(
        STS,
        "200 OK",
        format!(
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
             <AccessKeyId>ASIAWEB</AccessKeyId><SecretAccessKey>secret-of-the-document</SecretAccessKey>\
             <SessionToken>token-of-ASIAWEB</SessionToken><Expiration>{end}</Expiration></Credentials>\
             </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        ),
    );
    aws.answers("GET /container", "200 OK", document("ASIACONTAINER", 60));
    aws.answers("PUT /latest/api/token", "200 OK", "token-of-the-service");
    aws.answers(INSTANCE, "200 OK", "the-role\n");
    aws.answers(&format!("{INSTANCE}the-role"), "200 OK", document("ASIAINSTANCE", 60));
    let program = Program::in_production()
        .set("AWS_ENDPOINT_URL", &aws.url(""))
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &aws.url("/"));
    program.run(&["migrate"]).await.success();
    std::fs::write(program.path("token"), "token-of-the-pod\n").expect("a file");
    (aws, program)
}

/// The last call of the pool's API.
fn call(aws: &FakeAws) -> Asked {
    aws.asked().into_iter().rfind(|asked| !asked.action().is_empty()).expect("a call")
}

#[track_caller]
fn assert_used(aws: &FakeAws, outcome: &Outcome, id: &str) {
    outcome.success();
    let call = call(aws);
    assert!(call.header("authorization").contains(&format!("Credential={id}/")), "{id}: {call:?}");
    let token = if id.starts_with("ASIA") { format!("token-of-{id}") } else { String::new() };
    assert_eq!(call.header("x-amz-security-token"), token);
    assert_lacks(&outcome.stderr, &["secret-of", "token-of"]);
}

#[tokio::test]
async fn the_environment_goes_before_web_identity_container_and_instance() {
    let (aws, program) = sources().await;
    assert_used(&aws, &sync(&program, &[]).await, "ASIAINSTANCE");
    let program = program
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &aws.url("/container"))
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer of-the-container");
    assert_used(&aws, &sync(&program, &[]).await, "ASIACONTAINER");
    let program = program.set("AWS_WEB_IDENTITY_TOKEN_FILE", "token").set("AWS_ROLE_ARN", "arn:aws:iam::1:role/sync");
    assert_used(&aws, &sync(&program, &[]).await, "ASIAWEB");
    let program = program.set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").set("AWS_SECRET_ACCESS_KEY", "secret-of-the-key");
    assert_used(&aws, &sync(&program, &[]).await, "AKIDEXAMPLE");
}

#[tokio::test]
async fn each_source_is_asked_as_it_wants_to_be() {
    let (aws, program) = sources().await;
    sync(&program, &[]).await.success();
    let asked = aws.asked();
    assert_eq!(asked[0].line, "PUT /latest/api/token HTTP/1.1");
    assert_eq!(asked[0].header("x-aws-ec2-metadata-token-ttl-seconds"), "300");
    for request in &asked[1..3] {
        assert_eq!(request.header("x-aws-ec2-metadata-token"), "token-of-the-service", "{request:?}");
    }
    std::fs::write(program.path("container-token"), "of-the-file\n").expect("a file");
    let program = program
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &aws.url("/container"))
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-variable")
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "container-token");
    sync(&program, &[]).await.success();
    let container = aws.asked().into_iter().find(|asked| asked.line.contains("/container")).expect("a request");
    assert_eq!(container.header("authorization"), "of-the-file", "the file goes before the variable");
    let program = program.set("AWS_WEB_IDENTITY_TOKEN_FILE", "token").set("AWS_ROLE_ARN", "arn:aws:iam::1:role/sync");
    sync(&program, &[]).await.success();
    let sts = aws.asked().into_iter().find(|asked| asked.body.starts_with(STS)).expect("a request");
    assert_eq!(
        sts.body,
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fsync\
         &RoleSessionName=gatepost&WebIdentityToken=token-of-the-pod"
    );
}

#[tokio::test]
async fn credentials_that_are_over_are_replaced() {
    let (aws, program) = sources().await;
    // They end too soon to be kept from one call to the next.
    aws.answers(&format!("{INSTANCE}the-role"), "200 OK", document("ASIASHORT", 4));
    aws.users(|users| users.extend((0..60).map(|number| crate::harness::aws::pool_user(&format!("user{number}")))));
    sync(&program, &[]).await.success();
    let times = |aws: &FakeAws| aws.asked().iter().filter(|asked| asked.line.contains("/the-role")).count();
    assert_eq!(times(&aws), 2, "once for each page");
    aws.answers(&format!("{INSTANCE}the-role"), "200 OK", document("ASIALONG", 60));
    aws.fail([None, Some(Fault::error("400 Bad Request", "ExpiredTokenException", "The token is expired"))]);
    sync(&program, &[]).await.success();
    assert_eq!(times(&aws), 2 + 2, "once at first, and once because AWS said so");
}

#[tokio::test]
async fn a_source_that_fails_is_named_and_no_other_is_tried() {
    let (aws, program) = sources().await;
    aws.answers("PUT /latest/api/token", "403 Forbidden", "");
    assert_ended(&sync(&program, &[]).await, 1, "gives no token: the answer is 403 Forbidden (in a container");
    aws.answers("PUT /latest/api/token", "200 OK", "token-of-the-service");
    aws.answers(INSTANCE, "404 Not Found", "");
    assert_ended(&sync(&program, &[]).await, 1, "the instance has no role");
    aws.answers(INSTANCE, "200 OK", "../../../user-data");
    assert_ended(&sync(&program, &[]).await, 1, "the instance has no role");
    let program = program.set("AWS_EC2_METADATA_DISABLED", "True");
    assert_ended(&sync(&program, &[]).await, 1, "there are no AWS credentials: set AWS_ACCESS_KEY_ID");
    let program = program.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/container");
    assert_ended(
        &sync(&program, &[]).await,
        1,
        "from the container's endpoint: AWS_CONTAINER_CREDENTIALS_FULL_URI must",
    );
    let program = program.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &aws.url("/container"));
    for (body, problem) in [
        ("{}", "has no credentials"),
        ("secret-of", "Syntax error"),
        (r#"{"Code":"AssumeRoleFailed"}"#, "AssumeRoleFailed"),
    ] {
        aws.answers("GET /container", "200 OK", body);
        assert_ended(&sync(&program, &[]).await, 1, problem);
    }
    let program = program.set("AWS_WEB_IDENTITY_TOKEN_FILE", "missing");
    assert_ended(
        &sync(&program, &[]).await,
        1,
        "from the web identity: AWS_WEB_IDENTITY_TOKEN_FILE: missing: No such file",
    );
    let program = program.set("AWS_WEB_IDENTITY_TOKEN_FILE", "token");
    assert_ended(&sync(&program, &[]).await, 1, "AWS_ROLE_ARN is not set, but AWS_WEB_IDENTITY_TOKEN_FILE is");
    let program = program.set("AWS_ROLE_ARN", "arn:aws:iam::1:role/sync");
    aws.answers(STS, "403 Forbidden", "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>");
    assert_ended(&sync(&program, &[]).await, 1, "STS answers 403 Forbidden AccessDenied");
    let program = program.set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    assert_ended(&sync(&program, &[]).await, 1, "AWS_SECRET_ACCESS_KEY is not set, but AWS_ACCESS_KEY_ID is");
    assert_eq!(aws.calls(), 0, "nothing was called without credentials");
}
