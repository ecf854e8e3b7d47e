//! Groups of a pool in ministack (`pip install ministack cryptography`, sought in `PATH` or where
//! `GATEPOST_TEST_MINISTACK` says), whose tokens bring the memberships.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::{Position, Url};

use super::emulator::{Emulator, Kind, PASSWORD, Pool};
use super::{program_for, serve};
use crate::harness::admin::AdminClient;
use crate::harness::client::{Answer, Call};
use crate::harness::pool::claims;
use crate::harness::program::{Program, Serving};
use crate::harness::provider::ProviderFixture;
use crate::harness::{assert_has, eventually};

async fn create(pool: &Pool<'_>, group: &str) {
    pool.emulator.call("CreateGroup", json!({ "UserPoolId": pool.id, "GroupName": group })).await;
}

/// `AdminAddUserToGroup` or `AdminRemoveUserFromGroup` for `alice`.
async fn change(pool: &Pool<'_>, action: &str, group: &str) {
    let request = json!({ "UserPoolId": pool.id, "GroupName": group, "Username": "alice" });
    pool.emulator.call(action, request).await;
}

/// A new ID token, one second younger than any before it: tokens count in seconds.
async fn token(pool: &Pool<'_>) -> String {
    tokio::time::sleep(Duration::from_millis(1100)).await;
    pool.sign_in("alice").await.id
}

/// Who is in which local group by the pool.
fn members(program: &Program) -> Vec<String> {
    let rows = "user_cognito_groups JOIN users ON users.id = user_id JOIN groups ON groups.id = group_id";
    program.texts(&format!("SELECT username || ' in ' || name FROM {rows} ORDER BY 1"))
}

/// What the history says that Cognito did.
fn history(program: &Program) -> Vec<String> {
    let entries = "history WHERE source = 'cognito' AND action = 'changed' AND actor_id IS NULL";
    program.texts(&format!("SELECT object || ' ' || changes FROM {entries} ORDER BY id"))
}

/// A superuser's browser, and the program with a local user of this name.
async fn serve_with(program: &Program, name: &str) -> (Serving, AdminClient) {
    for name in ["root", name] {
        let email = format!("{name}@example.com");
        program.run(&["createsuperuser", "--noinput", "--username", name, "--email", &email]).await.success();
    }
    let gatepost = serve(program).await;
    let mut admin = AdminClient::new(gatepost.address);
    assert_eq!(admin.sign_in("root", PASSWORD).await.status, 303);
    (gatepost, admin)
}

/// Adds a local group whose members are those of the pool's group.
async fn map(admin: &mut AdminClient, name: &str, group: &str) {
    let form = admin.open_form("/admin/groups/add/").await;
    assert_eq!(form.set("name", &[name]).set("cognito_group", &[group]).save(admin).await.status, 303);
}

#[tokio::test]
async fn members_come_and_go_with_the_tokens_of_the_pool() {
    let Some(emulator) = Emulator::start(Kind::Ministack).await else { return };
    let pool = emulator.pool().await;
    pool.sign_up("alice").await;
    pool.verify("alice").await;
    for group in ["editors", "authors", "readers"] {
        create(&pool, group).await;
    }
    let program = program_for(&pool, &[]).set("DJANGO_SUPERUSER_PASSWORD", PASSWORD);
    let (gatepost, mut admin) = serve_with(&program, "alice").await;
    for (name, group) in [("Editors", "editors"), ("Readers", "readers")] {
        map(&mut admin, name, group).await;
    }

    let before = token(&pool).await;
    assert_eq!(gatepost.get("/me/", &before).await.status, 200);
    assert_eq!(members(&program).len(), 0);

    change(&pool, "AdminAddUserToGroup", "editors").await;
    change(&pool, "AdminAddUserToGroup", "readers").await;
    let added = token(&pool).await;
    let Value::Array(claimed) = claims(&added)["cognito:groups"].clone() else { panic!("no groups: {added}") };
    assert_eq!(claimed.len(), 2, "{claimed:?}");
    assert_eq!(gatepost.get("/me/", &added).await.status, 200);
    let both = ["alice in Editors", "alice in Readers"];
    assert_eq!(members(&program), both);

    // A token from before is as good as ever, and takes nothing away.
    assert_eq!(gatepost.get("/me/", &before).await.status, 200);
    assert_eq!(members(&program), both);

    // Groups of a pool have no new names: one ends, and another begins.
    change(&pool, "AdminRemoveUserFromGroup", "editors").await;
    emulator.call("DeleteGroup", json!({ "UserPoolId": pool.id, "GroupName": "editors" })).await;
    change(&pool, "AdminAddUserToGroup", "authors").await;
    let renamed = token(&pool).await;
    assert_eq!(gatepost.get("/me/", &renamed).await.status, 200);
    assert_eq!(members(&program), ["alice in Readers"]);
    let id = program.texts("SELECT CAST(id AS TEXT) FROM groups WHERE name = 'Editors'").remove(0);
    let form = admin.open_form(&format!("/admin/groups/{id}/change/")).await;
    assert_eq!(form.set("cognito_group", &["authors"]).save(&mut admin).await.status, 303);
    assert_eq!(gatepost.get("/me/", &token(&pool).await).await.status, 200);
    assert_eq!(members(&program), both);

    // Of two requests at once, the newer token wins, whoever is first.
    for round in 0..4 {
        let older = token(&pool).await;
        let (action, expected) = match round % 2 {
            0 => ("AdminRemoveUserFromGroup", &both[1..]),
            _ => ("AdminAddUserToGroup", &both[..]),
        };
        change(&pool, action, "authors").await;
        let newer = token(&pool).await;
        let (first, second) = if round < 2 { (&older, &newer) } else { (&newer, &older) };
        let answers = tokio::join!(gatepost.get("/me/", first), gatepost.get("/me/", second));
        assert_eq!((answers.0.status, answers.1.status), (200, 200));
        eventually("the newer token has won", async || members(&program) == expected).await;
    }

    let joined = r#"alice {"cognito_groups":[["Readers"],["Editors","Readers"]]}"#;
    let left = r#"alice {"cognito_groups":[["Editors","Readers"],["Readers"]]}"#;
    let first = r#"alice {"cognito_groups":[[],["Editors","Readers"]]}"#;
    assert_eq!(history(&program), [first, left, joined, left, joined, left, joined]);
    assert_has(&admin.page("/admin/history/?source=cognito").await, &["<td>Cognito", ">alice</a>", "Cognito groups"]);
}

/// The provider `Google` of a pool, and the app client with which staff sign in.
async fn federation(pool: &Pool<'_>, google: &ProviderFixture, callback: &str) -> Value {
    let details = json!({
        "client_id": "pool", "client_secret": "s", "oidc_issuer": google.url(""), "authorize_scopes": "openid email",
        "attributes_request_method": "GET",
    });
    let mapping = json!({ "email": "email", "email_verified": "email_verified" });
    let provider = json!({
        "UserPoolId": pool.id, "ProviderName": "Google", "ProviderType": "OIDC", "ProviderDetails": details,
        "AttributeMapping": mapping,
    });
    pool.emulator.call("CreateIdentityProvider", provider).await;
    let client = json!({
        "UserPoolId": pool.id, "ClientName": "gatepost-admin", "AllowedOAuthFlowsUserPoolClient": true,
        "AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid", "email", "profile"],
        "SupportedIdentityProviders": ["Google"], "CallbackURLs": [callback],
    });
    pool.emulator.call("CreateUserPoolClient", client).await["UserPoolClient"]["ClientId"].clone()
}

/// Signs in to the admin by way of the pool and its provider, which says who it is.
async fn by_google(gatepost: &Serving, pool: &Pool<'_>, google: &ProviderFixture, name: &str) -> (AdminClient, Answer) {
    // ministack reads no signature of a provider.
    let claims = json!({ "sub": name, "email": format!("{name}@example.com"), "email_verified": "true" });
    google.issues(&format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_string())));
    let mut browser = AdminClient::new(gatepost.address);
    let at_pool = |answer: Answer| Url::parse(answer.header("location")).expect("a URL");
    let authorize = at_pool(browser.get("/admin/login/cognito/?moved=1").await);
    let call = |path: &str| Call::new(pool.emulator.address, "GET", path).send();
    let at_google = at_pool(call(&authorize[Position::BeforePath..]).await);
    let (_, state) = at_google.query_pairs().find(|(name, _)| name == "state").expect("a state");
    let back = at_pool(call(&format!("/oauth2/idpresponse?code=c&state={state}")).await);
    let answer = browser.get(&back[Position::BeforePath..]).await;
    (browser, answer)
}

#[tokio::test]
async fn a_federated_user_has_the_rights_of_the_providers_group_once_it_is_mapped() {
    let Some(emulator) = Emulator::start(Kind::Ministack).await else { return };
    let pool = emulator.pool().await;
    let google = ProviderFixture::start().await;
    const ORIGIN: &str = "https://staff.example.com";
    let client = federation(&pool, &google, &format!("{ORIGIN}/admin/login/cognito/callback/")).await;
    let url = |path: &str| format!("http://{}/oauth2/{path}", emulator.address);
    let program = program_for(&pool, &[("PUBLIC_URL", ORIGIN)])
        .set("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
        .set("COGNITO_ADMIN_CLIENT_ID", client.as_str().expect("an id"))
        .set("COGNITO_AUTHORIZATION_URL", &url("authorize?identity_provider=Google"))
        .set("COGNITO_TOKEN_URL", &url("token"))
        .set("COGNITO_LOGOUT_URL", &url("logout"));
    let (gatepost, mut admin) = serve_with(&program, "bob").await;
    let (_, answer) = by_google(&gatepost, &pool, &google, "bob").await;
    assert_eq!(answer.redirect(), (303, "/admin/"), "{}", answer.text());
    assert_eq!((members(&program).len(), history(&program).len()), (0, 0), "nobody chose the provider's group");

    map(&mut admin, "By Google", &format!("{}_Google", pool.id)).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let (mut bob, answer) = by_google(&gatepost, &pool, &google, "bob").await;
    assert_eq!(answer.redirect(), (303, "/admin/"), "{}", answer.text());
    assert_has(&bob.page("/admin/").await, &["bob"]);
    assert_eq!(members(&program), ["bob in By Google"]);
    assert_eq!(history(&program), [r#"bob {"cognito_groups":[[],["By Google"]]}"#]);
    let (_, stranger) = by_google(&gatepost, &pool, &google, "mallory").await;
    assert_eq!(stranger.status, 403, "{}", stranger.text());
    assert_eq!(program.texts("SELECT username FROM users ORDER BY 1"), ["bob", "root"]);
}
