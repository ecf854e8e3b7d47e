//! Rows in an order, beginning at a place in it: a page in the middle costs what the first one costs, and rows that come
//! or go meanwhile shift nothing.

use diesel::QueryResult;

use super::Connection;
use super::rows::{self, Sql, Value};

/// A column that orders rows.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// SQL of what is compared, never NULL.
    pub sql: &'a str,
    /// From the greatest to the least.
    pub descending: bool,
}

/// Which rows are fetched, and in what order.
#[derive(Clone, Debug)]
pub struct Scan<'a> {
    /// The table.
    pub table: &'a str,
    /// SQL of the values that are read.
    pub columns: &'a [&'a str],
    /// The condition for the rows.
    pub condition: Sql,
    /// The order. No two rows have the same place in it: the last column is unique.
    pub order: &'a [Order<'a>],
    /// The values of the order beyond which the rows are; `None`: all rows.
    pub from: Option<&'a [Value]>,
    /// Against the order.
    pub backwards: bool,
    /// The most rows.
    pub limit: i64,
    /// Whether connections keep the prepared statements: see [`Sql::kept`].
    pub is_kept: bool,
}

/// Fetches the rows.
///
/// The rows beyond a place are those that are beyond it by the last column and equal in all before it, then those beyond
/// it by the column before, and so on. Each of these steps is a statement of its own: for SQLite that is a range of
/// an index, which an OR of them is not.
pub fn fetch(conn: &mut Connection, scan: &Scan) -> QueryResult<Vec<Vec<Value>>> {
    let steps = match scan.from {
        None => vec![Sql::all([])],
        Some(from) => (1..=scan.order.len()).rev().map(|columns| beyond(scan, columns, from)).collect(),
    };
    let mut found = Vec::new();
    for step in steps {
        let left = scan.limit - found.len() as i64;
        if left > 0 {
            found.extend(rows::load(conn, statement(scan, step, left))?);
        }
    }
    Ok(found)
}

fn statement(scan: &Scan, step: Sql, limit: i64) -> Sql {
    let by: Vec<String> = scan.order.iter().map(|order| format!("{} {}", order.sql, direction(scan, order))).collect();
    let mut statement = Sql::new(format!("SELECT {} FROM {} WHERE ", scan.columns.join(", "), scan.table));
    statement.append(Sql::all([step, scan.condition.clone()]));
    statement.push(&format!(" ORDER BY {} LIMIT ?", by.join(", "))).bind(limit);
    if scan.is_kept { statement.kept() } else { statement }
}

fn is_descending(scan: &Scan, order: &Order) -> bool {
    order.descending != scan.backwards
}

fn direction(scan: &Scan, order: &Order) -> &'static str {
    if is_descending(scan, order) { "DESC" } else { "ASC" }
}

/// Equal in the first columns but the last of them, and beyond the place in that one.
fn beyond(scan: &Scan, columns: usize, place: &[Value]) -> Sql {
    let conditions = scan.order.iter().zip(place).take(columns).enumerate().map(|(at, (order, value))| {
        let comparison = match is_descending(scan, order) {
            _ if at + 1 < columns => "=",
            true => "<",
            false => ">",
        };
        let mut condition = Sql::new(format!("{} {comparison} ?", order.sql));
        condition.bind(value.clone());
        condition
    });
    Sql::all(conditions)
}
