//! Opening connections.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection as _, ConnectionError, ConnectionResult, PgConnection, RunQueryDsl};

use super::parameters::with_defaults;
use crate::db::connection::{Connection, Role};
use crate::db::migrations;

/// Marks this program's migrations among the server's advisory locks.
const MIGRATIONS_LOCK: i64 = 0x6761_7465_706f_7374;

/// Opens a connection with the settings that every one of its role has.
///
/// Writers are SERIALIZABLE: what a write has read still holds when it commits, as it does on SQLite, where
/// one write comes after the other. Readers see one state of the database per transaction
/// (<https://www.postgresql.org/docs/current/transaction-iso.html>).
pub fn open(url: &str, role: Role) -> ConnectionResult<Connection> {
    let mut connection = PgConnection::establish(&with_defaults(url))?;
    let settings = match role {
        Role::Reader | Role::Probe => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        }
        // Somebody may hold a lock for a while: wait, but not for long. A commit is on the disk before it is
        // acknowledged, whatever the server's default is.
        Role::Writer => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE; \
             SET lock_timeout = '3s'; SET synchronous_commit = on"
        }
    };
    connection.batch_execute(settings).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(Connection::Postgres(connection))
}

/// A connection for a moment, to a database with all migrations applied, and how many those were.
pub fn open_migrated(url: &str) -> Result<usize, String> {
    let mut connection = open_checked(url)?;
    // Of several programs that start at once one migrates, and the others find it done. The lock ends with
    // the connection.
    let lock = format!("SET lock_timeout = 0; SELECT pg_advisory_lock({MIGRATIONS_LOCK}); SET lock_timeout = '3s'");
    connection.batch_execute(&lock).map_err(|error| error.to_string())?;
    migrations::apply(&mut connection)
}

/// Writes something and takes it back.
fn check_writable(connection: &mut Connection) -> Result<(), String> {
    // In a transaction, the settings of the session matter less than whether the server takes writes at all:
    // a standby, for one, does not.
    let check = "BEGIN; CREATE TEMPORARY TABLE gatepost_probe (n bigint) ON COMMIT DROP; ROLLBACK";
    let outcome = connection.batch_execute(check).map_err(|error| error.to_string());
    if outcome.is_err() {
        // The connection is dropped by the caller; what it says is the error that counts.
        let _ = connection.batch_execute("ROLLBACK");
    }
    outcome
}

/// Whether the database can be read and written.
pub fn probe(url: &str) -> Result<(), String> {
    open_checked(url).map(drop)
}

/// A connection to a database that can be written, and can hold every text.
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
        other => Err(format!("its encoding is {other}, and has to be UTF8")),
    }
}

#[derive(diesel::QueryableByName)]
struct Encoding {
    #[diesel(sql_type = Text)]
    name: String,
}
