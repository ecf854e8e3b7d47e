//! What a field holds, as text and as JSON.

use chrono::{NaiveDateTime, Timelike};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

pub use crate::db::rows::Value;

use super::model::Kind;

/// A value as the database returned it, in the type that the field says. SQLite has neither booleans nor times.
pub fn typed(kind: Kind, value: Value) -> Value {
    match kind {
        Kind::Boolean => value.as_bool().map_or(Value::Null, Value::Boolean),
        Kind::DateTime => value.as_time().map_or(Value::Null, Value::DateTime),
        _ => value,
    }
}

/// A time as Django REST framework writes it: ISO 8601, with the fraction of a second where there is one.
pub fn iso_8601(time: NaiveDateTime) -> String {
    let format = match time.nanosecond() {
        0 => "%Y-%m-%dT%H:%M:%SZ",
        nanoseconds if nanoseconds % 1_000 == 0 => "%Y-%m-%dT%H:%M:%S%.6fZ",
        _ => "%Y-%m-%dT%H:%M:%S%.9fZ",
    };
    time.format(format).to_string()
}

/// A value as a text, from which [`Field::clean`](super::Field::clean) makes the same value again.
pub fn to_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::DateTime(time) => iso_8601(*time),
        Value::Null | Value::Integers(_) | Value::Texts(_) => String::new(),
    }
}

/// A value as JSON.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Boolean(flag) => (*flag).into(),
        Value::DateTime(time) => iso_8601(*time).into(),
        Value::Null | Value::Integers(_) | Value::Texts(_) => Json::Null,
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) => serializer.serialize_str(text),
            other => to_json(other).serialize(serializer),
        }
    }
}
