//! Groups of the user pool and what they give.

mod mapping;
mod memberships;
mod staff;
mod tools;

use serde_json::json;

use crate::harness::TestServer;
use crate::harness::pool::{TokenBuilder, now};

/// A server with the local groups Editors, which takes the members of `editors` and may change articles, and Readers,
/// which takes nobody from the pool, and with the user `jane`.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    set_up(&server).await;
    server
}

async fn set_up(server: &TestServer) {
    server.groups(&["Editors", "Readers"]).await;
    server.sql("UPDATE groups SET cognito_group = 'editors' WHERE name = 'Editors'").await;
    server
        .sql("INSERT INTO group_permissions SELECT id, 'articles.change_article' FROM groups WHERE name = 'Editors'")
        .await;
    server.staff("jane", |new| new.is_staff = false).await;
}

/// A token of `jane` with these groups that was issued so many seconds ago. No two are the same.
fn token(server: &TestServer, groups: &[&str], age: i64) -> TokenBuilder {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let jti = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
    let token = server.pool.token("jane").claim("jti", jti).claim("iat", now() - age);
    if groups.is_empty() { token } else { token.claim("cognito:groups", json!(groups)) }
}

/// Sends such a token.
async fn send(server: &TestServer, groups: &[&str], age: i64) {
    server.me(&token(server, groups, age).sign()).await;
}

/// Who is in which group by the pool.
async fn members(server: &TestServer) -> Vec<String> {
    let rows = "user_cognito_groups JOIN users ON users.id = user_id JOIN groups ON groups.id = group_id";
    server.texts(&format!("SELECT username || ' ' || name FROM {rows} ORDER BY 1")).await
}

/// What the history says that Cognito did.
async fn history(server: &TestServer) -> Vec<String> {
    let entries = "history WHERE source = 'cognito' AND model = 'user' AND action = 'changed' AND actor_id IS NULL";
    server.texts(&format!("SELECT object || ' ' || changes FROM {entries} ORDER BY id")).await
}
