//! Queries that are put together at run time, for lists whose columns, filters and order the caller chooses.
//!
//! SQL text comes from the program alone; whatever came from outside is a bound parameter.

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use serde_json::Value;

use super::Connection;

/// A piece of SQL, with one value for each `?` in it.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    values: Vec<Bind>,
}

/// A value of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
}

impl From<i64> for Bind {
    fn from(value: i64) -> Bind {
        Bind::Integer(value)
    }
}

impl From<String> for Bind {
    fn from(value: String) -> Bind {
        Bind::Text(value)
    }
}

impl From<&str> for Bind {
    fn from(value: &str) -> Bind {
        Bind::Text(value.to_owned())
    }
}

impl Sql {
    /// A piece without values.
    pub fn new(text: impl Into<String>) -> Sql {
        Sql { text: text.into(), values: Vec::new() }
    }

    /// Adds text.
    pub fn push(&mut self, text: &str) -> &mut Sql {
        self.text.push_str(text);
        self
    }

    /// Adds the value of a `?` that the text has.
    pub fn bind(&mut self, value: impl Into<Bind>) -> &mut Sql {
        self.values.push(value.into());
        self
    }

    /// Adds another piece with its values.
    pub fn append(&mut self, other: Sql) -> &mut Sql {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
        self
    }

    /// Joins conditions by AND; none is a condition that always holds.
    pub fn all(conditions: impl IntoIterator<Item = Sql>) -> Sql {
        let mut all = Sql::new("1 = 1");
        for condition in conditions {
            all.push(" AND (").append(condition).push(")");
        }
        all
    }

    fn into_query(self) -> BoxedSqlQuery<'static, Sqlite, SqlQuery> {
        let query = diesel::sql_query(self.text).into_boxed::<Sqlite>();
        self.values.into_iter().fold(query, |query, value| match value {
            Bind::Text(text) => query.bind::<Text, _>(text),
            Bind::Integer(number) => query.bind::<BigInt, _>(number),
        })
    }

    /// The text, as the database gets it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

/// Runs `SELECT columns rest` and returns each row as JSON values: numbers, texts, nulls. Booleans are 0
/// or 1, times are texts.
pub fn select(conn: &mut Connection, columns: &[&str], rest: Sql) -> QueryResult<Vec<Vec<Value>>> {
    let text = format!("SELECT json_array({}) AS row {}", columns.join(", "), rest.text);
    let rows: Vec<Row> = Sql { text, values: rest.values }.into_query().load(conn)?;
    let parse = |row: &Row| serde_json::from_str(&row.row);
    rows.iter()
        .map(parse)
        .collect::<Result<_, _>>()
        .map_err(|error| diesel::result::Error::DeserializationError(error.into()))
}

/// The one whole number that `SELECT expression rest` gives; 0 where there is no row.
pub fn number(conn: &mut Connection, expression: &str, rest: Sql) -> QueryResult<i64> {
    let rows = select(conn, &[expression], rest)?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_i64).unwrap_or(0))
}

/// Runs a statement that changes rows, and tells how many.
pub fn execute(conn: &mut Connection, statement: Sql) -> QueryResult<usize> {
    statement.into_query().execute(conn)
}
