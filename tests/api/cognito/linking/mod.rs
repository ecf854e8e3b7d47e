//! Which local user a token stands for: an e-mail decides once, under conditions; afterwards the `sub` does.

mod created;
mod emails;
mod linked;
mod visits;

use crate::harness::TestServer;

async fn creating() -> TestServer {
    TestServer::start_with(|config| config.create_users = true).await
}

/// How many users are linked or were created by a token.
async fn entered(server: &TestServer) -> i64 {
    server.count("users WHERE cognito_sub IS NOT NULL").await
}
