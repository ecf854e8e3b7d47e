//! The OpenAPI document: that it is right, as a tester that others wrote sees it, and complete.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use gatepost::crypto::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::pool::{ISSUER, MACHINE};
use crate::harness::program::Program;
use crate::harness::provider::ProviderFixture;
use crate::harness::{TestServer, assert_has, skip};

/// DELETE last: what it leaves behind, the others would not find.
const METHODS: [&str; 6] = ["get", "post", "put", "patch", "options", "delete"];

async fn document(server: &TestServer) -> Value {
    let answer = server.fetch("/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.json()
}

/// The methods that the document has for a path.
fn documented(item: &Value) -> BTreeSet<String> {
    METHODS.iter().filter(|method| item[**method].is_object()).map(|method| method.to_uppercase()).collect()
}

/// The methods in `Allow` but for HEAD, which is GET without a body and in no document.
fn allowed(allow: &str) -> BTreeSet<String> {
    allow.split(", ").filter(|method| *method != "HEAD").map(str::to_owned).collect()
}

#[tokio::test]
async fn every_address_and_method_in_the_document_is_there_and_allow_lists_exactly_these() {
    let (server, token) = TestServer::with_alice().await;
    assert_eq!(server.post_article(&token, "mine").await.status, 201);
    let document = document(&server).await;
    let paths = document["paths"].as_object().expect("paths");
    let of_resources =
        gatepost::server::api().into_iter().flat_map(|viewset| [viewset.path(), format!("{}{{id}}/", viewset.path())]);
    let others = ["/cognito/post-confirmation/", "/cognito/user-migration/", "/healthz", "/me/", "/readyz"];
    let expected: BTreeSet<String> = of_resources.chain(others.map(str::to_owned)).collect();
    assert!(expected.contains("/articles/") && expected.contains("/articles/{id}/"), "{expected:?}");
    assert_eq!(paths.keys().cloned().collect::<BTreeSet<_>>(), expected);
    // Other resources have no row.
    for (path, item) in paths.iter().filter(|(path, _)| !path.contains("{id}") || path.starts_with("/articles/")) {
        let address = path.replace("{id}", "1");
        for method in METHODS.into_iter().filter(|method| item[*method].is_object()) {
            let answer = server.call(&method.to_uppercase(), &address).token(&token).send().await;
            assert!(!matches!(answer.status, 404 | 405), "{method} {path}: {}", answer.status);
            let statuses = item[method]["responses"].as_object().expect("responses");
            assert!(statuses.contains_key(&answer.status.to_string()), "{method} {path}: {}", answer.status);
        }
        // Every answer of an address has `Allow`, and the one to an unknown method everywhere.
        let answer = server.call("FOO", &address).token(&token).send().await;
        assert_eq!((answer.status, allowed(answer.header("allow"))), (405, documented(item)), "{path}");
        let detail = "Method \"FOO\" not allowed.";
        assert_eq!(answer.json()["detail"], detail, "{path}");
        for method in documented(item) {
            assert!(item[method.to_lowercase()]["responses"]["405"].is_object(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_document_and_options_say_the_same_of_a_body() {
    let (server, token) = TestServer::with_alice().await;
    let document = document(&server).await;
    let metadata = server.call("OPTIONS", "/articles/").token(&token).send().await.json();
    let field = &metadata["actions"]["POST"]["name"];
    let body = &document["paths"]["/articles/"]["post"]["requestBody"];
    let media_types: Vec<_> = body["content"].as_object().expect("media types").keys().collect();
    // Forms are for the browsable page.
    assert_eq!(media_types, ["application/json"]);
    assert_eq!(metadata["parses"][0], "application/json");
    let schema = &document["components"]["schemas"]["ArticleFields"];
    assert_eq!(schema["properties"]["name"]["maxLength"], field["max_length"]);
    assert_eq!(schema["properties"]["name"]["title"], field["label"]);
    assert_eq!(schema["required"], serde_json::json!(["name"]));
    assert_eq!(document["components"]["schemas"]["PatchedArticleFields"].get("required"), None);
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let target = document.pointer(reference.trim_start_matches('#'));
                    assert!(target.is_some(), "{reference} leads nowhere");
                }
                members.values().for_each(|member| check(document, member));
            }
            Value::Array(items) => items.iter().for_each(|item| check(document, item)),
            _ => {}
        }
    }
    let document = document(&TestServer::start().await).await;
    assert_eq!(document["openapi"], "3.1.0");
    check(&document, &document);
}

#[tokio::test]
async fn the_command_prints_the_document_that_is_served() {
    let server = TestServer::start().await;
    let printed = Program::new().run(&["openapi"]).await;
    let printed: Value = serde_json::from_str(printed.success()).expect("JSON");
    assert_eq!(printed, document(&server).await);
}

#[tokio::test]
async fn the_document_names_scopes_and_where_machines_get_a_token_only_if_they_are_let_in() {
    let plain = document(&TestServer::start().await).await;
    assert_eq!(plain["components"]["securitySchemes"].get("serviceAccount"), None);
    let requirements = |document: &Value, path: &str, method: &str| -> Vec<String> {
        let security = document["paths"][path][method]["security"].as_array().cloned().unwrap_or_default();
        security.iter().map(ToString::to_string).collect()
    };
    const USER: &str = r#"{"idToken":[]}"#;
    assert_eq!(requirements(&plain, "/articles/", "get"), [USER]);

    let found = document(&TestServer::with_resource_server(|_| {}).await).await;
    let scheme = &found["components"]["securitySchemes"]["serviceAccount"];
    let discovery = format!("{ISSUER}/.well-known/openid-configuration");
    assert_eq!((&scheme["type"], &scheme["openIdConnectUrl"]), (&"openIdConnect".into(), &discovery.into()));
    let provider = ProviderFixture::start().await;
    let known = TestServer::with_resource_server(|config| config.provider = Some(provider.settings())).await;
    let known = document(&known).await;
    let flow = &known["components"]["securitySchemes"]["serviceAccount"]["flows"]["clientCredentials"];
    assert_eq!(flow["tokenUrl"], provider.url("/oauth2/token"));
    assert_eq!(flow["scopes"], json!({ "articles/read": "Read.", "articles/write": "Create, change and delete." }));
    for document in [found, known] {
        let [read, write] = [r#"{"serviceAccount":["articles/read"]}"#, r#"{"serviceAccount":["articles/write"]}"#];
        for (path, method, scope) in [
            ("/articles/", "get", read),
            ("/articles/", "options", read),
            ("/articles/", "post", write),
            ("/articles/{id}/", "get", read),
            ("/articles/{id}/", "put", write),
            ("/articles/{id}/", "patch", write),
            ("/articles/{id}/", "delete", write),
        ] {
            assert_eq!(requirements(&document, path, method), [USER, scope], "{method} {path}");
        }
        assert_eq!(requirements(&document, "/me/", "get"), [USER]);
    }
}

/// Schemathesis (`pip install schemathesis`, sought in `PATH` or where `GATEPOST_TEST_SCHEMATHESIS` says) makes
/// requests of the document, some right and some wrong, also of the answers to others, and has the server
/// answer as the document says.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_answer_that_the_document_does_not_promise() {
    let server = tried_server().await;
    let token = server.alice().await;
    assert_eq!(server.post_article(&token, "mine").await.status, 201);
    try_with(&server, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_such_answer_to_a_service_account_either() {
    let server = tried_server().await;
    let permissions = ["view", "add", "change", "delete"].map(|verb| format!("articles.{verb}_article"));
    server.service_account("Schemathesis", MACHINE, &permissions.each_ref().map(String::as_str)).await;
    let token = server.pool.machine_token(MACHINE, "articles/read articles/write").sign();
    assert_eq!(server.post_article(&token, "mine").await.status, 201);
    try_with(&server, &token).await;
}

const SECRET: &str = "a secret of at least thirty-two characters";

async fn tried_server() -> TestServer {
    let server = TestServer::with_resource_server(|config| {
        config.post_confirmation_secrets = vec![Secret::new(SECRET.to_owned())];
        config.user_migration_secrets = vec![Secret::new(SECRET.to_owned())];
    })
    .await;
    server.seed_articles(30).await;
    server
}

async fn try_with(server: &TestServer, token: &str) {
    let program = std::env::var("GATEPOST_TEST_SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned());
    let folder = TempDir::new().expect("a folder");
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis");
    let mut command = Command::new(&program);
    command.current_dir(folder.path()).env("SCHEMATHESIS_HOOKS", rules.join("hooks.py"));
    command.env("POST_CONFIRMATION_SECRET", SECRET);
    command.arg("--config-file").arg(rules.join("schemathesis.toml"));
    command.args(["run", &format!("http://{}/openapi.json", server.address), "--checks", "all"]);
    command.args(["--header", &format!("Authorization: Bearer {token}"), "--continue-on-failure", "--no-color"]);
    // As clients do that are generated: the document does not describe pages.
    command.args(["--header", "Accept: application/json"]);
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("it runs");
    let Ok(output) = ran else { return skip("the test of the OpenAPI document", "schemathesis") };
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    // Were nothing tried, nothing would be found either.
    assert_has(&report, &["Tested: 14", "passed"]);
}
