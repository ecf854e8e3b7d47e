//! Deletes for good what is kept for a time only, whether or not anybody uses the server: deleted rows that
//! could be brought back, and files of imports.

use std::time::Duration;

use diesel::QueryResult;

use crate::admin::import;
use crate::db::{Connection, Db};
use crate::deleted_rows;
use crate::error::Error;

/// How often it is looked for.
const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Rows that one transaction takes: the others who write wait for it.
const CHUNK: i64 = 100;

/// Something that expires.
#[derive(Clone, Copy)]
struct Kept {
    /// The ids of rows whose time is over, at most so many.
    expired: fn(&mut Connection, i64) -> QueryResult<Vec<i64>>,
    /// Deletes them.
    forget: fn(&mut Connection, &[i64]) -> QueryResult<usize>,
}

const ALL: &[Kept] = &[
    Kept { expired: deleted_rows::expired, forget: deleted_rows::forget },
    Kept { expired: import::job::expired, forget: import::job::forget },
];

/// Deletes what has expired, now and every hour. Never ends by itself.
pub async fn run(db: Db) {
    loop {
        for kept in ALL {
            if let Err(error) = purge(&db, *kept).await {
                log::warn!("what has expired stays: {}", error.cause().unwrap_or_default().escape_debug());
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn purge(db: &Db, Kept { expired, forget }: Kept) -> Result<(), Error> {
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
