//! Reads from a standby.

use prometheus::core::Collector;

use super::connection::Connection;
use super::database::Db;
use super::open_error::OpenError;
#[cfg(feature = "postgres")]
use super::postgres::Standby;
use super::url::DatabaseUrl;
#[cfg(feature = "postgres")]
use super::version::Versions;
use crate::error::Error;

impl Db {
    /// The standby need not be there yet.
    pub fn with_standby(self, url: &DatabaseUrl) -> Result<Db, OpenError> {
        let fail = |problem: String| OpenError::new(url, problem);
        match url {
            DatabaseUrl::Sqlite(_) => Err(fail("SQLite has no standbys".to_owned())),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(server) => {
                let mut db = self;
                db.standby = Some(Standby::start(server, url.to_string(), db.readers.clone()).map_err(fail)?);
                Ok(db)
            }
        }
    }

    #[cfg(feature = "postgres")]
    pub(super) fn list_reads(&self) -> Option<Box<dyn Collector>> {
        self.standby.as_ref().map(|standby| Box::new(standby.reads.clone()) as Box<dyn Collector>)
    }

    #[cfg(not(feature = "postgres"))]
    pub(super) fn list_reads(&self) -> Option<Box<dyn Collector>> {
        None
    }

    /// For what may be as old as a remembered value: it has all that this process has committed, and what others have
    /// committed up to a second ago. Never for what a caller may do. `None` if there is no standby, or if the primary has
    /// to answer. All queries see the same snapshot.
    #[cfg(feature = "postgres")]
    pub async fn read_standby<T, F>(&self, queries: &F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Clone + Send + 'static,
    {
        match (&self.standby, &*self.versions) {
            (Some(standby), Versions::Watch(watch)) => standby.read(watch.changes(), queries.clone()).await,
            _ => None,
        }
    }

    #[cfg(not(feature = "postgres"))]
    pub async fn read_standby<T, F>(&self, _: &F) -> Option<T>
    where
        F: FnOnce(&mut Connection) -> Result<T, Error>,
    {
        None
    }
}
