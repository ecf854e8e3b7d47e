//! SQLite's single writer. One thread owns the write connection, runs each queued job in a savepoint and commits them
//! together, so many jobs share one wait for the disk. A failed job rolls back only its own changes. No job is answered
//! before the commit.

use std::path::Path;
use std::sync::Arc;

use diesel::QueryResult;
use diesel::connection::SimpleConnection;

use super::connection::{Connection, Role};
use super::queue::{Job, Jobs, LARGEST_BATCH, Queue, WriterMetrics};
use super::sqlite;
use super::version::Versions;
use crate::error::Error;

/// The thread ends when the last clone of the queue is dropped.
pub fn start(path: &Path, connection: Connection, versions: Arc<Versions>) -> std::io::Result<Queue> {
    let (queue, jobs) = Queue::new();
    let (path, metrics) = (path.to_owned(), queue.metrics.clone());
    let work = move || run(&path, connection, &jobs, &versions, &metrics);
    std::thread::Builder::new().name("writer".to_owned()).spawn(work)?;
    Ok(queue)
}

fn run(path: &Path, connection: Connection, jobs: &Jobs, versions: &Versions, metrics: &WriterMetrics) {
    let mut connection = Some(connection);
    while let Some(mut batch) = metrics.next_batch(jobs, LARGEST_BATCH) {
        let committed = metrics.observe(batch.len(), || commit(connection_or_new(&mut connection, path)?, &mut batch));
        // Before the answers, so that each client's next request sees its own write.
        versions.note_commit();
        match committed {
            Ok(outcomes) => batch.into_iter().zip(outcomes).for_each(|(job, outcome)| job.answer(outcome)),
            Err(cause) => {
                // Open a new connection next time: the state of this one is unknown.
                connection = None;
                // A job's own error does not count either: it may depend on another job that was rolled back.
                batch.into_iter().for_each(|job| job.answer(Err(Error::Unavailable(cause.clone()))));
            }
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
fn commit(connection: &mut Connection, batch: &mut [Box<dyn Job>]) -> Result<Vec<Result<(), Error>>, String> {
    let mut run = || {
        connection.batch_execute("BEGIN IMMEDIATE")?;
        let outcomes = batch.iter_mut().map(|job| in_savepoint(connection, &mut **job)).collect::<QueryResult<_>>()?;
        connection.batch_execute("COMMIT")?;
        Ok(outcomes)
    };
    run().map_err(|error: diesel::result::Error| error.to_string())
}

/// Fails only if the savepoint itself failed, and with it the batch.
fn in_savepoint(connection: &mut Connection, job: &mut dyn Job) -> QueryResult<Result<(), Error>> {
    connection.batch_execute("SAVEPOINT job")?;
    let outcome = job.run(connection, None);
    // SQLite rolls back the whole transaction on some errors, such as a full disk. Then the savepoint is gone and this
    // statement fails.
    connection.batch_execute(if outcome.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" })?;
    Ok(outcome)
}
