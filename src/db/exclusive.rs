//! [`Exclusive`]: one long transaction that keeps other writers out, for commands that fill a database.

use std::path::Path;

use diesel::QueryResult;
use diesel::connection::SimpleConnection;

use super::connection::Connection;
#[cfg(feature = "postgres")]
use super::connection::Role;
use super::database::Db;
use super::open_error::OpenError;
use super::sqlite;
use super::url::DatabaseUrl;
#[cfg(feature = "postgres")]
use super::{bulk, pool, postgres, references};

/// Rolled back when dropped.
pub struct Exclusive<'a> {
    url: &'a DatabaseUrl,
    connection: Connection,
}

impl Exclusive<'_> {
    /// Migrates the database first.
    pub fn begin(url: &DatabaseUrl) -> Result<Exclusive<'_>, OpenError> {
        let mut connection = open_migrated(url).map_err(|problem| OpenError::new(url, problem))?;
        begin(&mut connection).map_err(|error| OpenError::new(url, error))?;
        Ok(Exclusive { url, connection })
    }

    /// For a rehearsal, which creates and migrates nothing. A missing SQLite file is replaced by a temporary database.
    pub fn rehearse(url: &DatabaseUrl) -> Result<Exclusive<'_>, OpenError> {
        if url.is_missing() {
            let temporary = sqlite::open_writer(Path::new("")).map_err(|problem| OpenError::new(url, problem))?;
            return Ok(Exclusive { url, connection: temporary.0 });
        }
        if Db::migration_status(url).map_err(|problem| OpenError::new(url, problem))?.is_current() {
            return Exclusive::begin(url);
        }
        Err(OpenError::new(url, "its migrations differ from this version of Gatepost; run `gatepost migrate`"))
    }

    pub fn with<T, E>(&mut self, queries: impl FnOnce(&mut Connection) -> Result<T, E>) -> Result<T, E> {
        queries(&mut self.connection)
    }

    pub fn commit(mut self) -> Result<(), OpenError> {
        self.connection.batch_execute("COMMIT").map_err(|error| OpenError::new(self.url, error))
    }
}

/// Begins a transaction in which no other connection can write.
pub(super) fn begin(connection: &mut Connection) -> QueryResult<()> {
    match connection {
        // Most indexes are filled in no order, so more of them should fit into memory: 64 MiB.
        Connection::Sqlite(_) => connection.batch_execute("PRAGMA cache_size = -65536; BEGIN IMMEDIATE"),
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            let tables = bulk::quoted(&references::tables(connection)?);
            connection
                .batch_execute(&format!("{}; LOCK TABLE {tables} IN EXCLUSIVE MODE", postgres::begin(Role::Writer)))
        }
    }
}

pub(super) fn open_migrated(url: &DatabaseUrl) -> Result<Connection, String> {
    match url {
        DatabaseUrl::Sqlite(path) => sqlite::open_writer(path).map(|(connection, _)| connection),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(server) => {
            postgres::open_migrated(server)?;
            pool::open(url, Role::Writer).map_err(|error| error.to_string())
        }
    }
}
