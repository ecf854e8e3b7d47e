//! Syncs with pools of emulators: ministack, which checks signatures and policies, and moto for a second opinion.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::emulator::{Emulator, Kind, Pool};
use crate::cognito::sync::sql;
use crate::harness::assert_has;
use crate::harness::client::Call;
use crate::harness::program::{Outcome, Program};

/// ministack checks signatures and policies.
pub const STRICT: [(&str, &str); 2] = [("SERVICES", "cognito-idp,iam,sts,imds"), ("AUTH", "true")];

/// Calls IAM as the root of the account.
async fn iam(emulator: &Emulator, parameters: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Version", "2010-05-08").extend_pairs(parameters);
    let answer = Call::new(emulator.address, "POST", "/")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
        )
        .body("application/x-www-form-urlencoded", form.finish())
        .send()
        .await;
    assert_eq!(answer.status, 200, "{parameters:?}: {}", answer.text());
    answer.text()
}

/// The content of an element.
fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).expect("the element is there");
    rest.split_once('<').expect("its end").0.to_owned()
}

/// The key of a new user of IAM who may do this with the pools.
pub async fn key(emulator: &Emulator, name: &str, actions: &[&str]) -> (String, String) {
    iam(emulator, &[("Action", "CreateUser"), ("UserName", name)]).await;
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "arn:aws:cognito-idp:*:*:userpool/*" }],
    })
    .to_string();
    let put = [("Action", "PutUserPolicy"), ("UserName", name), ("PolicyName", "sync"), ("PolicyDocument", &policy)];
    iam(emulator, &put).await;
    let made = iam(emulator, &[("Action", "CreateAccessKey"), ("UserName", name)]).await;
    (element(&made, "AccessKeyId"), element(&made, "SecretAccessKey"))
}

/// A program for a pool, with a database and without credentials.
async fn program(pool: &Pool<'_>) -> Program {
    let program = Program::in_production()
        .set("AWS_USER_POOLS_ID", &pool.id)
        .set("AWS_APP_CLIENT_ID", &pool.client)
        .set("AWS_ENDPOINT_URL", &format!("http://{}", pool.emulator.address));
    program.run(&["migrate"]).await.success();
    program
}

fn with_key(program: Program, (id, secret): &(String, String)) -> Program {
    program.set("AWS_ACCESS_KEY_ID", id).set("AWS_SECRET_ACCESS_KEY", secret)
}

pub async fn add(pool: &Pool<'_>, name: &str) {
    let attributes = json!([
        { "Name": "email", "Value": format!("{name}@example.com") },
        { "Name": "email_verified", "Value": "true" },
    ]);
    let request = json!({
        "UserPoolId": pool.id, "Username": name, "UserAttributes": attributes, "MessageAction": "SUPPRESS",
    });
    pool.emulator.call("AdminCreateUser", request).await;
}

pub async fn admin(pool: &Pool<'_>, action: &str, name: &str) {
    pool.emulator.call(action, json!({ "UserPoolId": pool.id, "Username": name })).await;
}

#[track_caller]
fn assert_failed(outcome: &Outcome, problem: &str) {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_has(&outcome.stderr, &["nothing was changed", problem]);
}

/// Pages, disabled and deleted users, and groups.
async fn keeps_in_step(pool: &Pool<'_>, program: &Program) {
    for number in 0..200 {
        add(pool, &format!("user{number:03}")).await;
    }
    pool.emulator.call("CreateGroup", json!({ "UserPoolId": pool.id, "GroupName": "editors" })).await;
    for number in 0..70 {
        let member = json!({ "UserPoolId": pool.id, "GroupName": "editors", "Username": format!("user{number:03}") });
        pool.emulator.call("AdminAddUserToGroup", member).await;
    }
    sql(program, "INSERT INTO groups (name, cognito_group) VALUES ('Editors', 'editors')");
    let outcome = program.run(&["sync", "--create"]).await;
    assert_has(outcome.success(), &["The pool has 200 users", "200 users were changed"]);
    assert_eq!(program.texts("SELECT count(*) FROM user_cognito_groups"), ["70"]);
    assert_has(program.run(&["sync"]).await.success(), &["There is nothing to change."]);

    admin(pool, "AdminDisableUser", "user007").await;
    admin(pool, "AdminDeleteUser", "user150").await;
    let left = json!({ "UserPoolId": pool.id, "GroupName": "editors", "Username": "user001" });
    pool.emulator.call("AdminRemoveUserFromGroup", left).await;
    // The list of a second may be taken as often as there are seconds.
    sql(program, "UPDATE users SET cognito_groups_iat = cognito_groups_iat - 5");
    let outcome = program.run(&["sync"]).await;
    assert_has(
        outcome.success(),
        &[
            "groups     user001: - Editors",
            "deactivate user007: disabled in the pool",
            "deactivate user150: no longer in the pool",
            "3 users were changed",
        ],
    );
    assert_eq!(program.texts("SELECT username FROM users WHERE NOT is_active"), ["user007", "user150"]);
    admin(pool, "AdminEnableUser", "user007").await;
    assert_has(program.run(&["sync"]).await.success(), &["activate   user007", "1 users were changed"]);
}

#[tokio::test]
async fn ministack_accepts_signatures_and_pages_of_users_and_members() {
    let Some(emulator) = Emulator::start_with(Kind::Ministack, &STRICT).await else { return };
    let pool = emulator.pool().await;
    let key = key(&emulator, "sync", &["cognito-idp:ListUsers", "cognito-idp:ListUsersInGroup"]).await;
    let program = with_key(program(&pool).await, &key);
    keeps_in_step(&pool, &program).await;
}

#[tokio::test]
async fn ministack_refuses_wrong_secrets_unknown_keys_and_actions_without_a_right() {
    let Some(emulator) = Emulator::start_with(Kind::Ministack, &STRICT).await else { return };
    let pool = emulator.pool().await;
    add(&pool, "ann").await;
    let (id, secret) = key(&emulator, "sync", &["cognito-idp:ListUsers"]).await;
    let base = program(&pool).await;
    let base = with_key(base, &(id.clone(), secret.clone()));
    base.run(&["sync"]).await.success();
    let base = with_key(base, &(id.clone(), format!("{secret}x")));
    assert_failed(&base.run(&["sync"]).await, "InvalidSignatureException");
    let base = with_key(base, &("AKIAUNKNOWN123456789".to_owned(), secret.clone()));
    assert_failed(&base.run(&["sync"]).await, "UnrecognizedClientException");
    let base = with_key(base, &(id, secret)).set("COGNITO_STAFF_GROUP", "staff");
    assert_failed(&base.run(&["sync"]).await, "AccessDeniedException");
    let base = base.set("AWS_USER_POOLS_ID", &pool.id[..pool.id.len() - 1]);
    assert_failed(&base.run(&["sync"]).await, "AWS refuses the call");
}

#[tokio::test]
async fn ministack_gives_the_credentials_of_a_web_identity() {
    let Some(emulator) = Emulator::start_with(Kind::Ministack, &STRICT).await else { return };
    let pool = emulator.pool().await;
    add(&pool, "ann").await;
    let account = "000000000000";
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": { "Federated": format!("arn:aws:iam::{account}:oidc-provider/cluster.example.com") },
        }],
    })
    .to_string();
    iam(&emulator, &[("Action", "CreateRole"), ("RoleName", "sync"), ("AssumeRolePolicyDocument", &trust)]).await;
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "cognito-idp:ListUsers", "Resource": "*" }],
    })
    .to_string();
    let put = [("Action", "PutRolePolicy"), ("RoleName", "sync"), ("PolicyName", "sync"), ("PolicyDocument", &policy)];
    iam(&emulator, &put).await;
    let program = program(&pool).await;
    let part = |json: serde_json::Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({ "iss": "https://cluster.example.com", "sub": "pod", "aud": "sts.amazonaws.com" });
    let token = format!("{}.{}.{}", part(json!({ "alg": "RS256" })), part(claims), STANDARD.encode("signature"));
    std::fs::write(program.path("token"), token).expect("a file");
    let program = program
        .set("AWS_WEB_IDENTITY_TOKEN_FILE", "token")
        .set("AWS_ROLE_ARN", &format!("arn:aws:iam::{account}:role/sync"));
    assert_has(program.run(&["sync"]).await.success(), &["The pool has 1 users"]);
}

#[tokio::test]
async fn ministack_gives_the_credentials_of_an_instance() {
    // Under AUTH it does not know the keys that it gives to instances.
    let variables = [("SERVICES", "cognito-idp,imds"), ("MINISTACK_IMDS_V2_REQUIRED", "1")];
    let Some(emulator) = Emulator::start_with(Kind::Ministack, &variables).await else { return };
    let pool = emulator.pool().await;
    add(&pool, "ann").await;
    let endpoint = format!("http://{}", emulator.address);
    let program = program(&pool).await.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint);
    assert_has(program.run(&["sync"]).await.success(), &["The pool has 1 users"]);
    let container = format!("{endpoint}/v2/credentials/x");
    let program =
        program.set("AWS_EC2_METADATA_DISABLED", "true").set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container);
    assert_has(program.run(&["sync"]).await.success(), &["The pool has 1 users"]);
}

#[tokio::test]
async fn moto_is_of_the_same_opinion() {
    let Some(emulator) = Emulator::start(Kind::Moto).await else { return };
    let pool = emulator.pool().await;
    let key = ("AKIDEXAMPLE".to_owned(), "secret-of-the-key".to_owned());
    let program = with_key(program(&pool).await, &key);
    keeps_in_step(&pool, &program).await;
}
