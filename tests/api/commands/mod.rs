//! The command line. Each command runs as a process.

mod backup;
mod check;
mod copy_database;
mod createsuperuser;
mod import;
mod migrate;
mod resetsecondfactor;
mod serve;
mod token;
mod usage;

use diesel::connection::SimpleConnection;

use crate::harness::program::Program;

/// What history says, a line for each row.
fn history(program: &Program) -> Vec<String> {
    let query =
        "SELECT source || ' ' || action || ' ' || model || ' ' || object || ' ' || changes FROM history ORDER BY id";
    program.texts(query)
}

pub fn users(program: &Program) -> Vec<String> {
    let query =
        "SELECT username || ' ' || email || ' ' || is_staff || is_superuser || is_active FROM users ORDER BY id";
    program.texts(query)
}

pub fn hash_of(program: &Program, username: &str) -> String {
    let query = format!("SELECT coalesce(password, '') FROM users WHERE username = '{username}'");
    program.texts(&query).remove(0)
}

fn pretend_newer(program: &Program) {
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    program.database().batch_execute(newer).expect("a row");
}
