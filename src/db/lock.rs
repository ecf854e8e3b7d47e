//! [`Lock`]: what only one process at a time does. The system takes a lock back from a process that has ended, however it
//! ended.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use super::database::{Db, on_blocking_thread};
use super::url::DatabaseUrl;
#[cfg(feature = "postgres")]
use super::{connection::Role, pool, postgres};
use crate::error::Error;

/// Released when dropped.
pub struct Lock {
    /// What has the lock as long as it is open: a file, or a connection with a transaction.
    _held: Box<dyn Send>,
}

impl Db {
    /// `None` while another holds the lock of this name.
    pub async fn try_lock(&self, name: &'static str) -> Result<Option<Lock>, Error> {
        let url = self.url().clone();
        let take = move || match &url {
            // All processes with a SQLite database are on one machine.
            DatabaseUrl::Sqlite(path) => lock_file(&path.with_extension(format!("{name}.lock"))),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(_) => lock_on_server(&url, name),
        };
        on_blocking_thread(take).await
    }
}

/// The file stays: to remove it would let two hold the lock, one of the old file and one of a new one.
fn lock_file(path: &Path) -> Result<Option<Lock>, Error> {
    let fail = |error: std::io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
    // It may belong to another user of the system, and reading is enough to lock it.
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            OpenOptions::new().write(true).create(true).truncate(false).open(path)
        }
        opened => opened,
    };
    let file = file.map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _held: Box::new(file) })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(fail(error)),
    }
}

/// An advisory lock of a transaction on a connection of its own, because a pooler of transactions keeps none of a session.
#[cfg(feature = "postgres")]
fn lock_on_server(url: &DatabaseUrl, name: &str) -> Result<Option<Lock>, Error> {
    use diesel::RunQueryDsl;
    use diesel::connection::SimpleConnection;
    use diesel::dsl::sql;
    use diesel::sql_types::{Bool, Text};

    let mut connection = pool::open(url, Role::Writer).map_err(|error| Error::Unavailable(error.to_string()))?;
    connection.batch_execute(postgres::HOLD)?;
    let take = sql::<Bool>("SELECT pg_try_advisory_xact_lock(hashtextextended('gatepost ' || ")
        .bind::<Text, _>(name)
        .sql(", 0))");
    let is_taken: bool = take.get_result(&mut connection)?;
    Ok(is_taken.then(|| Lock { _held: Box::new(connection) }))
}
