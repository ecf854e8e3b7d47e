//! [`Value`]: a value of any type that the tables have, as either database reads it.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::backend::Backend;
use diesel::deserialize::{FromSql, QueryableByName, Result as Read};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Binary, Double, Text};
use diesel::sqlite::{Sqlite, SqliteType};

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Integer(i64),
    /// SQLite has no such type and returns 0 or 1.
    Boolean(bool),
    /// In UTC. SQLite has no such type and returns text, see [`parse_time`].
    DateTime(NaiveDateTime),
    Double(f64),
    Binary(Vec<u8>),
    /// For `IN ?`; no column holds a list.
    Integers(Vec<i64>),
    Texts(Vec<String>),
}

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

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
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

/// A row.
pub(in crate::db) struct Values(pub Vec<Value>);

impl QueryableByName<Sqlite> for Values {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> Read<Values> {
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
impl QueryableByName<diesel::pg::Pg> for Values {
    fn build<'a>(row: &impl NamedRow<'a, diesel::pg::Pg>) -> Read<Values> {
        use diesel::pg::Pg;
        use diesel::sql_types::{Bool, Float, Integer, SmallInt, Timestamp};
        // The fixed type OIDs of PostgreSQL's `pg_type.dat`.
        values(row, |value| match value.get_oid().get() {
            16 => FromSql::<Bool, Pg>::from_sql(value).map(Value::Boolean),
            17 => FromSql::<Binary, Pg>::from_sql(value).map(Value::Binary),
            19 | 25 | 705 | 1042 | 1043 => FromSql::<Text, Pg>::from_sql(value).map(Value::Text),
            20 => FromSql::<BigInt, Pg>::from_sql(value).map(Value::Integer),
            21 => <i16 as FromSql<SmallInt, Pg>>::from_sql(value).map(|number| Value::Integer(number.into())),
            23 => <i32 as FromSql<Integer, Pg>>::from_sql(value).map(|number| Value::Integer(number.into())),
            700 => <f32 as FromSql<Float, Pg>>::from_sql(value).map(|number| Value::Double(number.into())),
            701 => FromSql::<Double, Pg>::from_sql(value).map(Value::Double),
            1114 => FromSql::<Timestamp, Pg>::from_sql(value).map(Value::DateTime),
            oid => Err(format!("a column has an unsupported PostgreSQL type, OID {oid}").into()),
        })
    }
}

fn values<'a, 'r, DB: Backend + 'r, R: NamedRow<'a, DB> + 'r>(
    row: &'r R,
    read: impl Fn(DB::RawValue<'_>) -> Read<Value>,
) -> Read<Values> {
    let value = |at| match Row::get(row, at) {
        Some(field) => field.value().map_or(Ok(Value::Null), &read),
        None => Ok(Value::Null),
    };
    (0..row.field_count()).map(value).collect::<Read<_>>().map(Values)
}
