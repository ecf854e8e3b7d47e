//! Rows of any table, read and written with SQL that is composed at run time.

mod sql;
mod value;

use diesel::QueryResult;
use diesel::result::Error;
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

/// [`select`] for any type that the database can write as JSON. Booleans become 0 or 1, times become text.
pub fn select_json(conn: &mut Connection, columns: &[&str], rest: Sql) -> QueryResult<Vec<Vec<Json>>> {
    let array = match conn {
        Connection::Sqlite(_) => "json_array",
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => "json_build_array",
    };
    // PostgreSQL's JSON type is not text. The cast has no effect on SQLite.
    let array = format!("CAST({array}({}) AS TEXT)", columns.join(", "));
    let without_bool = |value: Json| value.as_bool().map_or(value, |flag| i64::from(flag).into());
    let parse = |row: Vec<Value>| {
        let json = row.first().and_then(Value::as_str).unwrap_or_default();
        let values: Vec<Json> =
            serde_json::from_str(json).map_err(|error| Error::DeserializationError(error.into()))?;
        Ok(values.into_iter().map(without_bool).collect())
    };
    select(conn, &[&array], rest)?.into_iter().map(parse).collect()
}

pub fn ids(conn: &mut Connection, rest: Sql) -> QueryResult<Vec<i64>> {
    let id = |row: &Vec<Value>| row.first().and_then(Value::as_i64);
    let no_id = || Error::DeserializationError("an id is not an integer".into());
    select(conn, &["id"], rest)?.iter().map(|row| id(row).ok_or_else(no_id)).collect()
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
