//! Changes that were made together. The ordinals of a batch's entries tell how many there are between two ids, so that
//! nobody reads a hundred thousand of them to know.

use diesel::QueryResult;

use crate::db::Connection;
use crate::db::rows::{self, Sql, Value};

/// For the next entry of a batch.
pub(super) const NEXT_ORDINAL: &str = "SELECT coalesce(max(ordinal), 0) + 1 FROM \
    (SELECT ordinal FROM history WHERE batch = ? ORDER BY id DESC LIMIT 1) AS last";
const LAST: &str = "SELECT ordinal FROM history WHERE batch = ? AND id <= ? ORDER BY id DESC LIMIT 1";
const FIRST: &str = "SELECT ordinal FROM history WHERE batch = ? AND id >= ? ORDER BY id LIMIT 1";

pub(super) fn next_ordinal(conn: &mut Connection, batch: &str) -> QueryResult<i64> {
    let mut next = Sql::new(NEXT_ORDINAL).kept();
    next.bind(batch);
    let row = rows::load(conn, next)?.pop();
    Ok(row.and_then(|row| row.first()?.as_i64()).unwrap_or(1))
}

/// The number of a batch's entries.
pub fn size(conn: &mut Connection, batch: &str) -> QueryResult<i64> {
    entries_between(conn, &[batch.to_owned()], 0, i64::MAX)
}

/// The smallest id from which on, up to `id`, every entry is of these batches. `id` is of one of them.
pub fn start_of_run(conn: &mut Connection, batches: &[String], id: i64) -> QueryResult<i64> {
    let (mut low, mut high) = (first_id(conn, batches)?.min(id), id);
    // Usually nothing was written between the entries of a batch, and the first try is right.
    let mut tried = low;
    while low < high {
        if entries_between(conn, batches, tried, id)? == id - tried + 1 {
            high = tried;
        } else {
            low = tried + 1;
        }
        tried = low + (high - low) / 2;
    }
    Ok(high)
}

/// The smallest id of batches.
pub fn first_id(conn: &mut Connection, batches: &[String]) -> QueryResult<i64> {
    let first = |batch: &String| {
        let mut first = Sql::new("SELECT min(id) FROM history WHERE batch = ?");
        first.bind(batch.as_str());
        first
    };
    let ids = rows::scalars(conn, &batches.iter().map(first).collect::<Vec<_>>())?;
    Ok(ids.iter().filter_map(Value::as_i64).min().unwrap_or(0))
}

fn entries_between(conn: &mut Connection, batches: &[String], first: i64, last: i64) -> QueryResult<i64> {
    let count = |batch: &String| {
        let mut count = Sql::new(format!("SELECT ({LAST}) - ({FIRST}) + 1"));
        count.bind(batch.as_str()).bind(last).bind(batch.as_str()).bind(first);
        count
    };
    let counts = rows::scalars(conn, &batches.iter().map(count).collect::<Vec<_>>())?;
    Ok(counts.iter().filter_map(Value::as_i64).sum())
}
