//! Keeping local users in step with the pool: `gatepost sync`, and the regular sync of the server.

mod brake;
mod calls;
mod changes;
mod credentials;
mod lists;
mod regular;

use gatepost::db::Connection;

use crate::harness::aws::FakeAws;
use crate::harness::pool::ISSUER;
use crate::harness::program::{Outcome, Program};

/// A program that knows the pool of the fake, and has a database.
async fn office(aws: &FakeAws) -> Program {
    let program = Program::in_production()
        .set("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &aws.url(""))
        .set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .set("AWS_SECRET_ACCESS_KEY", "secret-of-the-key");
    program.run(&["migrate"]).await.success();
    program
}

/// Runs SQL statements.
pub fn sql(program: &Program, statements: &str) {
    use diesel::connection::SimpleConnection;
    let mut connection: Connection = program.database();
    connection.batch_execute(statements).expect("the statements run");
}

/// Creates local users with these names, who are not linked.
fn add_users(program: &Program, names: &[&str]) {
    for name in names {
        sql(
            program,
            &format!(
                "INSERT INTO users (username, email, email_key, first_name, last_name, is_active, is_staff, is_superuser,
                     date_joined, origin)
                 VALUES ('{name}', '{name}@example.com', '{name}@example.com', '', '', TRUE, FALSE, FALSE,
                     '2026-01-01 00:00:00', 'admin')"
            ),
        );
    }
}

/// The same, linked to the users of the pool with these names.
fn add_linked_users(program: &Program, names: &[&str]) {
    add_users(program, names);
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    sql(
        program,
        &format!(
            "UPDATE users SET cognito_issuer = '{ISSUER}', cognito_sub = 'sub-of-' || username,
                 linked_at = '2026-01-02 00:00:00' WHERE username IN ({})",
            names.join(", ")
        ),
    );
}

/// Names of active users, in their order.
fn active(program: &Program) -> Vec<String> {
    program.texts("SELECT username FROM users WHERE is_active ORDER BY username")
}

/// What the history says that the sync did to users.
fn history(program: &Program) -> Vec<String> {
    program.texts(
        "SELECT action || ' ' || object || ' ' || changes FROM history
         WHERE source = 'pool_sync' AND model = 'user' AND actor_id IS NULL ORDER BY id",
    )
}

async fn sync(program: &Program, arguments: &[&str]) -> Outcome {
    program.run(&[&["sync"], arguments].concat()).await
}

/// Fails unless the command ended with this exit code and an error that has this text.
#[track_caller]
fn assert_ended(outcome: &Outcome, code: i32, problem: &str) {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    assert!(outcome.stderr.contains(problem), "{problem}: {outcome:?}");
}
