//! The columns of a list, and what stands in them.

use std::borrow::Cow;

use crate::db::rows::Value;
use chrono::NaiveDateTime;

use crate::models::{Field, Kind, Model};

/// A column that is no field.
pub struct Display {
    /// Its name in `?o=`, and in a CSV file.
    pub name: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// SQL of what it needs, over the model's table.
    pub sql: &'static [&'static str],
    /// What is made of that.
    pub kind: Show,
    /// SQL to order by, never NULL; `None`: the list cannot be ordered by it.
    pub order: Option<&'static str>,
}

/// A column of a list.
#[derive(Clone)]
pub struct Column {
    /// Its name in `?o=`, and in a CSV file.
    pub name: &'static str,
    /// Its heading.
    pub label: Cow<'static, str>,
    /// SQL of what it needs, over the model's table.
    pub sql: Vec<Cow<'static, str>>,
    /// What is made of that.
    pub kind: Show,
    /// SQL to order by, never NULL; `None`: the list cannot be ordered by it.
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
    /// The id.
    pub fn id() -> Column {
        Column { name: "id", label: "ID".into(), sql: vec!["id".into()], kind: Show::Number, order: Some("id") }
    }

    /// A field of a model. Of a foreign key it shows the title of the row that it leads to.
    pub fn of(model: &Model, field: &'static Field) -> Column {
        let sql = match field.kind {
            Kind::ForeignKey(to) => {
                let Model { plural, title, .. } = to;
                format!(
                    "(SELECT CAST(target.{title} AS TEXT) FROM {plural} AS target WHERE target.id = {}.{})",
                    model.plural, field.name
                )
                .into()
            }
            _ => field.name.into(),
        };
        Column {
            name: field.name,
            label: field.verbose_name(),
            sql: vec![sql],
            kind: Show::of(field.kind),
            order: field.is_ordering.then_some(field.name),
        }
    }
}

/// What a column makes of its values.
#[derive(Clone, Copy, Debug)]
pub enum Show {
    /// A text.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A time in UTC.
    DateTime,
    /// The name of one of these values.
    Choice(&'static [(&'static str, &'static str)]),
    /// Something of its own.
    Custom(fn(&[Value]) -> Cell),
}

impl Show {
    fn of(kind: Kind) -> Show {
        match kind {
            Kind::Integer => Show::Number,
            Kind::Boolean => Show::Boolean,
            Kind::DateTime => Show::DateTime,
            Kind::Choice(choices) => Show::Choice(choices),
            _ => Show::Text,
        }
    }
}

/// A cell of a list, or a fact of a form.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// An id, a hash or the like.
    Code(String),
    /// Yes or no.
    Flag(bool),
    /// A time in UTC.
    Time(NaiveDateTime),
    /// A state: a tone (`good`, `warn`, `bad` or `quiet`), a word, and more of it in small print.
    Badge(&'static str, String, String),
    /// Another object's page, and its name.
    Link(String, String),
}
