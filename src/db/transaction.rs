//! Transactions, and parts of them.

use diesel::connection::{SimpleConnection, TransactionManager};

use super::connection::Connection;
use super::pool::Manager;
use crate::error::Error;

/// Runs queries in a transaction on a connection of a pool.
pub(super) fn transaction<T>(
    pool: &r2d2::Pool<Manager>,
    queries: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    run(begin(pool)?, queries)
}

/// Runs queries in the transaction that has begun on a connection, and ends it.
pub(super) fn run<T>(
    mut connection: r2d2::PooledConnection<Manager>,
    queries: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    // `Connection::transaction` without its begin.
    match queries(&mut connection) {
        Ok(value) => Connection::commit_transaction(&mut connection).map(|()| value).map_err(Error::from),
        Err(error) => {
            // A connection that cannot even take back is not used again.
            let _ = Connection::rollback_transaction(&mut connection);
            Err(error)
        }
    }
}

/// A connection on which a transaction has begun. Those that broke while nobody used them, since the server
/// was started anew, are found out by that and dropped.
fn begin(pool: &r2d2::Pool<Manager>) -> Result<r2d2::PooledConnection<Manager>, Error> {
    let mut attempts = 0;
    loop {
        let mut connection = pool.get().map_err(|error| Error::Unavailable(error.to_string()))?;
        match Connection::begin_transaction(&mut connection) {
            Ok(()) => return Ok(connection),
            Err(_) if attempts < pool.max_size() && Connection::is_broken_transaction_manager(&mut connection) => {
                attempts += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Runs a part of a write that may fail by itself: an error undoes this part alone.
pub fn savepoint<T>(conn: &mut Connection, part: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
    conn.batch_execute("SAVEPOINT part")?;
    let outcome = part(conn);
    conn.batch_execute(if outcome.is_ok() { "RELEASE part" } else { "ROLLBACK TO part; RELEASE part" })?;
    outcome
}

/// Runs a part of a write and undoes it whatever comes of it: to see what would happen.
pub fn rehearse<T>(conn: &mut Connection, part: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
    conn.batch_execute("SAVEPOINT rehearsal")?;
    let outcome = part(conn);
    conn.batch_execute("ROLLBACK TO rehearsal; RELEASE rehearsal")?;
    outcome
}
