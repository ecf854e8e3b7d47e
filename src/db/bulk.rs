//! Bulk access to any table, with values as the database stores them: reads stream, inserts run in batches.

use chrono::{NaiveDateTime, SubsecRound};
use diesel::deserialize::{FromSql, QueryableByName, Result as Read};
use diesel::prelude::*;
use diesel::result::Error;
use diesel::row::{Field, NamedRow};
use diesel::sql_types::{BigInt, Binary, Bool, Double, Text, Timestamp};
use diesel::sqlite::{Sqlite, SqliteType};

use super::any_connection::Backend;
use super::connection::Connection;
use super::rows::{self, Sql};

/// Per statement; both databases allow more.
const PARAMETERS: usize = 8_000;
/// A batch is inserted at this size, so that large rows do not fill the memory.
const BYTES: usize = 1 << 20;

/// SQLite has no boolean or timestamp type: it stores integers and text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Integer(i64),
    Double(f64),
    Flag(bool),
    Text(String),
    Time(NaiveDateTime),
    Binary(Vec<u8>),
}

impl Value {
    fn bytes(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Binary(bytes) => bytes.len(),
            _ => 8,
        }
    }
}

impl From<rows::Value> for Value {
    fn from(value: rows::Value) -> Value {
        match value {
            rows::Value::Text(text) => Value::Text(text),
            rows::Value::Integer(number) => Value::Integer(number),
            rows::Value::Boolean(flag) => Value::Flag(flag),
            rows::Value::DateTime(time) => Value::Time(time),
            // No column holds a list.
            rows::Value::Null | rows::Value::Integers(_) | rows::Value::Texts(_) => Value::Null,
        }
    }
}

pub struct BulkRow(pub Vec<Value>);

impl QueryableByName<Sqlite> for BulkRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> Read<BulkRow> {
        values(row, |value| match value.value_type() {
            None => Ok(Value::Null),
            Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
                FromSql::<BigInt, Sqlite>::from_sql(value).map(Value::Integer)
            }
            Some(SqliteType::Float | SqliteType::Double) => {
                FromSql::<Double, Sqlite>::from_sql(value).map(Value::Double)
            }
            Some(SqliteType::Text) => FromSql::<Text, Sqlite>::from_sql(value).map(Value::Text),
            Some(SqliteType::Binary) => FromSql::<Binary, Sqlite>::from_sql(value).map(Value::Binary),
        })
    }
}

#[cfg(feature = "postgres")]
impl QueryableByName<diesel::pg::Pg> for BulkRow {
    fn build<'a>(row: &impl NamedRow<'a, diesel::pg::Pg>) -> Read<BulkRow> {
        use diesel::pg::Pg;
        use diesel::sql_types::{Float, Integer, SmallInt};
        // The fixed type OIDs of PostgreSQL's `pg_type.dat`.
        values(row, |value| match value.get_oid().get() {
            16 => FromSql::<Bool, Pg>::from_sql(value).map(Value::Flag),
            17 => FromSql::<Binary, Pg>::from_sql(value).map(Value::Binary),
            20 => FromSql::<BigInt, Pg>::from_sql(value).map(Value::Integer),
            21 => <i16 as FromSql<SmallInt, Pg>>::from_sql(value).map(|number| Value::Integer(number.into())),
            23 => <i32 as FromSql<Integer, Pg>>::from_sql(value).map(|number| Value::Integer(number.into())),
            25 | 1043 => FromSql::<Text, Pg>::from_sql(value).map(Value::Text),
            700 => <f32 as FromSql<Float, Pg>>::from_sql(value).map(|number| Value::Double(number.into())),
            701 => FromSql::<Double, Pg>::from_sql(value).map(Value::Double),
            1114 => FromSql::<Timestamp, Pg>::from_sql(value).map(Value::Time),
            oid => Err(format!("a column has an unsupported PostgreSQL type, OID {oid}").into()),
        })
    }
}

fn values<'a, 'r, DB: diesel::backend::Backend + 'r, R: NamedRow<'a, DB> + 'r>(
    row: &'r R,
    read: impl Fn(DB::RawValue<'_>) -> Read<Value>,
) -> Read<BulkRow> {
    let value = |place| match diesel::row::Row::get(row, place) {
        Some(field) => field.value().map_or(Ok(Value::Null), &read),
        None => Ok(Value::Null),
    };
    (0..row.field_count()).map(value).collect::<Read<_>>().map(BulkRow)
}

pub fn stream<E>(
    conn: &mut Connection,
    query: String,
    mut each: impl FnMut(QueryResult<BulkRow>) -> Result<(), E>,
) -> Result<(), E> {
    let query = diesel::sql_query(query);
    match conn {
        Connection::Sqlite(conn) => match query.load_iter(conn) {
            Ok(mut rows) => rows.try_for_each(each),
            Err(error) => each(Err(error)),
        },
        #[cfg(feature = "postgres")]
        Connection::Postgres(conn) => match query.load_iter::<BulkRow, diesel::pg::PgRowByRowLoadingMode>(conn) {
            Ok(mut rows) => rows.try_for_each(each),
            Err(error) => each(Err(error)),
        },
    }
}

pub struct Inserter<'a> {
    conn: &'a mut Connection,
    table: &'a str,
    columns: &'a [String],
    types: Vec<String>,
    waiting: Vec<Value>,
    bytes: usize,
}

impl Inserter<'_> {
    pub fn new<'a>(conn: &'a mut Connection, table: &'a str, columns: &'a [String]) -> QueryResult<Inserter<'a>> {
        let types = types(conn, table, columns)?;
        Ok(Inserter { conn, table, columns, types, waiting: Vec::new(), bytes: 0 })
    }

    /// Errors name the table, column and row.
    pub fn add(&mut self, row: BulkRow) -> QueryResult<()> {
        let first = row.0.first().cloned();
        for (place, value) in row.0.into_iter().enumerate() {
            let value = fit(value, self.types.get(place).map(String::as_str)).map_err(|problem| {
                let column = self.columns.get(place).map_or("", String::as_str);
                let key = self.columns.first().map_or("", String::as_str);
                let of = match &first {
                    Some(Value::Integer(id)) => format!("{key} {id}"),
                    Some(Value::Text(text)) => format!("{key} {}", text.escape_debug()),
                    _ => "a row".to_owned(),
                };
                Error::SerializationError(format!("{}.{column} of {of} {problem}", self.table).into())
            })?;
            self.bytes += value.bytes();
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
        let text = insertion(self.conn, self.table, self.columns, &values);
        let query = diesel::sql_query(text).into_boxed::<Backend>();
        let query = values.into_iter().fold(query, |query, value| match value {
            Value::Null => query,
            Value::Integer(number) => query.bind::<BigInt, _>(number),
            Value::Double(number) => query.bind::<Double, _>(number),
            Value::Flag(flag) => query.bind::<Bool, _>(flag),
            Value::Text(text) => query.bind::<Text, _>(text),
            Value::Time(time) => query.bind::<Timestamp, _>(time),
            Value::Binary(bytes) => query.bind::<Binary, _>(bytes),
        });
        query.execute(self.conn).map(drop)
    }
}

/// NULL is a literal because a parameter needs a type.
fn insertion(conn: &Connection, table: &str, columns: &[String], values: &[Value]) -> String {
    let mut text = format!("INSERT INTO \"{table}\" ({}) VALUES ", quoted(columns));
    let is_numbered = !matches!(conn, Connection::Sqlite(_));
    let mut parameters = 0;
    for (place, value) in values.iter().enumerate() {
        text.push_str(match place % columns.len() {
            0 if place == 0 => "(",
            0 => "), (",
            _ => ", ",
        });
        if *value == Value::Null {
            text.push_str("NULL");
        } else if is_numbered {
            parameters += 1;
            text.push_str(&format!("${parameters}"));
        } else {
            text.push('?');
        }
    }
    text.push(')');
    text
}

pub fn quoted(columns: &[String]) -> String {
    columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
}

/// PostgreSQL's type names of the columns; empty on SQLite, which accepts any value.
fn types(conn: &mut Connection, table: &str, columns: &[String]) -> QueryResult<Vec<String>> {
    if matches!(conn, Connection::Sqlite(_)) {
        return Ok(Vec::new());
    }
    let mut rest = Sql::new("FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(?)) AND attnum > 0");
    rest.bind(table);
    let rows = rows::select(conn, &["attname", "format_type(atttypid, NULL)"], rest)?;
    let type_of = |column: &String| {
        let row = rows.iter().find(|row| row.first().and_then(|name| name.as_str()) == Some(column));
        row.and_then(|row| row.get(1)?.as_str()).unwrap_or_default().to_owned()
    };
    Ok(columns.iter().map(type_of).collect())
}

fn fit(value: Value, postgres_type: Option<&str>) -> Result<Value, &'static str> {
    match (value, postgres_type) {
        (Value::Double(number), None) if number.is_nan() => Err("is NaN, which SQLite would store as NULL"),
        (value, None) => Ok(value),
        (Value::Integer(number @ 0..=1), Some("boolean")) => Ok(Value::Flag(number == 1)),
        (Value::Text(text), Some("timestamp without time zone")) => {
            // PostgreSQL stores microseconds.
            let time = text.replacen(' ', "T", 1).parse::<NaiveDateTime>().map_err(|_| "is not a time")?;
            Ok(Value::Time(time.trunc_subsecs(6)))
        }
        (Value::Text(text), _) if text.contains('\0') => {
            Err("contains a NUL character (U+0000), which PostgreSQL text cannot hold")
        }
        (value, _) => Ok(value),
    }
}
