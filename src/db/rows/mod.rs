//! Rows of any table, read and written with SQL that is composed at run time.

mod sql;
mod value;

use diesel::QueryResult;
use serde_json::Value as Json;

pub use self::sql::Sql;
pub(super) use self::value::Values;
pub use self::value::{Value, parse_time};
use super::connection::Connection;

pub type Bind = Value;

pub fn load(conn: &mut Connection, statement: Sql) -> QueryResult<Vec<Vec<Value>>> {
    Ok(statement.load(conn)?.into_iter().map(|Values(values)| values).collect())
}

/// Runs `SELECT columns rest`.
pub fn select(conn: &mut Connection, columns: &[&str], rest: Sql) -> QueryResult<Vec<Vec<Value>>> {
    let mut statement = Sql::new(format!("SELECT {} ", columns.join(", ")));
    statement.append(rest);
    load(conn, statement)
}

/// [`select`] as JSON. Booleans become 0 or 1, times become text.
pub fn select_json(conn: &mut Connection, columns: &[&str], rest: Sql) -> QueryResult<Vec<Vec<Json>>> {
    let json = |value| match value {
        Value::Text(text) => Json::from(text),
        Value::Integer(number) => number.into(),
        Value::Boolean(flag) => i64::from(flag).into(),
        Value::DateTime(time) => time.to_string().into(),
        Value::Double(number) => number.into(),
        Value::Null | Value::Binary(_) | Value::Integers(_) | Value::Texts(_) => Json::Null,
    };
    Ok(select(conn, columns, rest)?.into_iter().map(|row| row.into_iter().map(json).collect()).collect())
}

pub fn ids(conn: &mut Connection, rest: Sql) -> QueryResult<Vec<i64>> {
    Ok(select(conn, &["id"], rest)?.iter().filter_map(|row| row.first()?.as_i64()).collect())
}

/// Runs `SELECT expression rest`; 0 if there is no row.
pub fn number(conn: &mut Connection, expression: &str, rest: Sql) -> QueryResult<i64> {
    let rows = select(conn, &[expression], rest)?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_i64).unwrap_or(0))
}

/// Columns of one statement. PostgreSQL takes 1,664.
const MOST_COLUMNS: usize = 1_000;

/// Runs `SELECT (query), (query), …`: one statement for many values.
pub fn scalars(conn: &mut Connection, queries: &[Sql]) -> QueryResult<Vec<Value>> {
    let mut values = Vec::new();
    for queries in queries.chunks(MOST_COLUMNS) {
        let mut statement = Sql::new("SELECT ");
        for (number, query) in queries.iter().enumerate() {
            statement.push(if number > 0 { ", (" } else { "(" }).append(query.clone()).push(")");
        }
        values.extend(load(conn, statement)?.pop().unwrap_or_default());
    }
    Ok(values)
}

/// Counted by triggers. PostgreSQL has several counters per table.
const KEPT_COUNT: &str = "SELECT CAST(sum(row_count) AS BIGINT) FROM row_counts WHERE table_name =";

/// [`kept_count`] as a column; NULL for tables without triggers.
pub fn kept_count_of(table: &str) -> String {
    format!("({KEPT_COUNT} '{table}')")
}

/// `None` for tables without triggers.
pub fn kept_count(conn: &mut Connection, table: &str) -> QueryResult<Option<i64>> {
    let mut statement = Sql::new(format!("{KEPT_COUNT} ?")).kept();
    statement.bind(table);
    Ok(load(conn, statement)?.first().and_then(|row| row.first()?.as_i64()))
}

pub fn execute(conn: &mut Connection, statement: Sql) -> QueryResult<usize> {
    statement.execute(conn)
}
