//! The columns of a list, and their cells.

use std::borrow::Cow;

use crate::db::rows::Value;
use chrono::NaiveDateTime;

use crate::models::{Field, Kind, Model};

/// A column that is not a field.
pub struct Display {
    /// In `?o=` and in CSV files.
    pub name: &'static str,
    pub label: &'static str,
    /// SQL of the values that it needs, over the model's table.
    pub sql: &'static [&'static str],
    pub kind: Show,
    /// SQL, never NULL; `None`: the list cannot be ordered by it.
    pub order: Option<&'static str>,
}

#[derive(Clone)]
pub struct Column {
    pub name: &'static str,
    pub label: Cow<'static, str>,
    pub sql: Vec<Cow<'static, str>>,
    pub kind: Show,
    pub order: Option<&'static str>,
}

impl From<&Display> for Column {
    fn from(display: &Display) -> Column {
        Column {
            name: display.name,
            label: display.label.into(),
            sql: display.sql.iter().map(|sql| (*sql).into()).collect(),
            kind: display.kind,
            order: display.order,
        }
    }
}

impl Column {
    pub fn id() -> Column {
        Column { name: "id", label: "ID".into(), sql: vec!["id".into()], kind: Show::Number, order: Some("id") }
    }

    /// A foreign key shows the title of its row, and leads to it.
    pub fn of(model: &Model, field: &'static Field) -> Column {
        let sql = match field.kind {
            Kind::ForeignKey(to) => {
                let Model { plural, title, .. } = to;
                let title = format!(
                    "(SELECT CAST(target.{title} AS TEXT) FROM {plural} AS target WHERE target.id = {}.{})",
                    model.plural, field.name
                );
                vec![title.into(), field.name.into()]
            }
            _ => vec![field.name.into()],
        };
        Column {
            name: field.name,
            label: field.verbose_name(),
            sql,
            kind: Show::of(field.kind),
            order: field.is_ordering.then_some(field.name),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Show {
    Text,
    Email,
    Number,
    Boolean,
    DateTime,
    Choice(&'static [(&'static str, &'static str)]),
    /// A title and an id, with the word of the model in URLs.
    ForeignKey(&'static str),
    /// A number and an id, with the start of a URL that the id completes.
    Count(&'static str),
    Custom(fn(&[Value]) -> Cell),
}

impl Show {
    fn of(kind: Kind) -> Show {
        match kind {
            Kind::Email => Show::Email,
            Kind::Integer => Show::Number,
            Kind::Boolean => Show::Boolean,
            Kind::DateTime => Show::DateTime,
            Kind::Choice(choices) => Show::Choice(choices),
            Kind::ForeignKey(to) => Show::ForeignKey(to.plural),
            _ => Show::Text,
        }
    }
}

/// A cell of a list, or a fact on a form.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    Code(String),
    /// With a button that copies it.
    Copied(String),
    Flag(bool),
    Time(NaiveDateTime),
    /// A tone (`good`, `warn`, `bad` or `quiet`), a word, and details in small print.
    Badge(&'static str, String, String),
    /// Tones and words.
    Badges(Vec<(&'static str, &'static str)>),
    /// URL and name of another object.
    Link(String, String),
}
