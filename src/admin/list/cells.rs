//! The cells of a list, and their text in a CSV file.

use std::borrow::Cow;

use crate::admin::model_admin::{Cell, Column, Show};
use crate::admin::site::Site;
use crate::db::rows::Value;
use crate::models::value::{iso_8601, to_text};
use crate::users::permissions::{Rights, Verb};

impl Column {
    pub fn cell(&self, values: &[Value]) -> Cell {
        let value = values.first().unwrap_or(&Value::Null);
        match self.kind {
            Show::Text | Show::Email => text(value).map_or(Cell::Empty, Cell::Text),
            Show::Number => value.as_i64().map_or(Cell::Empty, |number| Cell::Text(number.to_string())),
            Show::Boolean => Cell::Flag(value.as_bool() == Some(true)),
            Show::DateTime => value.as_time().map_or(Cell::Empty, Cell::Time),
            Show::Choice(choices) => text(value).map_or(Cell::Empty, |value| Cell::Text(choice_name(choices, &value))),
            Show::ForeignKey(slug) => match (text(value), values.get(1).and_then(Value::as_i64)) {
                (Some(title), Some(id)) => Cell::Link(format!("/admin/{slug}/{id}/change/"), title),
                _ => Cell::Empty,
            },
            Show::Count(url) => match values.get(1).and_then(Value::as_i64) {
                Some(id) => Cell::Link(format!("{url}{id}"), to_text(value)),
                None => Cell::Empty,
            },
            Show::Custom(cell) => cell(values),
        }
    }

    pub fn class(&self, cell: &Cell) -> &'static str {
        match (&self.kind, cell) {
            (_, Cell::Flag(true)) => "yes",
            (_, Cell::Flag(false)) => "no",
            (_, Cell::Badges(_)) => "state",
            (Show::Number | Show::Count(_), _) => "tight number",
            _ => "",
        }
    }

    /// Decides the width of the column.
    pub fn head_class(&self) -> &'static str {
        match self.kind {
            Show::Boolean => "flag",
            Show::Number | Show::Count(_) => "number",
            Show::DateTime => "time",
            Show::Custom(_) => "state",
            Show::Email => "email",
            Show::ForeignKey(_) => "reference",
            _ => "",
        }
    }

    /// Cards name a column where the value alone says nothing. An id is shown as `#1`.
    fn is_named(&self) -> bool {
        let is_number = matches!(self.kind, Show::Number) && self.name != "id";
        is_number || matches!(self.kind, Show::Boolean | Show::Count(_) | Show::DateTime)
    }
}

/// Longer texts may be cut off, and show themselves on hover.
const SHORT: usize = 30;

/// `templates/admin/cell.html`
pub struct ShownCell {
    pub class: &'static str,
    /// Of the column; empty where cards need none.
    pub label: Cow<'static, str>,
    /// Empty for short texts.
    pub title: String,
    pub cell: Cell,
}

fn is_long(text: &str) -> bool {
    // Counting signs is slow, and no text has more of them than bytes.
    text.len() > SHORT && text.chars().count() > SHORT
}

impl ShownCell {
    pub fn of(column: &Column, cell: Cell) -> ShownCell {
        let title = match &cell {
            Cell::Text(text) | Cell::Code(text) | Cell::Link(_, text) if is_long(text) => text.clone(),
            _ => String::new(),
        };
        let label = if column.is_named() { column.label.clone() } else { "".into() };
        ShownCell { class: column.class(&cell), label, title, cell }
    }
}

pub fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

pub fn choice_name(choices: &[(&str, &str)], value: &str) -> String {
    choices.iter().find(|(known, _)| *known == value).map_or(value, |(_, name)| name).to_owned()
}

/// A time in ISO 8601, for people.
pub fn time_text(time: &str) -> String {
    time.replacen('T', " ", 1).replace('Z', " UTC")
}

pub fn can_view(site: &Site, rights: &Rights, slug: &str) -> bool {
    site.find(slug).is_some_and(|model| model.options().has_permission(rights, Verb::View))
}

impl Cell {
    /// A link to a model that the reader may not view is only its text.
    pub fn for_reader(self, site: &Site, rights: &Rights) -> Cell {
        let Cell::Link(url, text) = self else { return self };
        let slug = url.strip_prefix("/admin/").and_then(|rest| rest.split('/').next());
        if slug.is_some_and(|slug| can_view(site, rights, slug)) { Cell::Link(url, text) } else { Cell::Text(text) }
    }

    /// The text without markup; times in ISO 8601, UTC.
    pub fn plain(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(text)
            | Cell::Code(text)
            | Cell::Copied(text)
            | Cell::Link(_, text)
            | Cell::Badge(_, text, _) => text.clone(),
            Cell::Badges(badges) => badges.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(", "),
            Cell::Flag(flag) => flag.to_string(),
            Cell::Time(time) => iso_8601(*time),
        }
    }
}
