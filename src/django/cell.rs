//! [`Cell`]: a value as a source has it.

use crate::db::rows::Value;

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The source has no such column.
    Missing,
    Null,
    Integer(i64),
    Text(String),
    /// A BLOB, invalid UTF-8, a fraction, ...
    Other,
}

impl From<Value> for Cell {
    fn from(value: Value) -> Cell {
        match value {
            Value::Null => Cell::Null,
            Value::Integer(number) => Cell::Integer(number),
            Value::Boolean(flag) => Cell::Integer(flag.into()),
            Value::Text(text) => Cell::Text(text),
            Value::Binary(bytes) => String::from_utf8(bytes).map_or(Cell::Other, Cell::Text),
            Value::Double(_) | Value::DateTime(_) | Value::Integers(_) | Value::Texts(_) => Cell::Other,
        }
    }
}

impl Cell {
    pub fn text(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Cell::Missing | Cell::Null) || self.text() == Some("")
    }

    /// A primary key, or a reference to one.
    pub fn key(&self) -> Option<String> {
        match self {
            Cell::Integer(number) => Some(number.to_string()),
            Cell::Text(text) if !text.is_empty() && !text.contains('\0') => Some(text.clone()),
            _ => None,
        }
    }

    /// A primary key that a row can have here, too.
    pub fn id(&self) -> Option<i64> {
        self.integer().filter(|id| (1..i64::MAX).contains(id))
    }

    pub fn integer(&self) -> Option<i64> {
        match self {
            Cell::Integer(number) => Some(*number),
            Cell::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// As Django reads a boolean column.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Cell::Integer(number) => Some(*number != 0),
            Cell::Text(text) => match text.as_str() {
                "true" | "t" | "1" => Some(true),
                "false" | "f" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// For reports: a terminal must not obey it.
    pub fn shown(&self) -> String {
        match self {
            Cell::Text(text) => text.chars().take(200).collect::<String>().escape_debug().to_string(),
            Cell::Integer(number) => number.to_string(),
            Cell::Missing | Cell::Null => String::new(),
            Cell::Other => "no text".to_owned(),
        }
    }
}
