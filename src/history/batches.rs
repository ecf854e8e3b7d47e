//! Changes that were made together.

use diesel::QueryResult;

use crate::db::Connection;
use crate::db::rows::{self, Sql, Value};

/// The smallest id from which on, up to `id`, every entry is of these batches. `id` is of one of them. It counts in the
/// index of batches, which takes milliseconds for a hundred thousand entries, and reads none of them.
pub fn start_of_run(conn: &mut Connection, batches: &[String], id: i64) -> QueryResult<i64> {
    let (mut low, mut start) = (first_id(conn, batches)?.min(id), id);
    // Several times as far after each success, so that a short run takes little. After a failure, by halves.
    let (mut ahead, mut has_failed) = (1_000, false);
    while low < start {
        let tried = if has_failed { low + (start - low) / 2 } else { low.max(start - ahead) };
        if entries_between(conn, batches, tried, start - 1)? == start - tried {
            start = tried;
            ahead *= 8;
        } else {
            low = tried + 1;
            has_failed = true;
        }
    }
    Ok(start)
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
        let mut count = Sql::new("SELECT count(*) FROM history WHERE batch = ? AND id BETWEEN ? AND ?");
        count.bind(batch.as_str()).bind(first).bind(last);
        count
    };
    let counts = rows::scalars(conn, &batches.iter().map(count).collect::<Vec<_>>())?;
    Ok(counts.iter().filter_map(Value::as_i64).sum())
}
