//! What a list shows of a row's values, and what a CSV file holds of them.

use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::Value;

use crate::admin::model_admin::{Cell, Column, Kind};

impl Column {
    /// The cell for the values of [`Column::sql`].
    pub fn cell(&self, values: &[Value]) -> Cell {
        let value = values.first().unwrap_or(&Value::Null);
        match self.kind {
            Kind::Text => text(value).map_or(Cell::Empty, Cell::Text),
            Kind::Number => value.as_i64().map_or(Cell::Empty, |number| Cell::Text(number.to_string())),
            Kind::Flag => Cell::Flag(value.as_i64() == Some(1)),
            Kind::Time => time(value).map_or(Cell::Empty, Cell::Time),
            Kind::Custom(cell) => cell(values),
        }
    }

    /// The class of the column's cells.
    pub fn class(&self, cell: &Cell) -> &'static str {
        match (&self.kind, cell) {
            (_, Cell::Flag(true)) => "yes",
            (_, Cell::Flag(false)) => "no",
            (Kind::Number, _) => "tight number",
            _ => "",
        }
    }
}

/// A text that is there.
pub fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A time as the database keeps it.
pub fn time(value: &Value) -> Option<NaiveDateTime> {
    parse_time(value.as_str()?)
}

/// Reads a time in SQLite's form, `2026-11-22 17:30:00.123`, or in PostgreSQL's, which has a `T` between date and
/// time. A list has hundreds of them, and chrono's own parser takes ten times as long.
pub fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let number = |at: Range<usize>| text.get(at)?.parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(text.get(0..4)?.parse().ok()?, number(5..7)?, number(8..10)?)?;
    let nanoseconds = match text.get(20..) {
        None => 0,
        Some(fraction) => format!("{fraction:0<9}").parse().ok()?,
    };
    date.and_hms_nano_opt(number(11..13)?, number(14..16)?, number(17..19)?, nanoseconds)
}

impl Cell {
    /// The cell without its looks; times in ISO 8601, UTC.
    pub fn plain(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(text) | Cell::Code(text) | Cell::Link(_, text) | Cell::Badge(_, text, _) => text.clone(),
            Cell::Flag(flag) => flag.to_string(),
            Cell::Time(time) => time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }
}
