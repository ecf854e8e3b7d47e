//! The filters of a list.

use diesel::QueryResult;

use crate::db::Connection;
use crate::db::rows::Bind;
use crate::models::{Kind, Model};

pub struct Filter {
    /// In the query; not `q`, `o`, `show`, `after`, `before` or `last`. May repeat: any of the values.
    pub name: &'static str,
    /// Empty: the name of the field.
    pub label: &'static str,
    pub choices: Choices,
}

impl Filter {
    /// By a boolean, a choice, a time or a foreign key.
    pub const fn field(name: &'static str) -> Filter {
        Filter { name, label: "", choices: Choices::Field(name) }
    }

    /// The field and the model that it refers to.
    pub fn foreign_key(&self, model: &Model) -> Option<(&'static str, &'static Model)> {
        let (Choices::Field(name) | Choices::ForeignKey(name, _)) = self.choices else { return None };
        match model.field(name)?.kind {
            Kind::ForeignKey(to) => Some((name, to)),
            _ => None,
        }
    }

    /// The model whose rows are searched if they are too many to offer.
    pub fn searched(&self, model: &Model) -> Option<&'static Model> {
        match self.choices {
            Choices::Found(_, _, of) => of,
            _ => self.foreign_key(model).map(|(_, to)| to),
        }
    }

    /// Why the model cannot have this filter.
    pub(super) fn problem(&self, model: &Model) -> Option<String> {
        let (Choices::Field(name) | Choices::ForeignKey(name, _)) = self.choices else { return None };
        match model.field(name).map(|field| field.kind) {
            None => Some(format!("the model has no field {name}")),
            Some(Kind::Boolean | Kind::Choice(_) | Kind::DateTime | Kind::ForeignKey(_)) => None,
            Some(_) => Some(format!("the field {name} has no choices to filter by")),
        }
    }
}

pub enum Choices {
    Field(&'static str),
    /// A foreign key, with labels for rows with and without it. The row that it refers to can be chosen, too.
    ForeignKey(&'static str, [&'static str; 2]),
    Fixed(&'static [FixedChoice]),
    /// Choices that a query finds; the condition with the chosen value for each `?`; the model whose rows they are.
    Found(fn(&mut Connection) -> QueryResult<Vec<Choice>>, fn(&str) -> &'static str, Option<&'static Model>),
    /// A time that is never NULL: conditions for "since" and "before", with the time for each `?`.
    Time(&'static str, &'static str),
    /// A column with the time when somebody was last seen; NULL: never.
    LastSeen(&'static str),
    /// Too many to offer, so links choose them: a query for the names of values, each if it exists, and the condition
    /// with the value for each `?`.
    Named(Names, &'static str),
}

type Names = fn(&mut Connection, &[&str]) -> QueryResult<Vec<Option<String>>>;

/// Value, label, condition, and a function that returns the value for each `?`.
pub type FixedChoice = (&'static str, &'static str, &'static str, Option<fn() -> Bind>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub group: String,
}
