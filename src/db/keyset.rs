//! Keyset pagination: every page costs as much as the first, and changes between requests do not shift the pages.

use diesel::QueryResult;

use super::Connection;
use super::rows::{self, Sql, Value};

#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    pub sql: &'a str,
    pub descending: bool,
}

#[derive(Clone, Debug)]
pub struct Scan<'a> {
    pub table: &'a str,
    pub columns: &'a [&'a str],
    pub condition: Sql,
    /// The last column is unique, so no two rows have the same position.
    pub order: &'a [Order<'a>],
    /// Fetches only rows after this position, given as values of `order`.
    pub from: Option<&'a [Value]>,
    pub backwards: bool,
    pub limit: i64,
    pub is_kept: bool,
}

/// First come the rows that equal the position in all columns but the last, then those that equal it in one column
/// less, and so on. Each step is a statement of its own: SQLite answers each from an index range, but not all of them
/// joined by OR.
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
    // SQLite plans a statement with a bare `LIMIT ?` anew for each value, which takes a third of a short page's time.
    statement.push(&format!(" ORDER BY {} LIMIT ? + 0", by.join(", "))).bind(limit);
    if scan.is_kept { statement.kept() } else { statement }
}

fn is_descending(scan: &Scan, order: &Order) -> bool {
    order.descending != scan.backwards
}

fn direction(scan: &Scan, order: &Order) -> &'static str {
    if is_descending(scan, order) { "DESC" } else { "ASC" }
}

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
