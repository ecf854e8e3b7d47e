//! What staff do in pools of emulators: ministack, which checks signatures and policies, and moto for a second opinion.

use gatepost::cognito::pool_actions::PoolAction;
use gatepost::cognito::user_pool::UserPool;
use gatepost::config::Pool as ConfiguredPool;
use serde_json::{Value, json};

use super::emulator::{Emulator, Kind, PASSWORD, Pool};
use super::sync::{STRICT, add, admin, key};
use crate::cognito::pool_actions::{environment, page_of, press};
use crate::harness::admin::AdminClient;
use crate::harness::client::Call;
use crate::harness::pool::ISSUER;
use crate::harness::{TestServer, assert_has};

/// In the docs, by the word in the setting.
const RIGHTS: [(&str, &[&str]); 6] = [
    ("compare", &["AdminGetUser", "ListUsers", "AdminListGroupsForUser"]),
    ("create", &["AdminGetUser", "ListUsers", "AdminCreateUser"]),
    ("resend", &["AdminGetUser", "ListUsers", "AdminCreateUser"]),
    ("disable", &["AdminGetUser", "ListUsers", "AdminDisableUser", "AdminUserGlobalSignOut"]),
    ("enable", &["AdminGetUser", "ListUsers", "AdminEnableUser"]),
    ("reset_password", &["AdminGetUser", "ListUsers", "AdminResetUserPassword"]),
];

fn rights(words: &[&str]) -> Vec<String> {
    let of_words = RIGHTS.iter().filter(|(word, _)| words.contains(word)).flat_map(|(_, rights)| rights.iter());
    of_words.map(|right| format!("cognito-idp:{right}")).collect()
}

/// A server for a pool, with these credentials; a superuser of it is signed in.
async fn office(pool: &Pool<'_>, (id, secret): &(String, String)) -> (TestServer, AdminClient) {
    let environment = environment(&format!("http://{}", pool.emulator.address), id, secret);
    let server = TestServer::start_with(|config| {
        let ConfiguredPool::Cognito(known) = &config.pool else { panic!("the tests' pool is none of Cognito") };
        config.pool = ConfiguredPool::Cognito(UserPool { id: pool.id.clone(), ..known.clone() });
        (config.aws, config.pool_actions) = (environment, PoolAction::ALL.to_vec());
    });
    let server = server.await;
    let root = server.superuser().await;
    (server, root)
}

async fn in_pool(pool: &Pool<'_>, name: &str) -> Value {
    pool.emulator.call("AdminGetUser", json!({ "UserPoolId": pool.id, "Username": name })).await
}

async fn is_refused(pool: &Pool<'_>, flow: &str, parameters: Value) -> bool {
    let request = json!({ "ClientId": pool.client, "AuthFlow": flow, "AuthParameters": parameters });
    pool.emulator.try_call("InitiateAuth", &request).await.expect("an answer").status != 200
}

async fn lives_through_everything(pool: &Pool<'_>, server: &TestServer, root: &mut AdminClient) {
    let jane = page_of(server.user("jane").await.id);
    assert_has(&press(root, &jane, "create").await, &["“jane” was created in Cognito and linked.", "Invited"]);
    let account = in_pool(pool, "jane").await;
    assert_eq!(
        (account["UserStatus"].as_str(), account["Enabled"].as_bool()),
        (Some("FORCE_CHANGE_PASSWORD"), Some(true))
    );
    let attributes = account["UserAttributes"].as_array().expect("attributes");
    let value = |name: &str| {
        let found = attributes.iter().find(|attribute| attribute["Name"] == name);
        found.and_then(|attribute| attribute["Value"].as_str()).unwrap_or_default().to_owned()
    };
    assert_eq!((value("email").as_str(), value("email_verified").as_str()), ("jane@example.com", "true"));
    let linked = server.texts("SELECT cognito_issuer || ' ' || cognito_sub FROM users WHERE username = 'jane'").await;
    assert_eq!(linked, [format!("{ISSUER} {}", value("sub"))]);

    // moto makes another user, with another `sub`, of one who is invited again.
    if !matches!(pool.emulator.kind, Kind::Moto) {
        assert_has(&press(root, &jane, "resend").await, &["Cognito sends “jane” another invitation."]);
    }
    let too_early = "The user has not used the invitation yet. Send it again instead.";
    assert_has(&press(root, &jane, "reset_password").await, &[too_early]);

    let password = json!({ "UserPoolId": pool.id, "Username": "jane", "Password": PASSWORD, "Permanent": true });
    pool.emulator.call("AdminSetUserPassword", password).await;
    let tokens = pool.sign_in("jane").await;
    let refresh = json!({ "REFRESH_TOKEN": tokens.refresh });
    assert_has(&press(root, &jane, "resend").await, &["Only users who have not signed in to Cognito yet"]);

    assert_has(
        &press(root, &jane, "disable").await,
        &["“jane” is disabled here and in Cognito, and signed out of both."],
    );
    assert_eq!(in_pool(pool, "jane").await["Enabled"], false);
    assert!(is_refused(pool, "USER_PASSWORD_AUTH", json!({ "USERNAME": "jane", "PASSWORD": PASSWORD })).await);
    assert!(is_refused(pool, "REFRESH_TOKEN_AUTH", refresh.clone()).await);
    assert_eq!(server.count("users WHERE username = 'jane' AND NOT is_active").await, 1);
    assert_has(&press(root, &jane, "enable").await, &["“jane” is enabled here and in Cognito."]);
    assert_eq!(in_pool(pool, "jane").await["Enabled"], true);
    pool.sign_in("jane").await;

    let group = json!({ "UserPoolId": pool.id, "GroupName": "editors" });
    pool.emulator.call("CreateGroup", group).await;
    let member = json!({ "UserPoolId": pool.id, "GroupName": "editors", "Username": "jane" });
    pool.emulator.call("AdminAddUserToGroup", member).await;
    server.sql("INSERT INTO groups (name, cognito_group) VALUES ('Editors', 'editors')").await;
    assert_has(&root.page(&jane).await, &["The next token or sync changes: + Editors.", "Confirmed"]);

    assert_has(
        &press(root, &jane, "reset_password").await,
        &["The Cognito password of “jane” was reset.", "Reset required"],
    );
    assert_eq!(in_pool(pool, "jane").await["UserStatus"], "RESET_REQUIRED");

    admin(pool, "AdminDeleteUser", "jane").await;
    assert_has(&root.page(&jane).await, &["The user pool no longer has this user."]);
    let gone = "“jane” is deactivated here, but not disabled in Cognito. The user pool no longer has this user.";
    assert_has(&press(root, &jane, "disable").await, &[gone]);

    add(pool, "carl").await;
    let carl = page_of(server.user("carl").await.id);
    assert_has(&press(root, &carl, "create").await, &["“carl” had an account in Cognito already. It is linked now"]);
}

#[tokio::test]
async fn ministack_accepts_every_action_with_the_rights_of_the_documentation() {
    let Some(emulator) = Emulator::start_with(Kind::Ministack, &STRICT).await else { return };
    let pool = emulator.pool().await;
    let all = rights(&RIGHTS.map(|(word, _)| word));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (server, mut root) = office(&pool, &key(&emulator, "all", &all).await).await;
    lives_through_everything(&pool, &server, &mut root).await;
    let sent = Call::new(emulator.address, "GET", "/_ministack/ses/messages").send().await.text();
    let count = |kind: &str| sent.matches(kind).count();
    assert_eq!((count("CognitoInvitationMessage"), count("CognitoVerificationMessage")), (2, 1), "{sent}");
}

#[tokio::test]
async fn ministack_refuses_what_the_policy_lacks_and_the_staff_read_which_right_that_is() {
    let Some(emulator) = Emulator::start_with(Kind::Ministack, &STRICT).await else { return };
    let pool = emulator.pool().await;
    add(&pool, "jane").await;
    let sub = in_pool(&pool, "jane").await["UserAttributes"]
        .as_array()
        .expect("attributes")
        .iter()
        .find(|attribute| attribute["Name"] == "sub")
        .expect("a sub")["Value"]
        .as_str()
        .expect("a text")
        .to_owned();
    for (word, needed) in RIGHTS {
        for missing in needed.iter().filter(|right| **right != "ListUsers" || word == "create") {
            let kept: Vec<String> =
                rights(&[word]).into_iter().filter(|right| !right.ends_with(&format!(":{missing}"))).collect();
            let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
            let (server, mut root) = office(&pool, &key(&emulator, &format!("{word}-{missing}"), &kept).await).await;
            let user = server.user(if word == "create" { "carl" } else { "jane" }).await;
            if word == "create" && *missing == "AdminGetUser" {
                // It is called only for somebody who is there under another e-mail.
                continue;
            }
            if word != "create" {
                server
                    .sql(format!(
                        "UPDATE users SET cognito_issuer = '{ISSUER}', cognito_sub = '{sub}' WHERE username = 'jane'"
                    ))
                    .await;
            }
            let page = page_of(user.id);
            let answer = match word {
                "compare" => root.page(&page).await,
                "reset_password" => {
                    admin(&pool, "AdminEnableUser", "jane").await;
                    let password =
                        json!({ "UserPoolId": pool.id, "Username": "jane", "Password": PASSWORD, "Permanent": true });
                    emulator.call("AdminSetUserPassword", password).await;
                    press(&mut root, &page, word).await
                }
                _ => press(&mut root, &page, word).await,
            };
            assert_has(&answer, &[&format!("The AWS credentials of Gatepost lack the right cognito-idp:{missing}.")]);
        }
    }
    assert_eq!(in_pool(&pool, "jane").await["UserStatus"], "CONFIRMED", "nothing was reset");
}

#[tokio::test]
async fn ministack_refuses_a_wrong_secret() {
    let Some(emulator) = Emulator::start_with(Kind::Ministack, &STRICT).await else { return };
    let pool = emulator.pool().await;
    add(&pool, "carl").await;
    let (id, secret) = key(&emulator, "all", &["cognito-idp:*"]).await;
    let (server, mut root) = office(&pool, &(id, format!("{secret}x"))).await;
    let carl = page_of(server.user("carl").await.id);
    assert_has(&press(&mut root, &carl, "create").await, &["AWS does not accept the credentials of Gatepost."]);
}

#[tokio::test]
async fn moto_is_of_the_same_opinion_about_actions() {
    let Some(emulator) = Emulator::start(Kind::Moto).await else { return };
    let pool = emulator.pool().await;
    let (server, mut root) = office(&pool, &("AKIDEXAMPLE".to_owned(), "secret-of-the-key".to_owned())).await;
    lives_through_everything(&pool, &server, &mut root).await;
}
