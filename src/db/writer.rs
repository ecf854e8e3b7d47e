//! SQLite's single writer. One thread owns the write connection, runs each queued job in a savepoint and commits them
//! together, so many jobs share one wait for the disk. A failed job rolls back only its own changes. No job is answered
//! before the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use prometheus::{Histogram, IntGauge};
use tokio::sync::oneshot;

use super::connection::Connection;
use super::connection::Role;
use super::sqlite;
use super::version::Versions;
use crate::error::Error;
use crate::metrics;

/// Beyond this, writes fail with [`Error::Unavailable`].
pub const QUEUE: usize = 4096;
/// Jobs per commit: the first jobs of a long queue must not wait for all of it.
const BATCH: usize = 256;

/// The thread ends when the last clone is dropped.
#[derive(Clone)]
pub struct Writer {
    queue: SyncSender<Box<dyn Job>>,
    metrics: WriterMetrics,
}

#[derive(Clone)]
pub struct WriterMetrics {
    pub queued: IntGauge,
    pub batch: Histogram,
    pub commit: Histogram,
}

impl WriterMetrics {
    pub fn new() -> WriterMetrics {
        let sizes: Vec<f64> = (0..=BATCH.ilog2()).map(|power| f64::from(1 << power)).collect();
        let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
        WriterMetrics {
            queued: metrics::gauge("gatepost_db_queued_writes", "Writes waiting in the queue."),
            batch: metrics::histogram("gatepost_db_batch_writes", "Writes per commit.", &sizes),
            commit: metrics::histogram(
                "gatepost_db_commit_duration_seconds",
                "Time to run and commit a batch.",
                &seconds,
            ),
        }
    }
}

#[cfg(feature = "postgres")]
impl WriterMetrics {
    pub fn time<T>(&self, write: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let timer = self.commit.start_timer();
        let outcome = write();
        if outcome.is_ok() {
            timer.observe_duration();
            self.batch.observe(1.0);
        } else {
            timer.stop_and_discard();
        }
        outcome
    }
}

impl Writer {
    pub fn start(
        path: &Path,
        connection: Connection,
        versions: Arc<Versions>,
        metrics: WriterMetrics,
    ) -> std::io::Result<Writer> {
        let (queue, jobs) = sync_channel(QUEUE);
        let path = path.to_owned();
        let counting = metrics.clone();
        let work = move || run(&path, connection, &jobs, &versions, &counting);
        std::thread::Builder::new().name("writer".to_owned()).spawn(work)?;
        Ok(Writer { queue, metrics })
    }

    pub fn submit<T, F>(&self, queries: F) -> Result<oneshot::Receiver<Result<T, Error>>, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let job = Box::new(Queued { queries: Some(queries), result: None, sender });
        // Incremented before sending: the writer might decrement it first.
        self.metrics.queued.inc();
        let sent = self.queue.try_send(job);
        if sent.is_err() {
            self.metrics.queued.dec();
        }
        match sent {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(Error::Unavailable("the queue of writes is full".to_owned())),
            Err(TrySendError::Disconnected(_)) => Err(Error::Unavailable("the writer has stopped".to_owned())),
        }
    }
}

trait Job: Send {
    /// Runs the queries in a savepoint. `Err` only if the savepoint itself failed, and with it the batch.
    fn run(&mut self, connection: &mut Connection) -> QueryResult<()>;
    fn answer(self: Box<Self>, commit: Result<(), String>);
}

struct Queued<T, F> {
    queries: Option<F>,
    result: Option<Result<T, Error>>,
    sender: oneshot::Sender<Result<T, Error>>,
}

impl<T, F> Job for Queued<T, F>
where
    T: Send,
    F: FnOnce(&mut Connection) -> Result<T, Error> + Send,
{
    fn run(&mut self, connection: &mut Connection) -> QueryResult<()> {
        let Some(queries) = self.queries.take() else { return Ok(()) };
        connection.batch_execute("SAVEPOINT job")?;
        let caught = catch_unwind(AssertUnwindSafe(|| queries(connection)));
        let result = caught.unwrap_or_else(|_| Err(Error::Internal("a write panicked".to_owned())));
        let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
        self.result = Some(result);
        // SQLite rolls back the whole transaction on some errors, such as a full disk. Then the savepoint is gone and
        // this statement fails.
        connection.batch_execute(end)
    }

    fn answer(self: Box<Self>, commit: Result<(), String>) {
        let result = match (commit, self.result) {
            (Ok(()), Some(result)) => result,
            // A job's own error does not count either: it may depend on another job of the batch that was rolled back.
            (Err(cause), _) => Err(Error::Unavailable(cause)),
            (Ok(()), None) => Err(Error::Internal("a write was not run".to_owned())),
        };
        // Fails if the caller has gone away, and then no answer is needed.
        let _ = self.sender.send(result);
    }
}

fn run(
    path: &Path,
    connection: Connection,
    jobs: &Receiver<Box<dyn Job>>,
    versions: &Versions,
    metrics: &WriterMetrics,
) {
    let mut connection = Some(connection);
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        metrics.queued.sub(batch.len() as i64);
        let timer = metrics.commit.start_timer();
        let commit = match connection_or_new(&mut connection, path) {
            Ok(open) => commit(open, &mut batch),
            Err(cause) => Err(cause),
        };
        // Before the answers, so that each client's next request sees its own write.
        versions.note_commit();
        if commit.is_ok() {
            timer.observe_duration();
            metrics.batch.observe(batch.len() as f64);
        } else {
            timer.stop_and_discard();
            // Open a new connection next time: the state of this one is unknown.
            connection = None;
        }
        for job in batch {
            job.answer(commit.clone());
        }
    }
}

fn connection_or_new<'a>(slot: &'a mut Option<Connection>, path: &Path) -> Result<&'a mut Connection, String> {
    if slot.is_none() {
        let mut connection = sqlite::open(path, Role::Writer).map_err(|error| error.to_string())?;
        sqlite::keep_savepoints_in_memory(&mut connection).map_err(|error| error.to_string())?;
        *slot = Some(connection);
    }
    slot.as_mut().ok_or_else(|| "there is no connection".to_owned())
}

/// Diesel's own transactions do not distinguish a failed savepoint from a failed job.
fn commit(connection: &mut Connection, batch: &mut [Box<dyn Job>]) -> Result<(), String> {
    let mut run = || {
        connection.batch_execute("BEGIN IMMEDIATE")?;
        batch.iter_mut().try_for_each(|job| job.run(connection))?;
        connection.batch_execute("COMMIT")
    };
    run().map_err(|error: diesel::result::Error| error.to_string())
}
