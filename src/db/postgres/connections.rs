//! Opens PostgreSQL connections.

use diesel::connection::{CacheSize, SimpleConnection};
use diesel::{Connection as _, ConnectionError, ConnectionResult, PgConnection};

use super::failures::check_writable;
use super::parameters::{PoolMode, with_defaults};
use crate::db::connection::{Connection, Role, one_line};
use crate::db::migrations;
use crate::db::rows::{self, Sql};

/// The advisory lock's id: "gatepost" in ASCII.
const MIGRATIONS_LOCK: i64 = 0x6761_7465_706f_7374;

/// Begins a transaction that only holds a lock, until its connection is closed. It keeps no snapshot, so that VACUUM does
/// not wait for it.
pub const HOLD: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0";

/// What a role or a database can set otherwise with `ALTER ROLE ... SET`, and what our SQL relies on. Diesel sets the
/// time zone and the encoding.
const SESSION: [(&str, &str); 10] = [
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
    ("array_nulls", "on"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("default_transaction_deferrable", "off"),
    ("default_transaction_read_only", "off"),
    ("check_function_bodies", "on"),
];

/// Settings of a transaction stand in its BEGIN, because a pooler of transactions keeps none of a session. Writers are
/// SERIALIZABLE: what a write has read is still true when it commits, as on SQLite. Readers see one snapshot per
/// transaction (<https://www.postgresql.org/docs/current/transaction-iso.html>).
pub fn begin(role: Role) -> &'static str {
    match role {
        Role::Reader | Role::Probe => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        // Another session may hold a lock: wait, but not for long. A commit is on disk before it is acknowledged,
        // whatever the server's default.
        Role::Writer => {
            "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE; \
             SET LOCAL lock_timeout = '3s'; SET LOCAL synchronous_commit = on"
        }
    }
}

pub fn open(url: &str) -> ConnectionResult<Connection> {
    let mut connection = PgConnection::establish(&with_defaults(url))?;
    if PoolMode::of(url) == Some(PoolMode::Transaction) {
        // The next transaction may run in another session of the server, which does not know the statement.
        connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    } else {
        let settings: String = SESSION.iter().map(|(name, value)| format!("SET {name} = {value};")).collect();
        connection.batch_execute(&settings).map_err(ConnectionError::CouldntSetupConfiguration)?;
    }
    Ok(Connection::Postgres(connection))
}

pub fn open_migrated(url: &str) -> Result<usize, String> {
    let mut connection = open_checked(url)?;
    // If several processes start at once, one migrates and the others find nothing to do.
    let _lock = lock_migrations(url, "0")?;
    migrations::apply(&mut connection)
}

/// Applies pending migrations and rolls them back: what could fail then fails now. Waits no longer for a lock than a
/// write does, because a server may be running.
pub fn rehearse(url: &str) -> Result<(), String> {
    let mut connection = open_checked(url)?;
    let _lock = lock_migrations(url, "'3s'")?;
    migrations::rehearse(&mut connection)
}

fn lock_migrations(url: &str, lock_timeout: &str) -> Result<Connection, String> {
    let mut connection = open(url).map_err(|error| error.to_string())?;
    let lock = format!(
        "{HOLD}; SET LOCAL lock_timeout = {lock_timeout}; SET LOCAL statement_timeout = 0; \
         SELECT pg_advisory_xact_lock({MIGRATIONS_LOCK})"
    );
    connection.batch_execute(&lock).map_err(|error| error.to_string())?;
    Ok(connection)
}

pub fn probe(url: &str) -> Result<(), String> {
    let mut connection = open_checked(url)?;
    // Every change writes a row of the history. Without the table, the role's rights show when it is created.
    let verbs = "FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) verb \
         WHERE to_regclass('history') IS NOT NULL AND NOT has_table_privilege(to_regclass('history'), verb)";
    match rows::number(&mut connection, "count(*)", Sql::new(verbs)).map_err(|error| error.to_string())? {
        0 => Ok(()),
        _ => Err("the role may not read and write its tables".to_owned()),
    }
}

fn open_checked(url: &str) -> Result<Connection, String> {
    let mut connection = open(url).map_err(|error| error.to_string())?;
    check_pool_mode(url, &mut connection)?;
    check_writable(&mut connection)?;
    let encoding = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()";
    let encoding = text(&mut connection, encoding)?;
    match encoding.as_str() {
        "UTF8" => Ok(connection),
        other => Err(format!("its encoding is {other}; it must be UTF8")),
    }
}

/// For a standby, whose position must be that of the session which is read next.
pub fn open_unpooled(url: &str) -> Result<Connection, String> {
    let connection = open(url).map_err(|error| one_line(&error))?;
    match PoolMode::of(url) {
        Some(PoolMode::Unset) if is_pooled(url) => Err("a pooler such as PgBouncer is in front of it; connect to it \
             directly, or add `pool_mode=session` to the URL if it pools sessions"
            .to_owned()),
        _ => Ok(connection),
    }
}

fn check_pool_mode(url: &str, connection: &mut Connection) -> Result<(), String> {
    match PoolMode::of(url) {
        Some(PoolMode::Unset) if is_pooled(url) => Err("a pooler such as PgBouncer is in front of the server; add \
             `pool_mode=transaction` to the URL, or `pool_mode=session` if it pools sessions"
            .to_owned()),
        Some(PoolMode::Transaction) => {
            let others: Vec<String> = SESSION
                .iter()
                .map(|(name, value)| {
                    format!("SELECT '{name}' WHERE split_part(current_setting('{name}'), ',', 1) <> '{value}'")
                })
                .collect();
            let others = others.join(" UNION ALL ");
            let others = text(connection, &format!("SELECT string_agg(name, ', ') FROM ({others}) of (name)"))?;
            if others.is_empty() {
                return Ok(());
            }
            Err(format!("the role or the database changes {others}; Gatepost cannot set it with pool_mode=transaction"))
        }
        _ => Ok(()),
    }
}

/// A server takes any setting with a dot in its name. A pooler refuses or ignores it.
fn is_pooled(url: &str) -> bool {
    let with_setting = format!("{}&options=-c%20gatepost.direct%3Dyes", with_defaults(url));
    match PgConnection::establish(&with_setting) {
        Ok(connection) => {
            let asked = text(&mut Connection::Postgres(connection), "SELECT current_setting('gatepost.direct', true)");
            asked.is_ok_and(|direct| direct != "yes")
        }
        Err(_) => {
            let is_up = PgConnection::establish(&with_defaults(url)).is_ok();
            // The server may only have been out of connections for a moment.
            is_up && PgConnection::establish(&with_setting).is_err()
        }
    }
}

/// The only value of a query. NULL is empty.
fn text(connection: &mut Connection, query: &str) -> Result<String, String> {
    let rows = rows::load(connection, Sql::new(query)).map_err(|error| error.to_string())?;
    Ok(rows.first().and_then(|row| row.first()?.as_str()).unwrap_or_default().to_owned())
}
