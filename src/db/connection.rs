//! A connection to either database, and the pool's view of it.

use std::sync::Arc;

use diesel::connection::TransactionManager;
use diesel::{ConnectionResult, RunQueryDsl};

use super::url::DatabaseUrl;

/// A connection to the database, of whichever kind it is. What a query has to say differently to one of
/// them stands in [`super::rows`], [`super::references`], what copies databases ([`super::bulk`],
/// [`super::copy`]) and the migrations, and nowhere else.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// A SQLite file.
    Sqlite(diesel::SqliteConnection),
    /// A PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
}

/// What stands for either database in the types of queries.
pub type Backend = MultiBackend;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads only; the database refuses anything else on it.
    Reader,
    /// Writes.
    Writer,
    /// Looks at a database that may be anybody's, and leaves it as it is.
    Probe,
}

/// Opens a connection with the settings that every one of its role has.
pub fn open(url: &DatabaseUrl, role: Role) -> ConnectionResult<AnyConnection> {
    match url {
        DatabaseUrl::Sqlite(path) => super::sqlite::open(path, role),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(url) => super::postgres::open(url, role),
    }
}

/// Tells of connections that could not be opened, in one line each: PostgreSQL's driver writes several.
#[derive(Debug)]
pub struct LogFailures;

impl r2d2::HandleError<diesel::r2d2::Error> for LogFailures {
    fn handle_error(&self, error: diesel::r2d2::Error) {
        log::warn!("no connection to the database: {}", one_line(&error).escape_debug());
    }
}

/// An error's text without line breaks.
pub fn one_line(error: &impl ToString) -> String {
    error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Hands r2d2 connections of one role. The manager that comes with diesel hides why opening failed.
pub struct Manager {
    url: Arc<DatabaseUrl>,
    role: Role,
}

impl Manager {
    pub fn new(url: &Arc<DatabaseUrl>, role: Role) -> Manager {
        Manager { url: url.clone(), role }
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, Self::Error> {
        open(&self.url, self.role).map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Self::Error> {
        diesel::sql_query("SELECT 1").execute(connection).map(drop).map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || AnyConnection::is_broken_transaction_manager(connection)
    }
}
