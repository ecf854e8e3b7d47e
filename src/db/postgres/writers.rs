//! [`Writers`]: connections that write concurrently.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::watch::CommitWatch;
use crate::crypto::random;
use crate::db::connection::Connection;
use crate::db::pool::Manager;
use crate::db::transaction::transaction;
use crate::error::Error;

/// How long a conflicting write is retried.
const PATIENCE: Duration = Duration::from_secs(5);
/// At least this many retries, however long they take.
const ATTEMPTS: u32 = 3;

#[derive(Clone)]
pub struct Writers {
    pool: r2d2::Pool<Manager>,
    watch: Arc<CommitWatch>,
}

impl Writers {
    pub fn new(pool: r2d2::Pool<Manager>, watch: Arc<CommitWatch>) -> Writers {
        Writers { pool, watch }
    }

    pub fn write<T, F>(&self, queries: F) -> Result<T, Error>
    where
        F: FnOnce(&mut Connection) -> Result<T, Error> + Clone,
    {
        self.watch.check_reach(&self.pool)?;
        let give_up = Instant::now() + PATIENCE;
        for attempt in 1.. {
            let queries = queries.clone();
            let outcome = transaction(&self.pool, |conn| {
                let value = queries(conn)?;
                // COMMIT of a transaction with a failed statement rolls back without an error. If `queries` ignored a
                // failure, this statement reports it.
                conn.batch_execute("SELECT 1")?;
                Ok(value)
            });
            // Even after an error: the commit may have succeeded and only its answer was lost.
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

fn pause(attempt: u32) -> Duration {
    let spread = random::<1>().map_or(128, |[byte]| u32::from(byte));
    Duration::from_micros(u64::from(attempt.min(20) * (spread + 1) * 20))
}
