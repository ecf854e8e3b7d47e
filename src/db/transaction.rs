//! Transactions and savepoints.

#[cfg(feature = "postgres")]
use std::time::Duration;

use diesel::QueryResult;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};

use super::connection::{Connection, Role};
use super::pool::Manager;
use crate::error::Error;

pub(super) fn transaction<T>(
    pool: &r2d2::Pool<Manager>,
    queries: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    run(begin(pool, Role::Reader)?, queries)
}

pub(super) fn run<T>(
    mut connection: r2d2::PooledConnection<Manager>,
    queries: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    // Like `Connection::transaction`, without the BEGIN.
    match queries(&mut connection) {
        Ok(value) => Connection::commit_transaction(&mut connection).map(|()| value).map_err(Error::from),
        Err(error) => {
            rollback(&mut connection);
            Err(explained(&mut connection, error))
        }
    }
}

/// On SQLite, the driver says enough. A reader waits for no lock.
fn explained(connection: &mut Connection, error: Error) -> Error {
    match connection {
        Connection::Sqlite(_) => error,
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => super::postgres::explained(connection, error, Duration::ZERO),
    }
}

/// For one statement, which is a transaction by itself. A connection that broke while idle is replaced.
pub(super) fn without_transaction<T>(
    pool: &r2d2::Pool<Manager>,
    query: impl FnOnce(&mut Connection) -> Result<T, Error> + Clone,
) -> Result<T, Error> {
    let mut connection = pool.get().map_err(|error| Error::Unavailable(error.to_string()))?;
    match query.clone()(&mut connection) {
        Err(Error::Unavailable(_)) => {
            drop(connection);
            transaction(pool, query)
        }
        outcome => outcome.map_err(|error| explained(&mut connection, error)),
    }
}

/// A connection that fails to roll back counts as broken, and the pool drops it.
pub(super) fn rollback(connection: &mut Connection) {
    let _ = Connection::rollback_transaction(connection);
}

/// Drops connections that broke while idle, for example because the server restarted.
pub(super) fn begin(pool: &r2d2::Pool<Manager>, role: Role) -> Result<r2d2::PooledConnection<Manager>, Error> {
    let mut attempts = 0;
    loop {
        let mut connection = pool.get().map_err(|error| Error::Unavailable(error.to_string()))?;
        match begin_on(&mut connection, role) {
            Ok(()) => return Ok(connection),
            Err(_) if attempts < pool.max_size() && Connection::is_broken_transaction_manager(&mut connection) => {
                attempts += 1;
            }
            // A standby begins no transaction that may write.
            Err(error) => return Err(explained(&mut connection, error.into())),
        }
    }
}

#[cfg_attr(not(feature = "postgres"), expect(unused_variables))]
pub(super) fn begin_on(connection: &mut Connection, role: Role) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction(sqlite),
        #[cfg(feature = "postgres")]
        Connection::Postgres(server) => {
            AnsiTransactionManager::begin_transaction_sql(server, super::postgres::begin(role))
        }
    }
}

pub fn savepoint<T>(conn: &mut Connection, part: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
    attempt(conn, part, |_| true)
}

/// Runs part of a write in a savepoint, and rolls it back unless `is_kept` accepts its outcome.
pub fn attempt<T>(
    conn: &mut Connection,
    part: impl FnOnce(&mut Connection) -> Result<T, Error>,
    is_kept: impl FnOnce(&T) -> bool,
) -> Result<T, Error> {
    conn.batch_execute("SAVEPOINT attempt")?;
    let outcome = part(conn);
    let is_kept = outcome.as_ref().is_ok_and(is_kept);
    conn.batch_execute(if is_kept { "RELEASE attempt" } else { "ROLLBACK TO attempt; RELEASE attempt" })?;
    outcome
}
