//! Bulk access to any table, with values as the database stores them: reads stream, inserts run in batches.

use chrono::{NaiveDateTime, SubsecRound};
use diesel::prelude::*;
use diesel::result::Error;

use super::connection::Connection;
use super::rows::{self, Sql, Value, Values};

/// Per statement; both databases allow more.
const PARAMETERS: usize = 8_000;
/// A batch is inserted at this size, so that large rows do not fill the memory.
const BYTES: usize = 1 << 20;

pub fn stream<E>(
    conn: &mut Connection,
    query: String,
    mut each: impl FnMut(QueryResult<Vec<Value>>) -> Result<(), E>,
) -> Result<(), E> {
    let query = diesel::sql_query(query);
    let mut each = |row: QueryResult<Values>| each(row.map(|Values(values)| values));
    match conn {
        Connection::Sqlite(conn) => match query.load_iter(conn) {
            Ok(mut rows) => rows.try_for_each(each),
            Err(error) => each(Err(error)),
        },
        #[cfg(feature = "postgres")]
        Connection::Postgres(conn) => match query.load_iter::<Values, diesel::pg::PgRowByRowLoadingMode>(conn) {
            Ok(mut rows) => rows.try_for_each(each),
            Err(error) => each(Err(error)),
        },
    }
}

/// Inserts rows of values for these columns.
pub fn insert<C: AsRef<str>>(
    conn: &mut Connection,
    table: &str,
    columns: &[C],
    rows: impl IntoIterator<Item = Vec<Value>>,
) -> QueryResult<()> {
    let mut inserter = Inserter::new(conn, table, columns)?;
    rows.into_iter().try_for_each(|row| inserter.add(row))?;
    inserter.flush()
}

pub struct Inserter<'a, C> {
    conn: &'a mut Connection,
    table: &'a str,
    columns: &'a [C],
    types: Vec<String>,
    waiting: Vec<Value>,
    bytes: usize,
}

impl<C: AsRef<str>> Inserter<'_, C> {
    pub fn new<'a>(conn: &'a mut Connection, table: &'a str, columns: &'a [C]) -> QueryResult<Inserter<'a, C>> {
        let types = types(conn, table, columns)?;
        Ok(Inserter { conn, table, columns, types, waiting: Vec::new(), bytes: 0 })
    }

    /// Errors name the table, column and row.
    pub fn add(&mut self, row: Vec<Value>) -> QueryResult<()> {
        let first = row.first().cloned();
        for (place, value) in row.into_iter().enumerate() {
            let value = fit(value, self.types.get(place).map(String::as_str)).map_err(|problem| {
                let column = self.columns.get(place).map_or("", C::as_ref);
                let key = self.columns.first().map_or("", C::as_ref);
                let of = match &first {
                    Some(Value::Integer(id)) => format!("{key} {id}"),
                    Some(Value::Text(text)) => format!("{key} {}", text.escape_debug()),
                    _ => "a row".to_owned(),
                };
                Error::SerializationError(format!("{}.{column} of {of} {problem}", self.table).into())
            })?;
            self.bytes += bytes(&value);
            self.waiting.push(value);
        }
        if self.bytes >= BYTES || self.waiting.len() + self.columns.len() > PARAMETERS { self.flush() } else { Ok(()) }
    }

    pub fn flush(&mut self) -> QueryResult<()> {
        let values = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        if values.is_empty() {
            return Ok(());
        }
        rows::execute(self.conn, insertion(self.table, self.columns, values)).map(drop)
    }
}

/// An INSERT of the values of one or more rows.
pub fn insertion(table: &str, columns: &[impl AsRef<str>], values: Vec<Value>) -> Sql {
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let rows = vec![row.as_str(); values.len() / columns.len()].join(", ");
    let mut statement = Sql::new(format!("INSERT INTO \"{table}\" ({}) VALUES {rows}", quoted(columns)));
    values.into_iter().for_each(|value| _ = statement.bind(value));
    statement
}

fn bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Binary(bytes) => bytes.len(),
        _ => 8,
    }
}

pub fn quoted(columns: &[impl AsRef<str>]) -> String {
    columns.iter().map(|column| format!("\"{}\"", column.as_ref())).collect::<Vec<_>>().join(", ")
}

/// PostgreSQL's type names of the columns; empty on SQLite, which accepts any value.
fn types(conn: &mut Connection, table: &str, columns: &[impl AsRef<str>]) -> QueryResult<Vec<String>> {
    if matches!(conn, Connection::Sqlite(_)) {
        return Ok(Vec::new());
    }
    let mut rest = Sql::new("FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(?)) AND attnum > 0");
    rest.bind(table);
    let rows = rows::select(conn, &["attname", "format_type(atttypid, NULL)"], rest)?;
    let type_of = |column: &str| {
        let row = rows.iter().find(|row| row.first().and_then(Value::as_str) == Some(column));
        row.and_then(|row| row.get(1)?.as_str()).unwrap_or_default().to_owned()
    };
    Ok(columns.iter().map(|column| type_of(column.as_ref())).collect())
}

fn fit(value: Value, postgres_type: Option<&str>) -> Result<Value, &'static str> {
    match (value, postgres_type) {
        (Value::Double(number), None) if number.is_nan() => Err("is NaN, which SQLite would store as NULL"),
        (value, None) => Ok(value),
        (Value::Integer(number @ 0..=1), Some("boolean")) => Ok(Value::Boolean(number == 1)),
        (Value::Text(text), Some("timestamp without time zone")) => {
            // PostgreSQL stores microseconds.
            let time = text.replacen(' ', "T", 1).parse::<NaiveDateTime>().map_err(|_| "is not a time")?;
            Ok(Value::DateTime(time.trunc_subsecs(6)))
        }
        (Value::Text(text), _) if text.contains('\0') => {
            Err("contains a NUL character (U+0000), which PostgreSQL text cannot hold")
        }
        (value, _) => Ok(value),
    }
}
