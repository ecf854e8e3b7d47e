//! The command line. Each command runs as a process.

mod backup;
mod check;
mod copy_database;
mod createsuperuser;
mod migrate;
mod serve;
mod token;
mod usage;

use diesel::connection::SimpleConnection;

use crate::harness::pool::{CLIENT_ID, POOL_ID};
use crate::harness::program::{Program, texts};

/// What history says, a line for each row.
fn history(program: &Program) -> Vec<String> {
    let query = "SELECT source || ' ' || action || ' ' || model || ' ' || object || ' ' || changes AS text FROM history ORDER BY id";
    texts(&mut program.database(), query)
}

fn users(program: &Program) -> Vec<String> {
    let query = "SELECT username || ' ' || email || ' ' || is_staff || is_superuser || is_active AS text FROM users ORDER BY id";
    texts(&mut program.database(), query)
}

fn hash_of(program: &Program, username: &str) -> String {
    let query = format!("SELECT coalesce(password, '') AS text FROM users WHERE username = '{username}'");
    texts(&mut program.database(), &query).remove(0)
}

async fn token(program: &Program, arguments: &[&str]) -> String {
    let outcome = program.run(&[&["token", "alice@example.com"], arguments].concat()).await;
    let token = outcome.success().to_owned();
    assert_eq!(token.lines().count(), 1, "the token and nothing else: {token}");
    token.trim().to_owned()
}

/// A program in production with a user pool whose keys come from this address.
fn in_production(jwks_url: &str) -> Program {
    let program = Program::new().set("APP_ENV", "production").set("AWS_USER_POOLS_ID", POOL_ID);
    program.set("AWS_APP_CLIENT_ID", CLIENT_ID).set("COGNITO_JWKS_URL", jwks_url)
}

fn pretend_newer(program: &Program) {
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    program.database().batch_execute(newer).expect("a row");
}
