//! Deletes rows that are past their retention period, in the background.

use std::time::Duration;

use diesel::QueryResult;

use crate::db::{Connection, Db};
use crate::error::Error;

const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Rows deleted per transaction. Other writes wait for it.
const CHUNK: i64 = 100;

#[derive(Clone, Copy)]
pub struct Expiring {
    /// The ids of expired rows, at most the given number.
    pub expired: fn(&mut Connection, i64) -> QueryResult<Vec<i64>>,
    pub forget: fn(&mut Connection, &[i64]) -> QueryResult<usize>,
}

/// Runs now and every hour. Never returns.
pub async fn run(db: Db, all: &[Expiring]) {
    loop {
        for expiring in all {
            if let Err(error) = purge(&db, *expiring).await {
                log::warn!("expired rows could not be deleted: {}", error.logged());
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn purge(db: &Db, Expiring { expired, forget }: Expiring) -> Result<(), Error> {
    // Usually nothing has expired, so check with a read before using the writer.
    while db.read(move |conn| Ok(!expired(conn, 1)?.is_empty())).await? {
        let part = move |conn: &mut Connection| {
            let ids = expired(conn, CHUNK)?;
            Ok(forget(conn, &ids)?)
        };
        db.write(part).await?;
    }
    Ok(())
}
