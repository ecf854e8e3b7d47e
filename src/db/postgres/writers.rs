//! PostgreSQL's writers. A few threads take jobs from the queue, and each runs its jobs in one transaction, without
//! savepoints. If one fails or collides, all are rolled back and run again, each in a transaction of its own, so a failed
//! job undoes only itself. No job is answered before its commit.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::{SimpleConnection, TransactionManager};

use super::watch::CommitWatch;
use crate::crypto::random;
use crate::db::connection::Connection;
use crate::db::pool::Manager;
use crate::db::queue::{Job, Jobs, Queue, WriterMetrics};
use crate::db::transaction::{begin, rollback, transaction};
use crate::error::Error;

/// Each commits many jobs at once, so more threads would mainly collide more often.
const THREADS: u32 = 4;
/// Small, because one job that fails makes all run again.
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
    RolledBack,
    /// There is no connection, or it broke during the commit: the batch may be committed.
    Unavailable(String),
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
            let committed = match batch.len() {
                // If it failed, it would only run twice.
                1 => Err(Failure::RolledBack),
                jobs => self.metrics.observe(jobs, || self.together(&mut batch)),
            };
            for mut job in batch {
                let outcome = match &committed {
                    Ok(()) => Ok(()),
                    Err(Failure::RolledBack) => self.metrics.observe(1, || self.alone(&mut *job)),
                    Err(Failure::Unavailable(cause)) => Err(Error::Unavailable(cause.clone())),
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

    fn together(&self, batch: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        let unavailable = |error: Error| Failure::Unavailable(error.cause().unwrap_or_default().to_owned());
        let mut connection = begin(&self.pool).map_err(unavailable)?;
        let ran = batch.iter_mut().try_for_each(|job| job.run(&mut connection));
        let committed = match ran.and_then(|()| check(&mut connection)) {
            Ok(()) => Connection::commit_transaction(&mut connection).map_err(Error::from),
            Err(_) => {
                rollback(&mut connection);
                return Err(Failure::RolledBack);
            }
        };
        // Even after an error: the commit may have succeeded and only its answer was lost.
        self.watch.note_change();
        committed.map_err(|error| match error {
            Error::Collision(_) => Failure::RolledBack,
            error => unavailable(error),
        })
    }

    fn alone(&self, job: &mut dyn Job) -> Result<(), Error> {
        let give_up = Instant::now() + PATIENCE;
        for attempt in 1.. {
            let outcome = transaction(&self.pool, |conn| job.run(conn).and_then(|()| check(conn)));
            self.watch.note_change();
            match outcome {
                Err(Error::Collision(_)) if attempt <= ATTEMPTS || Instant::now() < give_up => {
                    std::thread::sleep(pause(attempt));
                }
                Err(Error::Collision(cause)) => return Err(Error::Unavailable(cause)),
                outcome => return outcome,
            }
        }
        Err(Error::Internal("a write was not run".to_owned()))
    }
}

/// COMMIT of a transaction with a failed statement rolls back without an error. If a job ignored a failure, this
/// statement reports it.
fn check(conn: &mut Connection) -> Result<(), Error> {
    Ok(conn.batch_execute("SELECT 1")?)
}

fn pause(attempt: u32) -> Duration {
    let spread = random::<1>().map_or(128, |[byte]| u32::from(byte));
    Duration::from_micros(u64::from(attempt.min(20) * (spread + 1) * 20))
}
