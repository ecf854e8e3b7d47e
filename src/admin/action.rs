//! [`Action`]: what can be done to the selected rows of a list, or to the row of a form.

use diesel::QueryResult;

use super::filters::Choice;
use super::staff::Staff;
use crate::db::Connection;
use crate::error::Error;

/// An action asks before it changes several rows, and can be undone.
pub struct Action {
    pub name: &'static str,
    /// On the button of a list: `Deactivate selected users`.
    pub label: &'static str,
    /// On the button of a row's header; `None`: not offered there.
    pub form_label: Option<&'static str>,
    /// Follows a number of rows: `deactivated`.
    pub done: &'static str,
    /// An SQL condition for rows that the action would leave as they are, and what they are: `already inactive`.
    pub already: (&'static str, &'static str),
    /// Whether only superusers may do it and undo it. `run` checks it, too.
    pub superusers_only: bool,
    /// Whether it takes something away: a red button.
    pub is_danger: bool,
    pub run: Run,
}

/// Changes a row, in a transaction; `false` if there was nothing to do.
pub enum Run {
    Plain(fn(&mut Connection, i64, &Staff) -> Result<bool, Error>),
    /// With what the user chooses on the page that asks: its label, what it offers, and the action with the value.
    Chosen {
        label: &'static str,
        choices: fn(&mut Connection, &Staff) -> QueryResult<Vec<Choice>>,
        run: fn(&mut Connection, i64, &str, &Staff) -> Result<bool, Error>,
    },
}

impl Action {
    /// The label for certain rows: `Deactivate 3 users`. `plural` is the name of the model.
    pub fn title(&self, plural: &str, what: &str) -> String {
        self.label.replace(&format!("selected {plural}"), what)
    }
}
