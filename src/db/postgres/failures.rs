//! What a failure means whose SQLSTATE Diesel hides. The server's words are no help, because they may be in any language.

use std::time::Duration;

use diesel::connection::SimpleConnection;

use crate::db::connection::Connection;
use crate::error::Error;

/// How long a statement waits for another session's lock, which is Gatepost's own setting.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
/// A little less than PostgreSQL's default `deadlock_timeout`, after which it looks for a deadlock.
const DEADLOCK_TIMEOUT: Duration = Duration::from_millis(900);

/// Call this after the rollback, with the time that the transaction took. A mistake in a statement fails at once, and what
/// failed later is taken to have waited for a lock: in vain, or in a deadlock. So a mistake after long work is tried again
/// or told as passing, which costs time and changes nothing. And a server that takes no writes at all is a standby, or its
/// disk is full.
pub fn explained(conn: &mut Connection, error: Error, after: Duration) -> Error {
    match error {
        Error::Unknown(cause) if after >= LOCK_TIMEOUT || check_writable(conn).is_err() => Error::Unavailable(cause),
        Error::Unknown(cause) if after >= DEADLOCK_TIMEOUT => Error::Collision(cause),
        error => error,
    }
}

/// Fails if the server is a standby, or has no room for one more page.
pub fn check_writable(conn: &mut Connection) -> Result<(), String> {
    let check = "BEGIN READ WRITE; CREATE TEMPORARY TABLE gatepost_probe (n bigint) ON COMMIT DROP; \
         INSERT INTO gatepost_probe VALUES (1); ROLLBACK";
    let outcome = conn.batch_execute(check).map_err(|error| error.to_string());
    if outcome.is_err() {
        // The first error is the one to report.
        let _ = conn.batch_execute("ROLLBACK");
    }
    outcome
}
