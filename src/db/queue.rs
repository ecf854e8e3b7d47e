//! The queue of writes: [`Db::write`](super::Db::write) puts jobs into it, and the writers of the database run them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use diesel::QueryResult;
use prometheus::{Histogram, IntGauge};
use tokio::sync::oneshot;

use super::connection::Connection;
use super::recorded_write::{self, RecordedWrite, SavedRow};
use crate::error::Error;
use crate::metrics;

/// Beyond this, writes fail with [`Error::Unavailable`].
const LENGTH: usize = 4096;
/// The most jobs that any writer commits at once.
pub const LARGEST_BATCH: usize = 256;

pub type Jobs = Receiver<Box<dyn Job>>;

/// The writers end when the last clone is dropped.
#[derive(Clone)]
pub struct Queue {
    jobs: SyncSender<Box<dyn Job>>,
    pub metrics: WriterMetrics,
}

#[derive(Clone)]
pub struct WriterMetrics {
    pub queued: IntGauge,
    pub batch: Histogram,
    pub commit: Histogram,
}

impl WriterMetrics {
    fn new() -> WriterMetrics {
        let sizes: Vec<f64> = (0..=LARGEST_BATCH.ilog2()).map(|power| f64::from(1 << power)).collect();
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

    /// Waits for a job and takes up to `most`. `None` once the queue is dropped.
    pub fn next_batch(&self, jobs: &Jobs, most: usize) -> Option<Vec<Box<dyn Job>>> {
        let mut batch = vec![jobs.recv().ok()?];
        batch.extend(jobs.try_iter().take(most - 1));
        self.queued.sub(batch.len() as i64);
        Some(batch)
    }

    /// Times `commit`, which runs and commits `jobs` jobs. Failures do not count.
    pub fn observe<T, E>(&self, jobs: usize, commit: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let timer = self.commit.start_timer();
        let outcome = commit();
        if outcome.is_ok() {
            timer.observe_duration();
            self.batch.observe(jobs as f64);
        } else {
            timer.stop_and_discard();
        }
        outcome
    }
}

impl Queue {
    pub fn new() -> (Queue, Jobs) {
        let (sender, jobs) = sync_channel(LENGTH);
        (Queue { jobs: sender, metrics: WriterMetrics::new() }, jobs)
    }

    pub fn submit<T, I, F>(&self, insertion: I, queries: F) -> Result<oneshot::Receiver<Result<T, Error>>, Error>
    where
        T: Send + 'static,
        I: Fn() -> Option<RecordedWrite> + Send + 'static,
        F: FnOnce(&mut Connection, QueryResult<SavedRow>) -> Result<T, Error> + Clone + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let job = Box::new(Queued { insertion, queries, value: None, sender });
        // Incremented before sending: a writer might decrement it first.
        self.metrics.queued.inc();
        let sent = self.jobs.try_send(job);
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

pub trait Job: Send {
    /// A row that the queries begin with.
    fn insertion(&self) -> Option<RecordedWrite>;
    /// Runs the insertion, unless it has been run, and the queries; again after a rollback. A panic is an error.
    fn run(&mut self, connection: &mut Connection, inserted: Option<SavedRow>) -> Result<(), Error>;
    /// Call this after the commit, or after the rollback.
    fn answer(self: Box<Self>, outcome: Result<(), Error>);
}

pub fn panicked() -> Error {
    Error::Internal("a write panicked".to_owned())
}

struct Queued<T, I, F> {
    insertion: I,
    queries: F,
    value: Option<T>,
    sender: oneshot::Sender<Result<T, Error>>,
}

impl<T, I, F> Job for Queued<T, I, F>
where
    T: Send,
    I: Fn() -> Option<RecordedWrite> + Send,
    F: FnOnce(&mut Connection, QueryResult<SavedRow>) -> Result<T, Error> + Clone + Send,
{
    fn insertion(&self) -> Option<RecordedWrite> {
        (self.insertion)()
    }

    fn run(&mut self, connection: &mut Connection, inserted: Option<SavedRow>) -> Result<(), Error> {
        let queries = self.queries.clone();
        let run = || {
            let inserted = match inserted {
                Some(inserted) => Ok(inserted),
                None => self.insertion().map_or(Ok(None), |insertion| recorded_write::run(connection, insertion)),
            };
            queries(connection, inserted)
        };
        let value = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(panicked()))?;
        self.value = Some(value);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), Error>) {
        let Queued { value, sender, .. } = *self;
        let not_run = || Error::Internal("a write was not run".to_owned());
        // Fails if the caller has gone away, and then no answer is needed.
        let _ = sender.send(outcome.and_then(|()| value.ok_or_else(not_run)));
    }
}
