//! SQL composed at run time, and its rows. Its text comes only from the program; all input is bound as parameters.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::backend::Backend;
use diesel::deserialize::{FromSql, QueryableByName};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Bool, Text, Timestamp, Untyped};
use diesel::sqlite::{Sqlite, SqliteType};
use serde_json::Value as Json;

use super::connection::Connection;

/// Text for both databases, with one value for each `?`.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
    is_kept: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Integer(i64),
    /// SQLite has no such type and returns 0 or 1.
    Boolean(bool),
    /// In UTC. SQLite has no such type and returns text, see [`parse_time`].
    DateTime(NaiveDateTime),
    Integers(Vec<i64>),
    Texts(Vec<String>),
}

pub type Bind = Value;

impl Value {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            Value::Boolean(flag) => Some((*flag).into()),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        self.as_i64().map(|number| number != 0)
    }

    pub fn as_time(&self) -> Option<NaiveDateTime> {
        match self {
            Value::DateTime(time) => Some(*time),
            Value::Text(text) => parse_time(text),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        *self == Value::Null
    }
}

/// `2026-11-22 17:30:00.123`, as SQLite stores it. chrono's parser is ten times slower, and lists have hundreds.
pub fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let number = |at: std::ops::Range<usize>| text.get(at)?.parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(text.get(0..4)?.parse().ok()?, number(5..7)?, number(8..10)?)?;
    let nanoseconds = match text.get(20..) {
        None => 0,
        Some(fraction) => format!("{fraction:0<9}").parse().ok()?,
    };
    date.and_hms_nano_opt(number(11..13)?, number(14..16)?, number(17..19)?, nanoseconds)
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Integer(value)
    }
}

impl From<NaiveDateTime> for Value {
    fn from(value: NaiveDateTime) -> Value {
        Value::DateTime(value)
    }
}

impl From<Vec<i64>> for Value {
    fn from(values: Vec<i64>) -> Value {
        Value::Integers(values)
    }
}

impl From<Vec<String>> for Value {
    fn from(values: Vec<String>) -> Value {
        Value::Texts(values)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Boolean(value)
    }
}

impl Sql {
    pub fn new(text: impl Into<String>) -> Sql {
        Sql { text: text.into(), ..Sql::default() }
    }

    /// Makes connections cache the prepared statement. They never evict it, so this is only for a few fixed texts.
    pub fn kept(self) -> Sql {
        Sql { is_kept: true, ..self }
    }

    /// Whether both are the same prepared statement: NULL is not a parameter of it.
    #[cfg(feature = "postgres")]
    pub(super) fn has_form_of(&self, other: &Sql) -> bool {
        let [own, others] = [self, other].map(|sql| sql.values.iter().map(Value::is_null));
        self.text == other.text && own.eq(others)
    }

    pub fn push(&mut self, text: &str) -> &mut Sql {
        self.text.push_str(text);
        self
    }

    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Sql {
        self.values.push(value.into());
        self
    }

    /// The text with a value for its next `?`.
    pub fn with(mut self, value: impl Into<Value>) -> Sql {
        self.bind(value);
        self
    }

    pub fn append(&mut self, other: Sql) -> &mut Sql {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
        self
    }

    pub fn all(conditions: impl IntoIterator<Item = Sql>) -> Sql {
        let mut all = Sql::new("1 = 1");
        for condition in conditions {
            all.push(" AND (").append(condition).push(")");
        }
        all
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    #[cfg(all(test, feature = "postgres"))]
    pub(super) fn prepared_text(self) -> String {
        let text = diesel::debug_query::<diesel::pg::Pg, _>(&for_postgres(self)).to_string();
        text.split_once(" -- binds").map_or(text.clone(), |(text, _)| text.to_owned())
    }

    fn load<T>(self, conn: &mut Connection) -> QueryResult<Vec<T>>
    where
        T: FromDatabases,
    {
        match conn {
            Connection::Sqlite(conn) => for_sqlite(self).load(conn),
            #[cfg(feature = "postgres")]
            Connection::Postgres(conn) => for_postgres(self).load(conn),
        }
    }

    /// Writes text and values alternately; `value` writes a value in the database's own way.
    fn walk<'b, DB: Backend>(
        &'b self,
        mut out: AstPass<'_, 'b, DB>,
        mut value: impl FnMut(AstPass<'_, 'b, DB>, &'b Value) -> QueryResult<()>,
    ) -> QueryResult<()> {
        if !self.is_kept {
            out.unsafe_to_cache_prepared();
        }
        let mut values = self.values.iter();
        for (number, piece) in self.text.split('?').enumerate() {
            if number > 0 {
                value(out.reborrow(), values.next().unwrap_or(&Value::Null))?;
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}

trait FromDatabases: QueryableByName<Sqlite> + FromPostgres + 'static {}
impl<T: QueryableByName<Sqlite> + FromPostgres + 'static> FromDatabases for T {}

#[cfg(not(feature = "postgres"))]
trait FromPostgres {}
#[cfg(not(feature = "postgres"))]
impl<T> FromPostgres for T {}
#[cfg(feature = "postgres")]
trait FromPostgres: QueryableByName<diesel::pg::Pg> {}
#[cfg(feature = "postgres")]
impl<T: QueryableByName<diesel::pg::Pg>> FromPostgres for T {}

struct Statement(Sql);

impl Query for Statement {
    type SqlType = Untyped;
}

impl QueryId for Statement {
    // The text identifies the statement.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> RunQueryDsl<C> for Statement {}

/// SQLite takes lists as JSON.
fn for_sqlite(mut sql: Sql) -> Statement {
    let is_list = |value: &Value| matches!(value, Value::Integers(_) | Value::Texts(_));
    if sql.values.iter().any(is_list) {
        let mut values = sql.values.iter();
        let mut text = String::with_capacity(sql.text.len() + 32);
        for (number, piece) in sql.text.split('?').enumerate() {
            if number > 0 {
                let is_list = values.next().is_some_and(is_list);
                text.push_str(if is_list { "(SELECT value FROM json_each(?))" } else { "?" });
            }
            text.push_str(piece);
        }
        sql.text = text;
        for value in &mut sql.values {
            match value {
                Value::Integers(numbers) => *value = Value::Text(Json::from(std::mem::take(numbers)).to_string()),
                Value::Texts(texts) => *value = Value::Text(Json::from(std::mem::take(texts)).to_string()),
                _ => {}
            }
        }
    }
    Statement(sql)
}

impl QueryFragment<Sqlite> for Statement {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk(out, |mut out, value| match value {
            Value::Text(text) => out.push_bind_param::<Text, _>(text),
            Value::Integer(number) => out.push_bind_param::<BigInt, _>(number),
            Value::Boolean(flag) => out.push_bind_param::<Bool, _>(flag),
            Value::DateTime(time) => out.push_bind_param::<Timestamp, _>(time),
            // `for_sqlite` has converted lists to text.
            Value::Null | Value::Integers(_) | Value::Texts(_) => {
                out.push_sql("NULL");
                Ok(())
            }
        })
    }
}

/// PostgreSQL's text cannot contain NUL. The replacement character matches no stored text.
#[cfg(feature = "postgres")]
fn for_postgres(mut sql: Sql) -> Statement {
    for value in &mut sql.values {
        if let Value::Text(text) = value
            && text.contains('\0')
        {
            *text = text.replace('\0', "\u{fffd}");
        }
    }
    Statement(sql)
}

#[cfg(feature = "postgres")]
impl QueryFragment<diesel::pg::Pg> for Statement {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        use diesel::sql_types::Array;
        self.0.walk(out, |mut out, value| match value {
            Value::Text(text) => out.push_bind_param::<Text, _>(text),
            Value::Integer(number) => out.push_bind_param::<BigInt, _>(number),
            Value::Boolean(flag) => out.push_bind_param::<Bool, _>(flag),
            Value::DateTime(time) => out.push_bind_param::<Timestamp, _>(time),
            // A parameter would need a type.
            Value::Null => {
                out.push_sql("NULL");
                Ok(())
            }
            Value::Integers(numbers) => {
                out.push_sql("(SELECT unnest(");
                out.push_bind_param::<Array<BigInt>, _>(numbers)?;
                out.push_sql("))");
                Ok(())
            }
            Value::Texts(texts) => {
                out.push_sql("(SELECT unnest(");
                out.push_bind_param::<Array<Text>, _>(texts)?;
                out.push_sql("))");
                Ok(())
            }
        })
    }
}

struct Values(Vec<Value>);

impl QueryableByName<Sqlite> for Values {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> diesel::deserialize::Result<Values> {
        let value = |at| {
            let Some(field) = Row::get(row, at) else { return Ok(Value::Null) };
            let Some(value) = field.value() else { return Ok(Value::Null) };
            Ok(match value.value_type() {
                None => Value::Null,
                Some(SqliteType::Text) => Value::Text(FromSql::<Text, Sqlite>::from_sql(value)?),
                Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
                    Value::Integer(FromSql::<BigInt, Sqlite>::from_sql(value)?)
                }
                Some(other) => return Err(format!("unsupported column type {other:?}").into()),
            })
        };
        (0..row.field_count()).map(value).collect::<Result<_, _>>().map(Values)
    }
}

#[cfg(feature = "postgres")]
impl QueryableByName<diesel::pg::Pg> for Values {
    fn build<'a>(row: &impl NamedRow<'a, diesel::pg::Pg>) -> diesel::deserialize::Result<Values> {
        use diesel::pg::Pg;
        use diesel::sql_types::{Integer, SmallInt};
        let value = |at| {
            let Some(field) = Row::get(row, at) else { return Ok(Value::Null) };
            let Some(value) = field.value() else { return Ok(Value::Null) };
            // The type OIDs of `pg_type`.
            Ok(match value.get_oid().get() {
                16 => Value::Boolean(FromSql::<Bool, Pg>::from_sql(value)?),
                19 | 25 | 705 | 1042 | 1043 => Value::Text(FromSql::<Text, Pg>::from_sql(value)?),
                20 => Value::Integer(FromSql::<BigInt, Pg>::from_sql(value)?),
                21 => Value::Integer(<i16 as FromSql<SmallInt, Pg>>::from_sql(value)?.into()),
                23 => Value::Integer(<i32 as FromSql<Integer, Pg>>::from_sql(value)?.into()),
                1114 => Value::DateTime(FromSql::<Timestamp, Pg>::from_sql(value)?),
                other => return Err(format!("unsupported column type, OID {other}").into()),
            })
        };
        (0..row.field_count()).map(value).collect::<Result<_, _>>().map(Values)
    }
}

#[derive(QueryableByName)]
struct JsonRow {
    #[diesel(sql_type = Text)]
    row: String,
}

fn json_functions(conn: &Connection) -> (&'static str, &'static str) {
    match conn {
        Connection::Sqlite(_) => ("json_array", "json_group_array"),
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => ("json_build_array", "json_agg"),
    }
}

pub fn load(conn: &mut Connection, statement: Sql) -> QueryResult<Vec<Vec<Value>>> {
    Ok(statement.load::<Values>(conn)?.into_iter().map(|Values(values)| values).collect())
}

/// Runs `SELECT columns rest`.
pub fn select(conn: &mut Connection, columns: &[&str], rest: Sql) -> QueryResult<Vec<Vec<Value>>> {
    let mut statement = Sql::new(format!("SELECT {} ", columns.join(", ")));
    statement.append(rest);
    load(conn, statement)
}

/// [`select`] for any type that JSON can represent. Booleans become 0 or 1, times become text.
pub fn select_json(conn: &mut Connection, columns: &[&str], rest: Sql) -> QueryResult<Vec<Vec<Json>>> {
    let (array, _) = json_functions(conn);
    // PostgreSQL's JSON type is not text. The cast has no effect on SQLite.
    let text = format!("SELECT CAST({array}({}) AS TEXT) AS row {}", columns.join(", "), rest.text);
    let rows = Sql { text, values: rest.values, is_kept: false }.load::<JsonRow>(conn)?;
    rows.iter().map(|row| Ok(parse::<Vec<Json>>(&row.row)?.into_iter().map(without_bool).collect())).collect()
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> QueryResult<T> {
    serde_json::from_str(json).map_err(|error| diesel::result::Error::DeserializationError(error.into()))
}

fn without_bool(value: Json) -> Json {
    match value {
        Json::Bool(flag) => i64::from(flag).into(),
        value => value,
    }
}

pub fn ids(conn: &mut Connection, rest: Sql) -> QueryResult<Vec<i64>> {
    let (_, group) = json_functions(conn);
    let text = format!("SELECT coalesce(CAST({group}(id) AS TEXT), '[]') AS row FROM (SELECT id {}) AS ids", rest.text);
    let rows = Sql { text, values: rest.values, is_kept: false }.load::<JsonRow>(conn)?;
    rows.first().map_or(Ok(Vec::new()), |row| parse(&row.row))
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
    match conn {
        Connection::Sqlite(conn) => for_sqlite(statement).execute(conn),
        #[cfg(feature = "postgres")]
        Connection::Postgres(conn) => for_postgres(statement).execute(conn),
    }
}
