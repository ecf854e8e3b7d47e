//! PostgreSQL's writers. A few threads take jobs from the queue, and each runs its jobs in one transaction, without
//! savepoints; the rows that jobs begin with are inserted together. If a job fails or collides, all are rolled back and
//! run again, each in a transaction of its own, so a failed job undoes only itself. No job is answered before its commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::{SimpleConnection, TransactionManager};

use super::failures::explained;
use super::watch::CommitWatch;
use crate::crypto::random;
use crate::db::connection::{Connection, Role};
use crate::db::pool::Manager;
use crate::db::queue::{Job, Jobs, Queue, WriterMetrics, panicked};
use crate::db::recorded_write;
use crate::db::transaction::{begin, rollback};
use crate::error::Error;

/// Each commits many jobs at once. More threads would commit fewer at once, and collide more often. With only one, nothing
/// else would be written while a long job runs.
const THREADS: u32 = 2;
/// Small, because one job that fails makes all run again, and because each size is a prepared statement of its own.
const BATCH: usize = 16;
/// How long a conflicting write is retried.
const PATIENCE: Duration = Duration::from_secs(5);
/// At least this many retries, however long they take.
const ATTEMPTS: u32 = 3;

pub struct Writers {
    pool: r2d2::Pool<Manager>,
    watch: Arc<CommitWatch>,
    jobs: Mutex<Jobs>,
    metrics: WriterMetrics,
}

enum Failure {
    /// Nothing was committed.
    RolledBack(Error),
    /// There is no connection, or it broke during the commit: the jobs may be committed.
    Unavailable(Error),
}

impl Writers {
    /// The threads end when the last clone of the queue is dropped.
    pub fn start(pool: r2d2::Pool<Manager>, watch: Arc<CommitWatch>) -> std::io::Result<Queue> {
        let (queue, jobs) = Queue::new();
        let threads = pool.max_size().min(THREADS);
        let writers = Arc::new(Writers { pool, watch, jobs: Mutex::new(jobs), metrics: queue.metrics.clone() });
        for number in 1..=threads {
            let writers = writers.clone();
            std::thread::Builder::new().name(format!("writer {number}")).spawn(move || writers.run())?;
        }
        Ok(queue)
    }

    fn run(&self) {
        while let Some(mut batch) = self.next_batch() {
            let together = match batch.len() {
                // If it failed, it would only run twice.
                1 => None,
                jobs => match self.metrics.observe(jobs, || self.commit(&mut batch)) {
                    Ok(()) => Some(None),
                    Err(Failure::RolledBack(_)) => None,
                    Err(Failure::Unavailable(error)) => Some(Some(error.cause().unwrap_or_default().to_owned())),
                },
            };
            for mut job in batch {
                let outcome = match &together {
                    None => self.metrics.observe(1, || self.alone(&mut job)),
                    Some(None) => Ok(()),
                    Some(Some(cause)) => Err(Error::Unavailable(cause.clone())),
                };
                job.answer(outcome);
            }
        }
    }

    /// One thread waits for a job, and the others for their turn to wait.
    fn next_batch(&self) -> Option<Vec<Box<dyn Job>>> {
        let jobs = self.jobs.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.metrics.next_batch(&jobs, BATCH)
    }

    fn alone(&self, job: &mut Box<dyn Job>) -> Result<(), Error> {
        let give_up = Instant::now() + PATIENCE;
        for attempt in 1.. {
            match self.commit(std::slice::from_mut(job)) {
                Err(Failure::RolledBack(Error::Collision(_))) if attempt <= ATTEMPTS || Instant::now() < give_up => {
                    std::thread::sleep(pause(attempt));
                }
                // A deadlock with another program, for example. A mistake of our own fails each time.
                Err(Failure::RolledBack(Error::Unknown(_))) if attempt <= ATTEMPTS => {
                    std::thread::sleep(pause(attempt));
                }
                Err(Failure::RolledBack(Error::Collision(cause))) => return Err(Error::Unavailable(cause)),
                Err(Failure::RolledBack(error) | Failure::Unavailable(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        Err(Error::Internal("a write was not run".to_owned()))
    }

    /// Runs jobs in one transaction.
    fn commit(&self, jobs: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        let mut connection = begin(&self.pool, Role::Writer).map_err(Failure::Unavailable)?;
        let began = Instant::now();
        if let Err(error) = run(&mut connection, jobs) {
            rollback(&mut connection);
            return Err(Failure::RolledBack(explained(&mut connection, error, began.elapsed())));
        }
        // COMMIT of a transaction with a failed statement rolls back without an error. If a job ignored a failure, the
        // SELECT reports it, and the COMMIT does not run.
        let committed = connection.batch_execute("SELECT 1; COMMIT").map_err(Error::from);
        // Even after an error: the commit may have succeeded and only its answer was lost.
        self.watch.note_change();
        let error = match committed {
            Err(error) if is_open(&mut connection) => {
                rollback(&mut connection);
                error
            }
            // The server has answered, so nothing was committed.
            Err(error @ (Error::Collision(_) | Error::Unknown(_))) => error,
            Err(error) => return Err(Failure::Unavailable(error)),
            Ok(()) => return Ok(()),
        };
        Err(Failure::RolledBack(explained(&mut connection, error, began.elapsed())))
    }
}

fn run(connection: &mut Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), Error> {
    // Its queries make a refusal of the database the error of a field.
    if let [job] = jobs {
        return job.run(connection, None);
    }
    let insert = || recorded_write::run_all(connection, jobs.iter().map(|job| job.insertion()).collect());
    let inserted = catch_unwind(AssertUnwindSafe(insert)).map_err(|_| panicked())??;
    jobs.iter_mut().zip(inserted).try_for_each(|(job, inserted)| job.run(connection, Some(inserted)))
}

/// Whether a transaction has neither been committed nor rolled back.
fn is_open(conn: &mut Connection) -> bool {
    matches!(Connection::transaction_manager_status_mut(conn).transaction_depth(), Ok(Some(_)))
}

fn pause(attempt: u32) -> Duration {
    let spread = random::<1>().map_or(128, |[byte]| u32::from(byte));
    Duration::from_micros(u64::from(attempt.min(20) * (spread + 1) * 20))
}
