//! Two verbs for data: [`Db::read`] and [`Db::write`].
//!
//! Model functions take `&mut Connection` and return `QueryResult`; threads, pooling, transactions and
//! waiting live behind the two verbs and nowhere else.

mod connection;
pub mod migrations;
pub mod references;
mod remembered;
pub mod rows;
pub mod text;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use prometheus::core::Collector;

use crate::error::Error;
use crate::metrics::read_gauges;
pub use connection::Connection;
use connection::{Manager, Role};
pub use remembered::Remembered;
use remembered::{Version, WalIndex};
use writer::{Writer, WriterMetrics};

/// Where the database is and how busy.
#[derive(Clone, Debug)]
pub struct DbState {
    /// The file.
    pub path: PathBuf,
    /// Its size with what is not merged into it yet, in bytes.
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
    path: Arc<PathBuf>,
    readers: r2d2::Pool<Manager>,
    writer: Writer,
    wal_index: Arc<WalIndex>,
}

/// The database cannot be opened or brought up to date; one line that says why.
#[derive(Debug, thiserror::Error)]
#[error("database {path}: {problem}")]
pub struct OpenError {
    path: String,
    problem: String,
}

impl OpenError {
    fn new(path: &Path, problem: impl ToString) -> OpenError {
        OpenError { path: path.display().to_string(), problem: problem.to_string() }
    }
}

/// The writing connection, and how many migrations were applied.
///
/// When several processes start at once on a new file, one changes its journal mode or its schema while
/// another has begun to read. SQLite refuses the other at once, whatever `busy_timeout` says, since the
/// two could wait for each other for ever. Beginning anew is the way out.
fn open_writer(path: &Path) -> Result<(Connection, usize), OpenError> {
    let give_up = Instant::now() + Duration::from_secs(5);
    let try_to_open = || -> Result<(Connection, usize), OpenError> {
        let mut connection = connection::open(path, Role::Writer).map_err(|error| OpenError::new(path, error))?;
        connection::check_writable(&mut connection).map_err(|error| OpenError::new(path, error))?;
        let applied = migrations::apply(&mut connection).map_err(|error| OpenError::new(path, error))?;
        Ok((connection, applied))
    };
    loop {
        match try_to_open() {
            Err(error) if error.problem.contains("database is locked") && Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
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
    /// Opens the SQLite file, creates it where it is missing, and applies pending migrations; also tells
    /// how many those were.
    pub fn open(path: &Path) -> Result<(Db, usize), OpenError> {
        let (connection, applied) = open_writer(path)?;
        // SQLite keeps its other files beside the real one, wherever links lead to it from.
        let path = &path.canonicalize().map_err(|error| OpenError::new(path, error))?;
        // Reads are short and mostly of cached pages: a few connections a core keep all cores busy.
        let connections = std::thread::available_parallelism().map_or(4, |cores| cores.get() * 4).min(32);
        let readers = r2d2::Pool::builder()
            .max_size(connections as u32)
            .min_idle(Some(1))
            // A file does not go away as a network does; asking before each use would cost as much as a read.
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(3))
            .build(Manager::new(path))
            .map_err(|error| OpenError::new(path, error))?;
        let writer = Writer::start(path, connection).map_err(|error| OpenError::new(path, error))?;
        let wal_index = Arc::new(WalIndex::open(path)?);
        Ok((Db { path: Arc::new(path.clone()), readers, writer, wal_index }, applied))
    }

    /// Whether the file is a sound database that can be written. Changes nothing.
    pub fn probe(path: &Path) -> Result<(), OpenError> {
        let mut connection = connection::open(path, Role::Probe).map_err(|error| OpenError::new(path, error))?;
        connection::probe(&mut connection).map_err(|error| OpenError::new(path, error))
    }

    /// Where the database is and how busy.
    pub fn state(&self) -> DbState {
        let pool = self.readers.state();
        let mut wal = self.path.as_os_str().to_owned();
        wal.push("-wal");
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let bytes = size(&self.path) + size(Path::new(&wal));
        DbState {
            path: self.path.to_path_buf(),
            bytes,
            open: pool.connections,
            idle: pool.idle_connections,
            most: self.readers.max_size(),
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
        let WriterMetrics { queued, batch, commit } = self.writer.metrics.clone();
        vec![connections, size, Box::new(queued), Box::new(batch), Box::new(commit)]
    }

    /// The state of the content; `None` if it cannot be told.
    fn version(&self) -> Option<Version> {
        self.wal_index.version()
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

    /// Like [`Db::read`], from a thread that may wait: the command line.
    pub fn read_blocking<T, F>(&self, queries: F) -> Result<T, Error>
    where
        F: FnOnce(&mut Connection) -> Result<T, Error>,
    {
        let mut connection = self.readers.get().map_err(|error| Error::Unavailable(error.to_string()))?;
        (*connection).transaction(queries)
    }

    /// Runs queries in a transaction of their own and answers once it is on the disk. An error undoes
    /// all that `queries` did.
    pub async fn write<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        let answer = self.writer.submit(queries)?;
        answer.await.map_err(|_| Error::Unavailable("the writer stopped before the commit".to_owned()))?
    }

    /// Like [`Db::write`], from a thread that may wait: the command line.
    pub fn write_blocking<T, F>(&self, queries: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        let answer = self.writer.submit(queries)?;
        answer.blocking_recv().map_err(|_| Error::Unavailable("the writer stopped before the commit".to_owned()))?
    }
}
