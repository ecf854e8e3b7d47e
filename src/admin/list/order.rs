//! The order of a list, and a place in it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use crate::admin::model_admin::Show;
use crate::db::rows::Value;
use crate::models::value::to_json;

#[derive(Clone, Debug)]
pub struct Order {
    pub name: &'static str,
    pub sql: &'static str,
    pub kind: Show,
    pub descending: bool,
}

impl Order {
    pub fn by_id(descending: bool) -> Order {
        Order { name: "id", sql: "id", kind: Show::Number, descending }
    }

    /// A row's value, for comparisons with others. `None` if no row can have this value.
    pub fn bind(&self, value: &Value) -> Option<Value> {
        match (self.kind, value) {
            (Show::DateTime, value) => value.as_time().map(Value::DateTime),
            (Show::Boolean, value) => value.as_bool().map(Value::Boolean),
            (Show::Number | Show::ForeignKey(_) | Show::Count(_), Value::Integer(_)) => Some(value.clone()),
            (Show::Text | Show::Email | Show::Choice(_) | Show::Custom(_), Value::Text(_)) => Some(value.clone()),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    First,
    Last,
    After(Cursor),
    Before(Cursor),
}

/// A row's place. Any page costs as much as the first, and added or deleted rows do not shift it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// The number of rows up to and including this one, if known. For display only.
    pub number: Option<i64>,
    /// The row's values of [`full_order`](super::query::ChangeListQuery::full_order).
    pub values: Vec<Value>,
}

impl Place {
    pub fn parameter(&self) -> Option<(&'static str, String)> {
        match self {
            Place::First => None,
            Place::Last => Some(("last", "1".to_owned())),
            Place::After(cursor) => Some(("after", cursor.encode())),
            Place::Before(cursor) => Some(("before", cursor.encode())),
        }
    }
}

impl Cursor {
    /// base64url of a JSON list, the number first.
    fn encode(&self) -> String {
        let values = self.values.iter().map(|value| match value {
            Value::Boolean(flag) => Json::from(i64::from(*flag)),
            Value::DateTime(time) => Json::from(time.to_string()),
            other => to_json(other),
        });
        let list: Vec<Json> = std::iter::once(Json::from(self.number)).chain(values).collect();
        URL_SAFE_NO_PAD.encode(Json::from(list).to_string())
    }

    /// `None` if the text is not a cursor of this order.
    pub fn decode(text: &str, order: &[Order]) -> Option<Cursor> {
        let list: Vec<Json> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (number, values) = list.split_first().filter(|(_, values)| values.len() == order.len())?;
        let value = |value: &Json| match value {
            Json::String(text) => Some(Value::Text(text.clone())),
            value => value.as_i64().map(Value::Integer),
        };
        let values = values.iter().map(value).collect::<Option<Vec<_>>>()?;
        order.iter().zip(&values).try_for_each(|(order, value)| order.bind(value).map(drop))?;
        Some(Cursor { number: number.as_i64().filter(|number| *number > 0), values })
    }
}
