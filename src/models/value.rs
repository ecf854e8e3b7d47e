//! Field values as text and JSON.

use chrono::{NaiveDateTime, Timelike};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

pub use crate::db::rows::Value;

use super::model::Kind;

/// SQLite has neither booleans nor times, so their values are converted.
pub fn typed(kind: Kind, value: Value) -> Value {
    match kind {
        Kind::Boolean => value.as_bool().into(),
        Kind::DateTime => value.as_time().into(),
        _ => value,
    }
}

/// Django REST framework's format: ISO 8601, with fractional seconds if there are any.
pub fn iso_8601(time: NaiveDateTime) -> String {
    let format = match time.nanosecond() {
        0 => "%Y-%m-%dT%H:%M:%SZ",
        nanoseconds if nanoseconds % 1_000 == 0 => "%Y-%m-%dT%H:%M:%S%.6fZ",
        _ => "%Y-%m-%dT%H:%M:%S%.9fZ",
    };
    time.format(format).to_string()
}

/// [`Field::clean`](super::Field::clean) converts the text back to the same value.
pub fn to_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::DateTime(time) => iso_8601(*time),
        Value::Double(number) => number.to_string(),
        Value::Null | Value::Binary(_) | Value::Integers(_) | Value::Texts(_) => String::new(),
    }
}

pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Boolean(flag) => (*flag).into(),
        Value::DateTime(time) => iso_8601(*time).into(),
        Value::Double(number) => (*number).into(),
        Value::Null | Value::Binary(_) | Value::Integers(_) | Value::Texts(_) => Json::Null,
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
