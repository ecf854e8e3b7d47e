//! Deletes for good what is kept for a time only, whether or not anybody uses the server.

use std::time::Duration;

use diesel::QueryResult;

use crate::db::{Connection, Db};
use crate::error::Error;

/// How often it is looked for.
const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Rows that one transaction takes: the others who write wait for it.
const CHUNK: i64 = 100;

/// Something that expires.
#[derive(Clone, Copy)]
pub struct Expiring {
    /// The ids of rows whose time is over, at most so many.
    pub expired: fn(&mut Connection, i64) -> QueryResult<Vec<i64>>,
    /// Deletes them.
    pub forget: fn(&mut Connection, &[i64]) -> QueryResult<usize>,
}

/// Deletes what has expired, now and every hour. Never ends by itself.
pub async fn run(db: Db, all: &[Expiring]) {
    loop {
        for expiring in all {
            if let Err(error) = purge(&db, *expiring).await {
                log::warn!("what has expired stays: {}", error.cause().unwrap_or_default().escape_debug());
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn purge(db: &Db, Expiring { expired, forget }: Expiring) -> Result<(), Error> {
    // Mostly there is nothing: that takes no turn of the writer's.
    while db.read(move |conn| Ok(!expired(conn, 1)?.is_empty())).await? {
        let part = move |conn: &mut Connection| {
            let ids = expired(conn, CHUNK)?;
            Ok(forget(conn, &ids)?)
        };
        db.write(part).await?;
    }
    Ok(())
}
