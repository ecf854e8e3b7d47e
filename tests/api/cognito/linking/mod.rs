//! Which local user a token stands for: an e-mail decides once, under conditions; afterwards the `sub` does.

mod created;
mod emails;
mod linked;
mod visits;

use serde_json::Value;

use crate::harness::TestServer;

/// Who the server takes the bearer for.
async fn me(server: &TestServer, what: &str, token: &str) -> Value {
    let answer = server.get("/me/", token).await;
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    answer.json()
}

async fn creating() -> TestServer {
    TestServer::start_with(|config| config.create_users = true).await
}

/// How many users are linked or were created by a token.
async fn entered(server: &TestServer) -> i64 {
    server.number("SELECT count(*) FROM users WHERE cognito_sub IS NOT NULL").await
}
