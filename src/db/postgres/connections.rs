//! Opens PostgreSQL connections.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Bool, Text};
use diesel::{Connection as _, ConnectionError, ConnectionResult, PgConnection, RunQueryDsl};

use super::failures::check_writable;
use super::parameters::with_defaults;
use crate::db::connection::{Connection, Role};
use crate::db::migrations;

/// The advisory lock's id: "gatepost" in ASCII.
const MIGRATIONS_LOCK: i64 = 0x6761_7465_706f_7374;

/// What a role or a database can set otherwise with `ALTER ROLE ... SET`, and what our SQL relies on. Diesel sets the
/// time zone and the encoding.
const SESSION: &str = "SET standard_conforming_strings = on; SET transform_null_equals = off; SET array_nulls = on; \
     SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1; \
     SET default_transaction_deferrable = off; SET check_function_bodies = on";

/// Writers are SERIALIZABLE: what a write has read is still true when it commits, as on SQLite. Readers see one
/// snapshot per transaction (<https://www.postgresql.org/docs/current/transaction-iso.html>).
pub fn open(url: &str, role: Role) -> ConnectionResult<Connection> {
    let mut connection = PgConnection::establish(&with_defaults(url))?;
    let settings = match role {
        Role::Reader | Role::Probe => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        }
        // Another session may hold a lock: wait, but not for long. A commit is on disk before it is acknowledged,
        // whatever the server's default.
        Role::Writer => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE; \
             SET lock_timeout = '3s'; SET synchronous_commit = on"
        }
    };
    connection.batch_execute(&format!("{SESSION}; {settings}")).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(Connection::Postgres(connection))
}

pub fn open_migrated(url: &str) -> Result<usize, String> {
    let mut connection = open_checked(url)?;
    // If several processes start at once, one migrates and the others find nothing to do. The lock ends with the
    // connection.
    let lock = format!(
        "SET lock_timeout = 0; SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATIONS_LOCK}); SET lock_timeout = '3s'"
    );
    connection.batch_execute(&lock).map_err(|error| error.to_string())?;
    migrations::apply(&mut connection)
}

/// Applies pending migrations and rolls them back: what could fail then fails now. Waits no longer for a lock than a
/// write does, because a server may be running.
pub fn rehearse(url: &str) -> Result<(), String> {
    let mut connection = open_checked(url)?;
    let lock = format!("SELECT pg_advisory_lock({MIGRATIONS_LOCK})");
    connection.batch_execute(&lock).map_err(|error| error.to_string())?;
    migrations::rehearse(&mut connection)
}

pub fn probe(url: &str) -> Result<(), String> {
    let mut connection = open_checked(url)?;
    // Every change writes a row of the history. Without the table, the role's rights show when it is created.
    let may_write: Answer = diesel::sql_query(
        "SELECT coalesce(bool_and(has_table_privilege(to_regclass('history'), verb)), true) AS yes \
         FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) verb WHERE to_regclass('history') IS NOT NULL",
    )
    .get_result(&mut connection)
    .map_err(|error| error.to_string())?;
    if may_write.yes { Ok(()) } else { Err("the role may not read and write its tables".to_owned()) }
}

fn open_checked(url: &str) -> Result<Connection, String> {
    let mut connection = open(url, Role::Writer).map_err(|error| error.to_string())?;
    check_writable(&mut connection)?;
    let row: Encoding = diesel::sql_query(
        "SELECT pg_encoding_to_char(encoding) AS name FROM pg_database WHERE datname = current_database()",
    )
    .get_result(&mut connection)
    .map_err(|error| error.to_string())?;
    match row.name.as_str() {
        "UTF8" => Ok(connection),
        other => Err(format!("its encoding is {other}; it must be UTF8")),
    }
}

#[derive(diesel::QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

#[derive(diesel::QueryableByName)]
struct Encoding {
    #[diesel(sql_type = Text)]
    name: String,
}
