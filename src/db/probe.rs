//! Checks of a database that is not opened for use. They change nothing.

use diesel::QueryResult;
use diesel::connection::SimpleConnection;

use super::connection::{Connection, Role, one_line};
use super::database::Db;
use super::migrations::{self, Status};
use super::open_error::OpenError;
#[cfg(feature = "postgres")]
use super::postgres;
use super::url::DatabaseUrl;
use super::{pool, sqlite};

impl Db {
    pub fn probe(url: &DatabaseUrl) -> Result<(), OpenError> {
        let probed = match url {
            DatabaseUrl::Sqlite(path) => sqlite::open(path, Role::Probe)
                .map_err(|error| error.to_string())
                .and_then(|mut connection| sqlite::probe(&mut connection)),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(server) => postgres::probe(server),
        };
        probed.map_err(|problem| OpenError::new(url, problem))
    }

    /// Checks that the first start can create a missing database. Leaves no file behind.
    pub fn probe_creation(url: &DatabaseUrl) -> Result<(), OpenError> {
        let probed = match url {
            DatabaseUrl::Sqlite(path) => sqlite::probe_creation(path),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(_) => Ok(()),
        };
        probed.map_err(|problem| OpenError::new(url, problem))
    }

    /// Checks that the pending migrations can be applied, by applying them and rolling them back.
    pub fn rehearse_migrations(url: &DatabaseUrl) -> Result<(), String> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let mut connection = sqlite::open(path, Role::Probe).map_err(|error| one_line(&error))?;
                // Nothing may reach the file before the rollback.
                connection
                    .batch_execute("PRAGMA cache_spill = off; PRAGMA foreign_keys = ON")
                    .map_err(|error| one_line(&error))?;
                migrations::rehearse(&mut connection).map_err(|problem| one_line(&problem))
            }
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(server) => postgres::rehearse(server).map_err(|problem| one_line(&problem)),
        }
    }

    /// Reads from a database that is not opened for use.
    pub fn probe_with<T>(url: &DatabaseUrl, read: impl FnOnce(&mut Connection) -> QueryResult<T>) -> Result<T, String> {
        let mut connection = pool::open(url, Role::Probe).map_err(|error| one_line(&error))?;
        read(&mut connection).map_err(|error| error.to_string())
    }

    /// Returns how many bytes the standby has yet to replay after a second.
    pub fn probe_standby(primary: &DatabaseUrl, standby: &DatabaseUrl) -> Result<i64, String> {
        match (primary, standby) {
            #[cfg(feature = "postgres")]
            (DatabaseUrl::Postgres(primary), DatabaseUrl::Postgres(standby)) => {
                postgres::probe_standby(primary, standby).map_err(|problem| one_line(&problem))
            }
            _ => Err("SQLite has no standbys".to_owned()),
        }
    }

    pub fn migration_status(url: &DatabaseUrl) -> Result<Status, String> {
        let mut connection = pool::open(url, Role::Probe).map_err(|error| one_line(&error))?;
        migrations::status(&mut connection)
    }
}
