//! Machine clients with ministack (`pip install ministack cryptography`, sought in `PATH` or where
//! `GATEPOST_TEST_MINISTACK` says): a resource server, a confidential client, and tokens of `client_credentials`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::emulator::{Emulator, Kind, PASSWORD, Pool};
use super::{program_for, serve};
use crate::harness::admin::AdminClient;
use crate::harness::assert_has;
use crate::harness::client::Call;
use crate::harness::pool::claims;

/// A confidential client for machines: its id, and what it sends as `Authorization` to the token endpoint.
async fn machine(pool: &Pool<'_>, scopes: &[&str]) -> (String, String) {
    let request = json!({
        "UserPoolId": pool.id, "ClientName": "nightly", "GenerateSecret": true, "AllowedOAuthScopes": scopes,
        "AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": ["client_credentials"],
    });
    let client = pool.emulator.call("CreateUserPoolClient", request).await["UserPoolClient"].clone();
    let text = |name: &str| client[name].as_str().expect("a text").to_owned();
    let (id, secret) = (text("ClientId"), text("ClientSecret"));
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    (id, basic)
}

async fn token(pool: &Pool<'_>, basic: &str, scope: &str) -> String {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("scope", scope)
        .finish();
    let call = Call::new(pool.emulator.address, "POST", "/oauth2/token").header("authorization", basic);
    let answer = call.body("application/x-www-form-urlencoded", form).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let Value::String(token) = answer.json()["access_token"].clone() else { panic!("no token: {}", answer.text()) };
    token
}

#[tokio::test]
async fn a_machine_client_is_entered_in_the_admin_and_calls_the_api_with_its_scopes() {
    let Some(emulator) = Emulator::start(Kind::Ministack).await else { return };
    let pool = emulator.pool().await;
    for identifier in ["articles", "books"] {
        let scopes = ["read", "write"].map(|name| json!({ "ScopeName": name, "ScopeDescription": name }));
        let server = json!({ "UserPoolId": pool.id, "Identifier": identifier, "Name": identifier, "Scopes": scopes });
        emulator.call("CreateResourceServer", server).await;
    }
    let (client_id, basic) = machine(&pool, &["articles/read", "articles/write", "books/read"]).await;
    let (_, another) = machine(&pool, &["articles/read"]).await;

    let program = program_for(&pool, &[("COGNITO_RESOURCE_SERVER", "articles")]);
    let program = program.set("DJANGO_SUPERUSER_PASSWORD", PASSWORD);
    let root = ["createsuperuser", "--noinput", "--username", "root", "--email", "root@example.com"];
    program.run(&root).await.success();
    let gatepost = serve(&program).await;
    let read = token(&pool, &basic, "articles/read").await;
    assert_eq!(claims(&read)["sub"], client_id.as_str());
    let unknown = gatepost.get("/articles/", &read).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (401, "service_account_unknown"));

    let mut admin = AdminClient::new(gatepost.address);
    assert_eq!(admin.sign_in("root", PASSWORD).await.status, 303);
    let form = admin.open_form("/admin/service_accounts/add/").await;
    let form = form.set("name", &["Nightly import"]).set("client_id", &[&client_id]);
    let form = form.set("permissions", &["articles.view_article", "articles.add_article"]);
    assert_eq!(form.save(&mut admin).await.status, 303);

    let write = token(&pool, &basic, "articles/write").await;
    gatepost.get("/articles/", &read).await.assert(200, "[]");
    assert_eq!(gatepost.post_article(&read, "x").await.code(), "insufficient_scope");
    assert_eq!(gatepost.get("/articles/", &write).await.code(), "insufficient_scope");
    let created = gatepost.post_article(&write, "by night").await;
    created.assert(201, r#"{"id":1,"name":"by night"}"#);
    assert_eq!(gatepost.change("DELETE", "/articles/1/", &write, "").send().await.code(), "permission_denied");
    let other_server = gatepost.get("/articles/", &token(&pool, &basic, "books/read").await).await;
    assert_eq!(other_server.code(), "insufficient_scope");
    let other_client = gatepost.get("/articles/", &token(&pool, &another, "articles/read").await).await;
    assert_eq!(other_client.code(), "service_account_unknown");
    assert_eq!(gatepost.get("/me/", &read).await.code(), "user_required");
    let other_pool = emulator.pool().await;
    let server = json!({
        "UserPoolId": other_pool.id, "Identifier": "articles", "Name": "articles",
        "Scopes": [{ "ScopeName": "read", "ScopeDescription": "read" }],
    });
    emulator.call("CreateResourceServer", server).await;
    let (_, elsewhere) = machine(&other_pool, &["articles/read"]).await;
    let elsewhere = gatepost.get("/articles/", &token(&other_pool, &elsewhere, "articles/read").await).await;
    assert_eq!(elsewhere.status, 401, "{}", elsewhere.text());

    assert_has(&admin.page("/admin/history/").await, &["Nightly import (service account)"]);
    let form = admin.open_form("/admin/service_accounts/1/change/").await.set("is_active", &[]);
    assert_eq!(form.save(&mut admin).await.status, 303);
    assert_eq!(gatepost.get("/articles/", &read).await.code(), "service_account_inactive");
    // The access log names the account, whose number a user has, too.
    assert_has(&gatepost.stderr(), &[" service_account=1", " user=1"]);
}
