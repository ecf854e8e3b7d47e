//! The filters of a list.

use diesel::QueryResult;

use crate::db::Connection;
use crate::db::rows::Bind;
use crate::models::{Kind, Model};

/// A filter of a list, in the query under its name.
#[derive(Debug)]
pub struct Filter {
    /// Its name in the query: none of `q`, `o`, `show`, `after`, `before` and `last`.
    pub name: &'static str,
    /// Its heading; empty: the name of the field.
    pub label: &'static str,
    /// What can be chosen.
    pub choices: Choices,
}

impl Filter {
    /// By a field: a boolean, a choice, a time or a foreign key.
    pub const fn field(name: &'static str) -> Filter {
        Filter { name, label: "", choices: Choices::Field(name) }
    }

    /// Why the model cannot be filtered by its field.
    pub(super) fn problem(&self, model: &Model) -> Option<String> {
        let Choices::Field(name) = self.choices else { return None };
        match model.field(name).map(|field| field.kind) {
            None => Some(format!("the model has no field {name}")),
            Some(Kind::Boolean | Kind::Choice(_) | Kind::DateTime | Kind::ForeignKey(_)) => None,
            Some(_) => Some(format!("the field {name} has no choices to filter by")),
        }
    }
}

/// The choices of a filter.
#[derive(Debug)]
pub enum Choices {
    /// Those of this field: a boolean, a choice, a time or a foreign key.
    Field(&'static str),
    /// Known ones: value, label and condition, which gets the value for each `?` from the function.
    Fixed(&'static [FixedChoice]),
    /// Those that a query finds, and the condition for a chosen value, which each `?` in it stands for.
    Found(fn(&mut Connection) -> QueryResult<Vec<Choice>>, fn(&str) -> &'static str),
    /// One that a link has chosen; there are too many to be offered. What names it, if it is there, and the
    /// condition, in which each `?` is the chosen value.
    Named(fn(&mut Connection, &str) -> QueryResult<Option<String>>, &'static str),
}

/// Value, label, condition, and what the value for it is.
pub type FixedChoice = (&'static str, &'static str, &'static str, Option<fn() -> Bind>);

/// One of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// What it belongs to, if anything: choices of a picker are shown under such headings.
    pub group: String,
}
