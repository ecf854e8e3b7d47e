//! What staff do in the pool from a user's page.

mod compare;
mod create;
mod disable;
mod passwords;
mod problems;
mod rights;

use gatepost::aws::Environment;
use gatepost::cognito::pool_actions::PoolAction;

use crate::harness::TestServer;
use crate::harness::admin::AdminClient;
use crate::harness::aws::FakeAws;
use crate::harness::pool::ISSUER;

/// The environment of a server that has credentials for the API at this URL.
pub fn environment(url: &str, id: &str, secret: &str) -> Environment {
    Environment::read(|name| match name {
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER" => Some(url.to_owned()),
        "AWS_ACCESS_KEY_ID" => Some(id.to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some(secret.to_owned()),
        _ => None,
    })
}

/// A server whose staff may do these things in the pool of the fake.
async fn server_with(aws: &FakeAws, actions: &[PoolAction]) -> TestServer {
    let environment = environment(&aws.url(""), "AKIDEXAMPLE", "secret-of-the-key");
    TestServer::start_with(|config| (config.aws, config.pool_actions) = (environment, actions.to_vec())).await
}

/// A pool with these users, a server whose staff may do everything there, and a superuser of it.
async fn office(names: &[&str]) -> (FakeAws, TestServer, AdminClient) {
    let aws = FakeAws::with(names).await;
    let server = server_with(&aws, &PoolAction::ALL).await;
    let root = server.superuser().await;
    (aws, server, root)
}

/// A local user who is linked to the user of the pool with the same name; returns the path of the account's page.
async fn linked(server: &TestServer, name: &'static str) -> String {
    let user = server.user(name).await;
    server.link(name, ISSUER, format!("sub-of-{name}").leak()).await;
    page_of(user.id)
}

pub fn page_of(id: i64) -> String {
    format!("/admin/users/{id}/cognito/")
}

/// Opens the page that asks, confirms, and returns the page that follows.
pub async fn press(client: &mut AdminClient, page: &str, action: &str) -> String {
    client.page(&format!("{page}?action={action}")).await;
    let answer = client.post(page, &[("action", action)]).await;
    client.follow(&answer).await
}

/// What the pool's API was asked to do since a number of calls.
fn calls_since(aws: &FakeAws, before: usize) -> Vec<String> {
    aws.asked()
        .iter()
        .filter(|asked| !asked.action().is_empty())
        .skip(before)
        .map(|asked| asked.action().to_owned())
        .collect()
}

/// What the history says of the user with this name.
async fn history(server: &TestServer, name: &str) -> Vec<String> {
    server
        .texts(&format!(
            "SELECT concat_ws(' ', source, actor, changes) FROM history WHERE object = '{name}' AND action = 'changed' ORDER BY id"
        ))
        .await
}
