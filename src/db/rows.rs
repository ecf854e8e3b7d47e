//! Queries that are put together at run time, for lists whose columns, filters and order the caller chooses.
//!
//! SQL text comes from the program alone; whatever came from outside is a bound parameter.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Bool, Text, Timestamp};
use diesel::sqlite::Sqlite;
use serde_json::Value;

use super::connection::Connection;
use crate::schema::row_counts;

/// A piece of SQL that both databases read, with one value for each `?` in it.
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
    /// Yes or no.
    Flag(bool),
    /// A time, in UTC.
    Time(NaiveDateTime),
    /// Any of these numbers: `id IN ?`.
    Integers(Vec<i64>),
    /// Any of these texts: `name IN ?`.
    Texts(Vec<String>),
}

impl From<i64> for Bind {
    fn from(value: i64) -> Bind {
        Bind::Integer(value)
    }
}

impl From<NaiveDateTime> for Bind {
    fn from(value: NaiveDateTime) -> Bind {
        Bind::Time(value)
    }
}

impl From<Vec<i64>> for Bind {
    fn from(values: Vec<i64>) -> Bind {
        Bind::Integers(values)
    }
}

impl From<Vec<String>> for Bind {
    fn from(values: Vec<String>) -> Bind {
        Bind::Texts(values)
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

    /// The query for SQLite, which takes a list as JSON.
    fn for_sqlite(self) -> BoxedSqlQuery<'static, Sqlite, SqlQuery> {
        let is_list = |value: &Bind| matches!(value, Bind::Integers(_) | Bind::Texts(_));
        let text = if self.values.iter().any(is_list) {
            let list =
                |_, value: &Bind| if is_list(value) { "(SELECT value FROM json_each(?))" } else { "?" }.to_owned();
            self.with_places(list)
        } else {
            self.text
        };
        let query = diesel::sql_query(text).into_boxed::<Sqlite>();
        self.values.into_iter().fold(query, |query, value| match value {
            Bind::Text(text) => query.bind::<Text, _>(text),
            Bind::Integer(number) => query.bind::<BigInt, _>(number),
            Bind::Flag(flag) => query.bind::<Bool, _>(flag),
            Bind::Time(time) => query.bind::<Timestamp, _>(time),
            Bind::Integers(numbers) => query.bind::<Text, _>(Value::from(numbers).to_string()),
            Bind::Texts(texts) => query.bind::<Text, _>(Value::from(texts).to_string()),
        })
    }

    /// The query for PostgreSQL, which numbers its parameters.
    #[cfg(feature = "postgres")]
    fn for_postgres(self) -> BoxedSqlQuery<'static, diesel::pg::Pg, SqlQuery> {
        use diesel::sql_types::Array;
        let text = self.with_places(|number, value| match value {
            Bind::Integers(_) | Bind::Texts(_) => format!("(SELECT unnest(${number}))"),
            _ => format!("${number}"),
        });
        let query = diesel::sql_query(text).into_boxed::<diesel::pg::Pg>();
        self.values.into_iter().fold(query, |query, value| match value {
            // No text of PostgreSQL has a NUL, and none is found by what stands here in its place.
            Bind::Text(text) => query.bind::<Text, _>(text.replace('\0', "\u{fffd}")),
            Bind::Integer(number) => query.bind::<BigInt, _>(number),
            Bind::Flag(flag) => query.bind::<Bool, _>(flag),
            Bind::Time(time) => query.bind::<Timestamp, _>(time),
            Bind::Integers(numbers) => query.bind::<Array<BigInt>, _>(numbers),
            Bind::Texts(texts) => query.bind::<Array<Text>, _>(texts),
        })
    }

    /// The text with something else in the place of each `?`: by its number, from 1, and its value.
    fn with_places(&self, place: impl Fn(usize, &Bind) -> String) -> String {
        let mut values = self.values.iter().enumerate();
        let mut text = String::with_capacity(self.text.len() + 16);
        for (number, piece) in self.text.split('?').enumerate() {
            if number > 0 {
                text.push_str(&values.next().map_or("?".to_owned(), |(at, value)| place(at + 1, value)));
            }
            text.push_str(piece);
        }
        text
    }

    fn load(self, conn: &mut Connection) -> QueryResult<Vec<Row>> {
        match conn {
            Connection::Sqlite(conn) => self.for_sqlite().load(conn),
            #[cfg(feature = "postgres")]
            Connection::Postgres(conn) => self.for_postgres().load(conn),
        }
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

/// The functions that make JSON of a row's values, and of all values of a column.
fn json_functions(conn: &Connection) -> (&'static str, &'static str) {
    match conn {
        Connection::Sqlite(_) => ("json_array", "json_group_array"),
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => ("json_build_array", "json_agg"),
    }
}

/// Runs `SELECT columns rest` and returns each row as JSON values: numbers, texts, nulls. Booleans are 0
/// or 1, times are texts.
pub fn select(conn: &mut Connection, columns: &[&str], rest: Sql) -> QueryResult<Vec<Vec<Value>>> {
    let (array, _) = json_functions(conn);
    // PostgreSQL's JSON is no text by itself; the cast changes nothing for SQLite.
    let text = format!("SELECT CAST({array}({}) AS TEXT) AS row {}", columns.join(", "), rest.text);
    let rows = Sql { text, values: rest.values }.load(conn)?;
    rows.iter().map(|row| Ok(parse::<Vec<Value>>(&row.row)?.into_iter().map(without_bool).collect())).collect()
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> QueryResult<T> {
    serde_json::from_str(json).map_err(|error| diesel::result::Error::DeserializationError(error.into()))
}

fn without_bool(value: Value) -> Value {
    match value {
        Value::Bool(flag) => i64::from(flag).into(),
        value => value,
    }
}

/// The ids of the rows of `SELECT id rest`.
pub fn ids(conn: &mut Connection, rest: Sql) -> QueryResult<Vec<i64>> {
    let (_, group) = json_functions(conn);
    let text = format!("SELECT coalesce(CAST({group}(id) AS TEXT), '[]') AS row FROM (SELECT id {}) AS ids", rest.text);
    let rows = Sql { text, values: rest.values }.load(conn)?;
    rows.first().map_or(Ok(Vec::new()), |row| parse(&row.row))
}

/// The one whole number that `SELECT expression rest` gives; 0 where there is no row.
pub fn number(conn: &mut Connection, expression: &str, rest: Sql) -> QueryResult<i64> {
    let rows = select(conn, &[expression], rest)?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_i64).unwrap_or(0))
}

/// How many rows a table has, where triggers keep that number.
pub fn kept_count(conn: &mut Connection, table: &str) -> QueryResult<Option<i64>> {
    let of_table = row_counts::table.filter(row_counts::table_name.eq(table)).select(row_counts::row_count);
    // PostgreSQL keeps several, which make the number together.
    let counts: Vec<i64> = of_table.load(conn)?;
    Ok((!counts.is_empty()).then(|| counts.iter().sum()))
}

/// Runs a statement that changes rows, and tells how many.
pub fn execute(conn: &mut Connection, statement: Sql) -> QueryResult<usize> {
    match conn {
        Connection::Sqlite(conn) => statement.for_sqlite().execute(conn),
        #[cfg(feature = "postgres")]
        Connection::Postgres(conn) => statement.for_postgres().execute(conn),
    }
}
