//! Connection pools.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::TransactionManager;
use diesel::{ConnectionResult, RunQueryDsl};

use super::connection::{Connection, Role, one_line};
#[cfg(feature = "postgres")]
use super::postgres;
use super::sqlite;
use super::url::DatabaseUrl;

pub fn open(url: &DatabaseUrl, role: Role) -> ConnectionResult<Connection> {
    match url {
        DatabaseUrl::Sqlite(path) => sqlite::open(path, role),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(url) => postgres::open(url),
    }
}

pub fn pool(url: &Arc<DatabaseUrl>, role: Role, connections: u32) -> Result<r2d2::Pool<Manager>, String> {
    r2d2::Pool::builder()
        .max_size(connections)
        .min_idle(Some(1))
        // A test before each use would cost as much as a read. `begin` detects broken connections.
        .test_on_check_out(false)
        // A working connection is kept forever: the server may have no room for a new one.
        .max_lifetime(None)
        .connection_timeout(patience(url))
        .error_handler(Box::new(LogFailures))
        .build(Manager { url: url.clone(), role })
        .map_err(|error| error.to_string())
}

fn patience(url: &DatabaseUrl) -> Duration {
    match url {
        DatabaseUrl::Sqlite(_) => Duration::from_secs(3),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(url) => postgres::patience(url),
    }
}

/// One line each: PostgreSQL's driver returns several.
#[derive(Debug)]
struct LogFailures;

impl r2d2::HandleError<diesel::r2d2::Error> for LogFailures {
    fn handle_error(&self, error: diesel::r2d2::Error) {
        log::warn!("no connection to the database: {}", one_line(&error).escape_debug());
    }
}

/// Diesel's own manager hides why opening failed.
pub struct Manager {
    url: Arc<DatabaseUrl>,
    role: Role,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Connection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Connection, Self::Error> {
        open(&self.url, self.role).map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), Self::Error> {
        diesel::sql_query("SELECT 1").execute(connection).map(drop).map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        std::thread::panicking() || Connection::is_broken_transaction_manager(connection)
    }
}
