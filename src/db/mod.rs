//! Two verbs for data: [`Db::read`] and [`Db::write`]. What is read in no time may be read by [`Db::read_here`].
//!
//! Model functions take `&mut Connection` and return `QueryResult`; threads, pooling, transactions and
//! waiting live behind the two verbs and nowhere else.

mod backup;
mod bulk;
mod connection;
pub mod copy;
mod errors;
pub mod migrations;
#[cfg(feature = "postgres")]
mod postgres;
pub mod references;
mod remembered;
pub mod rows;
mod sqlite;
pub mod text;
mod url;
mod version;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{SimpleConnection, TransactionManager};
use prometheus::core::Collector;

use crate::error::Error;
use crate::metrics::read_gauges;
pub use backup::backup;
pub use connection::Backend;
use connection::{LogFailures, Manager, Role, one_line};
pub use remembered::Remembered;
pub use url::DatabaseUrl;
pub use version::Version;
use version::{Versions, WalIndex};
use writer::{Writer, WriterMetrics};

/// A connection to the database: what model functions take.
pub type Connection = connection::AnyConnection;

/// How busy the database is.
#[derive(Clone, Copy, Debug)]
pub struct DbState {
    /// Its size, of a SQLite file with what is not merged into it yet, in bytes.
    pub bytes: u64,
    /// Reading connections that are open.
    pub open: u32,
    /// Those of them that nobody uses at the moment.
    pub idle: u32,
    /// How many there may be.
    pub most: u32,
}

/// A handle to the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    url: Arc<DatabaseUrl>,
    readers: r2d2::Pool<Manager>,
    writer: Write,
    versions: Arc<Versions>,
    metrics: WriterMetrics,
}

/// How writes are run.
#[derive(Clone)]
enum Write {
    /// One after the other, by one connection.
    Queue(Writer),
    /// Side by side.
    #[cfg(feature = "postgres")]
    Pool(postgres::Writers),
}

/// The database cannot be opened, brought up to date or copied; one line that says why.
#[derive(Debug, thiserror::Error)]
#[error("database {url}: {problem}")]
pub struct OpenError {
    url: String,
    problem: String,
}

impl OpenError {
    fn new(url: &DatabaseUrl, problem: impl ToString) -> OpenError {
        OpenError { url: url.to_string(), problem: one_line(&problem) }
    }

    /// What is wrong, without where.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

/// Runs queries in a transaction on a connection of a pool.
fn transaction<T>(
    pool: &r2d2::Pool<Manager>,
    queries: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    run(begin(pool)?, queries)
}

/// Runs queries in the transaction that has begun on a connection, and ends it.
fn run<T>(
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

impl Db {
    /// Opens the database, creates the file where a SQLite one is missing, and applies pending migrations;
    /// also tells how many those were.
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
        // SQLite keeps its other files beside the real one, wherever links lead to it from.
        let path = path.canonicalize().map_err(|error| error.to_string())?;
        let url = Arc::new(DatabaseUrl::Sqlite(path.clone()));
        // Reads are short and mostly of cached pages: a few connections a core keep all cores busy.
        let connections = std::thread::available_parallelism().map_or(4, |cores| cores.get() * 4).min(32);
        let readers = pool(&url, Role::Reader, connections as u32)?;
        let metrics = WriterMetrics::new();
        let versions = Arc::new(Versions::WalIndex(WalIndex::open(&path)?));
        let writer = Writer::start(&path, connection, versions.clone(), metrics.clone());
        let writer = writer.map_err(|error| error.to_string())?;
        Ok((Db { url, readers, writer: Write::Queue(writer), versions, metrics }, applied))
    }

    #[cfg(feature = "postgres")]
    fn open_postgres(url: &DatabaseUrl, server: &str) -> Result<(Db, usize), String> {
        let applied = postgres::open_migrated(server)?;
        let url = Arc::new(url.clone());
        let limit = postgres::ConnectionLimit::of(server).ok_or("it has a connection_limit that cannot be")?;
        let readers = pool(&url, Role::Reader, limit.readers())?;
        let watch = postgres::Watch::start(&url).map_err(|error| error.to_string())?;
        let metrics = WriterMetrics::new();
        let writers = postgres::Writers::new(pool(&url, Role::Writer, limit.writers())?, watch.clone());
        let versions = Arc::new(Versions::Watch(watch));
        Ok((Db { url, readers, writer: Write::Pool(writers), versions, metrics }, applied))
    }

    /// Whether it is a sound database that can be written. Changes nothing.
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

    /// Whether a database that is missing can be made by the first start. Leaves nothing.
    pub fn probe_creation(url: &DatabaseUrl) -> Result<(), OpenError> {
        let probed = match url {
            DatabaseUrl::Sqlite(path) => sqlite::probe_creation(path),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(_) => Ok(()),
        };
        probed.map_err(|problem| OpenError::new(url, problem))
    }

    /// Where the database is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// How busy the database is.
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

    /// What the database tells of itself.
    pub fn collectors(&self) -> Vec<Box<dyn Collector>> {
        let (db, same) = (self.clone(), self.clone());
        let connections = read_gauges("gatepost_db_connections", "Connections that read.", &["state"], move || {
            let DbState { open, idle, .. } = db.state();
            vec![(vec!["idle".to_owned()], idle.into()), (vec!["in_use".to_owned()], (open - idle).into())]
        });
        let size = read_gauges("gatepost_db_size_bytes", "Size of the database.", &[], move || {
            vec![(Vec::new(), same.state().bytes as f64)]
        });
        let WriterMetrics { queued, batch, commit } = self.metrics.clone();
        vec![connections, size, Box::new(queued), Box::new(batch), Box::new(commit)]
    }

    /// The state of the content, as of now; `None` if it cannot be told.
    pub fn version(&self) -> Option<Version> {
        self.versions.version()
    }

    /// The state of the content as of now, but that a commit of another process may be missing for a millisecond.
    pub fn recent_version(&self) -> Option<Version> {
        self.versions.recent_version()
    }

    /// Runs queries that change nothing, on a thread that may wait. All of them see one and the same state
    /// of the database, whatever is committed meanwhile.
    pub async fn read<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        let db = self.clone();
        let run = move || db.read_blocking(queries);
        tokio::task::spawn_blocking(run).await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// Like [`Db::read`], for queries that end sooner than another thread would begin: few rows, found by an
    /// index. With SQLite, where a read waits for no write, they run on the caller's thread, which serves nobody
    /// else meanwhile.
    pub async fn read_here<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        if let DatabaseUrl::Sqlite(_) = *self.url
            && let Some(mut connection) = self.readers.try_get()
        {
            let read = move || {
                Connection::begin_transaction(&mut connection)?;
                run(connection, queries)
            };
            // As on another thread, a panic is this request's failure alone. The connection is dropped with it.
            let outcome = catch_unwind(AssertUnwindSafe(read));
            return outcome.unwrap_or_else(|_| Err(Error::Internal("a read panicked".to_owned())));
        }
        self.read(queries).await
    }

    /// Like [`Db::read`], from a thread that may wait: the command line.
    pub fn read_blocking<T, F>(&self, queries: F) -> Result<T, Error>
    where
        F: FnOnce(&mut Connection) -> Result<T, Error>,
    {
        #[cfg(feature = "postgres")]
        if let Versions::Watch(watch) = &*self.versions {
            watch.check_reach(&self.readers)?;
        }
        transaction(&self.readers, queries)
    }

    /// Runs queries in a transaction of their own and answers once it is on the disk. An error undoes
    /// all that `queries` did. What they have read still holds when they commit; PostgreSQL may run them
    /// several times for that.
    pub async fn write<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Clone + Send + 'static,
    {
        match &self.writer {
            Write::Queue(writer) => writer.submit(queries)?.await.map_err(|_| stopped())?,
            #[cfg(feature = "postgres")]
            Write::Pool(writers) => {
                let (writers, metrics) = (writers.clone(), self.metrics.clone());
                if metrics.queued.get() >= writer::QUEUE as i64 {
                    return Err(Error::Unavailable("the queue of writes is full".to_owned()));
                }
                metrics.queued.inc();
                let run = move || {
                    metrics.queued.dec();
                    metrics.time(|| writers.write(queries))
                };
                let ran = tokio::task::spawn_blocking(run).await;
                ran.map_err(|_| Error::Internal("a write panicked".to_owned()))?
            }
        }
    }

    /// Like [`Db::write`], from a thread that may wait: the command line.
    pub fn write_blocking<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Clone + Send + 'static,
    {
        match &self.writer {
            Write::Queue(writer) => writer.submit(queries)?.blocking_recv().map_err(|_| stopped())?,
            #[cfg(feature = "postgres")]
            Write::Pool(writers) => writers.write(queries),
        }
    }
}

fn stopped() -> Error {
    Error::Unavailable("the writer stopped before the commit".to_owned())
}

fn pool(url: &Arc<DatabaseUrl>, role: Role, connections: u32) -> Result<r2d2::Pool<Manager>, String> {
    r2d2::Pool::builder()
        .max_size(connections)
        .min_idle(Some(1))
        // Asking before each use would cost as much as a read; `begin` finds out.
        .test_on_check_out(false)
        // Nor is one that works given up for its age: there may be no room for another one.
        .max_lifetime(None)
        .connection_timeout(Duration::from_secs(3))
        .error_handler(Box::new(LogFailures))
        .build(Manager::new(url, role))
        .map_err(|error| error.to_string())
}
