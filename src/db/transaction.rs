//! Transactions and savepoints.

use diesel::connection::{SimpleConnection, TransactionManager};

use super::connection::Connection;
use super::pool::Manager;
use crate::error::Error;

pub(super) fn transaction<T>(
    pool: &r2d2::Pool<Manager>,
    queries: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    run(begin(pool)?, queries)
}

pub(super) fn run<T>(
    mut connection: r2d2::PooledConnection<Manager>,
    queries: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    // Like `Connection::transaction`, without the BEGIN.
    match queries(&mut connection) {
        Ok(value) => Connection::commit_transaction(&mut connection).map(|()| value).map_err(Error::from),
        Err(error) => {
            // A connection that fails to roll back counts as broken, and the pool drops it.
            let _ = Connection::rollback_transaction(&mut connection);
            Err(error)
        }
    }
}

/// Drops connections that broke while idle, for example because the server restarted.
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

pub fn savepoint<T>(conn: &mut Connection, part: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
    conn.batch_execute("SAVEPOINT part")?;
    let outcome = part(conn);
    conn.batch_execute(if outcome.is_ok() { "RELEASE part" } else { "ROLLBACK TO part; RELEASE part" })?;
    outcome
}

/// A dry run: always rolls back.
pub fn rehearse<T>(conn: &mut Connection, part: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
    conn.batch_execute("SAVEPOINT rehearsal")?;
    let outcome = part(conn);
    conn.batch_execute("ROLLBACK TO rehearsal; RELEASE rehearsal")?;
    outcome
}
