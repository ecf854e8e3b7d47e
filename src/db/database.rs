//! [`Db`]: the database handle.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use diesel::QueryResult;
use diesel::connection::TransactionManager;
use prometheus::core::Collector;
use tokio::sync::oneshot;

use super::connection::{Connection, Role};
use super::open_error::OpenError;
use super::pool::{Manager, pool};
#[cfg(feature = "postgres")]
use super::postgres::{self, CommitWatch, ConnectionLimit, Standby, Writers};
use super::queue::{Queue, WriterMetrics};
use super::recorded_write::{RecordedWrite, SavedRow};
use super::sqlite;
use super::transaction::{run, transaction, without_transaction};
use super::url::DatabaseUrl;
use super::version::{Version, Versions, WalIndex};
use super::writable::Writable;
use super::writer;
use crate::error::Error;
use crate::metrics::read_gauges;

#[derive(Clone, Copy, Debug)]
pub struct DbState {
    /// In bytes; for SQLite, the file and its WAL.
    pub bytes: u64,
    pub open: u32,
    pub idle: u32,
    pub most: u32,
}

#[derive(Clone)]
pub struct Db {
    url: Arc<DatabaseUrl>,
    pub(super) readers: r2d2::Pool<Manager>,
    writes: Queue,
    pub(super) versions: Arc<Versions>,
    writable: Arc<Writable>,
    #[cfg(feature = "postgres")]
    pub(super) standby: Option<Arc<Standby>>,
}

impl Db {
    /// Creates a missing SQLite file and applies pending migrations. Also returns how many it applied.
    pub fn open(url: &DatabaseUrl) -> Result<(Db, usize), OpenError> {
        let fail = |problem: String| OpenError::new(url, problem);
        match url {
            DatabaseUrl::Sqlite(path) => Db::open_sqlite(path).map_err(fail),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(server) => Db::open_postgres(url, server).map_err(fail),
        }
    }

    fn open_sqlite(path: &Path) -> Result<(Db, usize), String> {
        let (connection, applied) = sqlite::open_writer(path)?;
        // SQLite keeps its WAL files next to the real file, even if the path is a symbolic link.
        let path = path.canonicalize().map_err(|error| error.to_string())?;
        let url = Arc::new(DatabaseUrl::Sqlite(path.clone()));
        // Reads are short and mostly hit cached pages: a few connections per core keep all cores busy.
        let connections = std::thread::available_parallelism().map_or(4, |cores| cores.get() * 4).min(32);
        let readers = pool(&url, Role::Reader, connections as u32)?;
        let versions = Arc::new(Versions::WalIndex(WalIndex::open(&path)?));
        let writes = writer::start(&path, connection, versions.clone()).map_err(|error| error.to_string())?;
        let db = Db {
            url,
            readers,
            writes,
            versions,
            writable: Arc::default(),
            #[cfg(feature = "postgres")]
            standby: None,
        };
        Ok((db, applied))
    }

    #[cfg(feature = "postgres")]
    fn open_postgres(url: &DatabaseUrl, server: &str) -> Result<(Db, usize), String> {
        let applied = postgres::open_migrated(server)?;
        let url = Arc::new(url.clone());
        let limit = ConnectionLimit::of(server).ok_or("its connection_limit is not a number from 3 to 1000")?;
        let readers = pool(&url, Role::Reader, limit.readers())?;
        let watch = CommitWatch::start(server, readers.clone()).map_err(|error| error.to_string())?;
        let writers = pool(&url, Role::Writer, limit.writers())?;
        let writes = Writers::start(writers, watch.clone()).map_err(|error| error.to_string())?;
        let versions = Arc::new(Versions::Watch(watch));
        Ok((Db { url, readers, writes, versions, writable: Arc::default(), standby: None }, applied))
    }

    /// A SQLite path is canonical.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    pub fn state(&self) -> DbState {
        let pool = self.readers.state();
        DbState {
            bytes: self.bytes(),
            open: pool.connections,
            idle: pool.idle_connections,
            most: self.readers.max_size(),
        }
    }

    fn bytes(&self) -> u64 {
        match (&*self.url, &*self.versions) {
            (DatabaseUrl::Sqlite(path), _) => {
                let mut wal = path.as_os_str().to_owned();
                wal.push("-wal");
                let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
                size(path) + size(Path::new(&wal))
            }
            #[cfg(feature = "postgres")]
            (_, Versions::Watch(watch)) => watch.bytes(),
            #[cfg(feature = "postgres")]
            _ => 0,
        }
    }

    pub fn collectors(&self) -> Vec<Box<dyn Collector>> {
        let (db, same) = (self.clone(), self.clone());
        let connections = read_gauges("gatepost_db_connections", "Read connections.", &["state"], move || {
            let DbState { open, idle, .. } = db.state();
            vec![(vec!["idle".to_owned()], idle.into()), (vec!["in_use".to_owned()], (open - idle).into())]
        });
        let size = read_gauges("gatepost_db_size_bytes", "Size of the database.", &[], move || {
            vec![(Vec::new(), same.state().bytes as f64)]
        });
        let WriterMetrics { queued, batch, commit } = self.writes.metrics.clone();
        let own: [Box<dyn Collector>; 5] = [connections, size, Box::new(queued), Box::new(batch), Box::new(commit)];
        own.into_iter().chain(self.list_reads()).collect()
    }

    pub fn version(&self) -> Option<Version> {
        self.versions.version()
    }

    /// May miss another process's commit for up to a millisecond.
    pub fn recent_version(&self) -> Option<Version> {
        self.versions.recent_version()
    }

    /// Runs on a blocking thread. All queries see the same snapshot.
    pub async fn read<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        let db = self.clone();
        on_blocking_thread(move || db.read_blocking(queries)).await
    }

    /// For a few rows found by an index: such a read is faster than handing it to another thread. On SQLite, where
    /// reads never wait for writes, it blocks the caller's thread.
    pub async fn read_here<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        match self.connection_here() {
            Some(mut connection) => caught(move || {
                Connection::begin_transaction(&mut connection)?;
                run(connection, queries)
            }),
            None => self.read(queries).await,
        }
    }

    /// [`Db::read_here`] for one statement, which needs no transaction.
    pub async fn read_one<T, F>(&self, query: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Clone + Send + 'static,
    {
        if let Some(mut connection) = self.connection_here() {
            return caught(move || query(&mut connection));
        }
        let db = self.clone();
        on_blocking_thread(move || {
            db.check_reach()?;
            without_transaction(&db.readers, query)
        })
        .await
    }

    fn connection_here(&self) -> Option<r2d2::PooledConnection<Manager>> {
        if self.waits_for_network() { None } else { self.readers.try_get() }
    }

    /// Whether the database is another process.
    pub fn waits_for_network(&self) -> bool {
        !matches!(*self.url, DatabaseUrl::Sqlite(_))
    }

    pub fn read_blocking<T, F>(&self, queries: F) -> Result<T, Error>
    where
        F: FnOnce(&mut Connection) -> Result<T, Error>,
    {
        self.check_reach()?;
        transaction(&self.readers, queries)
    }

    /// Fails if writes cannot succeed. Writes nothing, and may be some seconds late.
    pub async fn check_writable(&self) -> Result<(), Error> {
        let db = self.clone();
        let check = move || match (&*db.url, &*db.versions) {
            (DatabaseUrl::Sqlite(path), _) => db.writable.check(path),
            #[cfg(feature = "postgres")]
            (_, Versions::Watch(watch)) if watch.is_standby() => Err("it is a standby".to_owned()),
            #[cfg(feature = "postgres")]
            _ => Ok(()),
        };
        let fail = |problem| Error::Unavailable(format!("the database takes no writes: {problem}"));
        on_blocking_thread(move || check().map_err(fail)).await
    }

    /// Returns once the transaction is on disk; an error rolls it back. Writes are serializable: PostgreSQL may run
    /// `queries` several times to achieve that.
    pub async fn write<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Clone + Send + 'static,
    {
        self.submit(|| None, |conn, _| queries(conn))?.await.map_err(|_| stopped())?
    }

    /// [`Db::write`] that begins with the insertion of a row, if there is one. `queries` get the row, `Ok(None)` if it was
    /// not inserted, or the error, which they must return. On PostgreSQL, one statement inserts the rows of several
    /// writes, before the queries of all of them. So the insertion must check the caller's rights itself, and must not
    /// depend on another write.
    pub async fn insert<T, I, F>(&self, insertion: I, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        I: Fn() -> Option<RecordedWrite> + Send + 'static,
        F: FnOnce(&mut Connection, QueryResult<SavedRow>) -> Result<T, Error> + Clone + Send + 'static,
    {
        self.submit(insertion, queries)?.await.map_err(|_| stopped())?
    }

    pub fn write_blocking<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Clone + Send + 'static,
    {
        self.submit(|| None, |conn, _| queries(conn))?.blocking_recv().map_err(|_| stopped())?
    }

    fn submit<T, I, F>(&self, insertion: I, queries: F) -> Result<oneshot::Receiver<Result<T, Error>>, Error>
    where
        T: Send + 'static,
        I: Fn() -> Option<RecordedWrite> + Send + 'static,
        F: FnOnce(&mut Connection, QueryResult<SavedRow>) -> Result<T, Error> + Clone + Send + 'static,
    {
        self.check_reach()?;
        self.writes.submit(insertion, queries)
    }

    /// Fails at once while the server is away.
    fn check_reach(&self) -> Result<(), Error> {
        match &*self.versions {
            Versions::WalIndex(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Versions::Watch(watch) => watch.check_reach(),
        }
    }
}

pub(super) async fn on_blocking_thread<T, F>(work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?
}

/// As on a blocking thread, a panic fails only this request. The connection is dropped.
fn caught<T>(read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(Error::Internal("a read panicked".to_owned())))
}

fn stopped() -> Error {
    Error::Unavailable("the writer stopped before the commit".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use diesel::connection::SimpleConnection;

    use super::*;
    use crate::db::version::RECENT;

    async fn commit(db: &Db, number: u32) {
        let write = move |conn: &mut Connection| Ok(conn.batch_execute(&format!("PRAGMA user_version = {number}"))?);
        db.write(write).await.expect("a commit");
    }

    #[tokio::test]
    async fn an_own_commit_shows_before_it_is_acknowledged_and_anothers_after_a_moment() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = DatabaseUrl::Sqlite(folder.path().join("versions.sqlite3"));
        let ((db, _), (other, _)) = (Db::open(&url).expect("a database"), Db::open(&url).expect("the same"));
        for number in 1..=200 {
            let before = db.recent_version();
            assert!(before.is_some() && before == db.recent_version(), "commit {number}: nothing has happened");
            commit(&db, number).await;
            assert_ne!(db.recent_version(), before, "commit {number} of its own");
        }
        for number in 201..=220 {
            let (before, exact) = (db.recent_version(), db.version());
            commit(&other, number).await;
            assert_ne!(db.version(), exact, "commit {number} of another");
            std::thread::sleep(RECENT + Duration::from_millis(1));
            assert_ne!(db.recent_version(), before, "commit {number} of another, a moment later");
        }
    }
}
