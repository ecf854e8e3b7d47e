//! [`Writers`]: connections that write side by side.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::watch::CommitWatch;
use crate::crypto::random;
use crate::db::connection::Connection;
use crate::db::pool::Manager;
use crate::db::transaction::transaction;
use crate::error::Error;

/// How long a write that collides with others is begun anew.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many times it is begun anew in any case, however long it takes.
const ATTEMPTS: u32 = 3;

/// Connections that write, each in a transaction of its own.
#[derive(Clone)]
pub struct Writers {
    pool: r2d2::Pool<Manager>,
    watch: Arc<CommitWatch>,
}

impl Writers {
    pub fn new(pool: r2d2::Pool<Manager>, watch: Arc<CommitWatch>) -> Writers {
        Writers { pool, watch }
    }

    /// Runs queries in a transaction, anew if it collides with another one.
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
                // PostgreSQL ends a transaction in which a statement failed without an error at its COMMIT. If
                // the queries went on after a failure, this one fails.
                conn.batch_execute("SELECT 1")?;
                Ok(value)
            });
            // Also where the commit's answer was lost: it may be there.
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

/// How long to wait before another attempt: longer each time, and not as long as the others do.
fn pause(attempt: u32) -> Duration {
    let spread = random::<1>().map_or(128, |[byte]| u32::from(byte));
    Duration::from_micros(u64::from(attempt.min(20) * (spread + 1) * 20))
}
