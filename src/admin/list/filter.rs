//! The choices of a filter, as conditions.

use std::borrow::Cow;

use chrono::{TimeDelta, Utc};
use diesel::QueryResult;

use crate::admin::model_admin::{Choices, Filter};
use crate::db::Connection;
use crate::db::rows::{self, Bind, Sql, Value};
use crate::models::value::to_text;
use crate::models::{Field, Kind, Model};

#[derive(Clone, Debug)]
pub struct FilterChoice {
    pub value: String,
    pub label: String,
    pub condition: Sql,
}

impl Filter {
    pub fn offered(&self, conn: &mut Connection, model: &Model) -> QueryResult<Vec<FilterChoice>> {
        let choice = |value: &str, label: &str, condition| FilterChoice {
            value: value.to_owned(),
            label: label.to_owned(),
            condition,
        };
        Ok(match &self.choices {
            Choices::Fixed(fixed) => {
                let condition = |sql: &str, bind: &Option<fn() -> Bind>| match bind {
                    Some(bind) => bound(sql, bind()),
                    None => Sql::new(sql),
                };
                fixed.iter().map(|(value, label, sql, bind)| choice(value, label, condition(sql, bind))).collect()
            }
            Choices::Found(find, sql) => {
                let found = find(conn)?.into_iter();
                found
                    .map(|found| choice(&found.value, &found.label, bound(sql(&found.value), found.value.as_str())))
                    .collect()
            }
            Choices::Field(name) => model.field(name).map_or_else(Vec::new, of_field),
            Choices::ForeignKey(name, labels) => of_reference(name, *labels),
            Choices::Named(..) => Vec::new(),
        })
    }

    pub fn choice(&self, conn: &mut Connection, model: &Model, value: &str) -> QueryResult<Option<FilterChoice>> {
        if value.is_empty() {
            return Ok(None);
        }
        if let Choices::Named(name, sql) = &self.choices {
            let label = name(conn, value)?;
            return Ok(label.map(|label| FilterChoice {
                value: value.to_owned(),
                label,
                condition: bound(sql, value),
            }));
        }
        if let (Some((field, to)), Ok(id)) = (self.foreign_key(model), value.parse::<i64>()) {
            return referred(conn, model, field, to, bound(&format!("{}.id = ?", to.plural), id));
        }
        Ok(self.offered(conn, model)?.into_iter().find(|choice| choice.value == value))
    }

    /// In the query: the title of the row that a foreign key refers to, such as `author__username`.
    pub fn title_name(&self, model: &Model) -> Option<String> {
        self.foreign_key(model).map(|(_, to)| format!("{}__{}", self.name, to.title))
    }

    pub fn choice_by_title(
        &self,
        conn: &mut Connection,
        model: &Model,
        title: &str,
    ) -> QueryResult<Option<FilterChoice>> {
        match self.foreign_key(model) {
            Some((field, to)) if !title.is_empty() && !title.contains('\0') => {
                referred(conn, model, field, to, bound(&title_is(to), title))
            }
            _ => Ok(None),
        }
    }
}

/// A text is compared as it is, so that its index serves.
fn title_is(model: &Model) -> String {
    let column = format!("{}.{}", model.plural, model.title);
    match model.field(model.title).is_some_and(|field| field.is_text()) {
        true => format!("{column} = ?"),
        false => format!("CAST({column} AS TEXT) = ?"),
    }
}

/// A row of another model. It tells only the titles that the list shows as well: somebody who may see the list may not
/// see all rows of the other model.
fn referred(
    conn: &mut Connection,
    model: &Model,
    field: &str,
    to: &Model,
    condition: Sql,
) -> QueryResult<Option<FilterChoice>> {
    let (table, title) = (to.plural, format!("CAST({}.{} AS TEXT)", to.plural, to.title));
    let mut rest = Sql::new(format!("FROM {table} WHERE "));
    rest.append(condition);
    rest.push(&format!(
        " AND EXISTS (SELECT 1 FROM {} AS referring WHERE referring.{field} = {table}.id) LIMIT 1",
        model.plural
    ));
    let row = rows::select(conn, &[&format!("{table}.id"), &title], rest)?.pop().unwrap_or_default();
    Ok(row.first().and_then(Value::as_i64).map(|id| FilterChoice {
        value: id.to_string(),
        label: row.get(1).map(to_text).unwrap_or_default(),
        condition: bound(&format!("{field} = ?"), id),
    }))
}

fn of_field(field: &Field) -> Vec<FilterChoice> {
    let choice = |value: &str, label: &str, condition: Sql| FilterChoice {
        value: value.to_owned(),
        label: label.to_owned(),
        condition,
    };
    let name = field.name;
    match field.kind {
        Kind::Boolean => {
            vec![choice("yes", "Yes", Sql::new(name)), choice("no", "No", Sql::new(format!("NOT {name}")))]
        }
        Kind::Choice(choices) => {
            let is = |value: &str| bound(&format!("{name} = ?"), value);
            choices.iter().map(|(value, label)| choice(value, label, is(value))).collect()
        }
        Kind::DateTime => {
            let now = || Bind::from(Utc::now().naive_utc());
            let since = |days| {
                Sql::all([bound(&format!("{name} >= ?"), days_ago(days)), bound(&format!("{name} <= ?"), now())])
            };
            let past = PERIODS.iter().map(|(value, label, days)| choice(value, label, since(*days)));
            // Nothing sets the time of a change to one that is yet to come.
            let future =
                field.is_editable.then(|| choice("future", "In the future", bound(&format!("{name} > ?"), now())));
            past.chain(future).collect()
        }
        _ => of_reference(name, ["Set", "Empty"]),
    }
}

fn of_reference(name: &str, [with, without]: [&str; 2]) -> Vec<FilterChoice> {
    let choice = |value: &str, label: &str, condition: &str| FilterChoice {
        value: value.to_owned(),
        label: label.to_owned(),
        condition: Sql::new(format!("{name} {condition}")),
    };
    vec![choice("yes", with, "IS NOT NULL"), choice("no", without, "IS NULL")]
}

/// Value, label, and the number of days until now.
const PERIODS: [(&str, &str, i64); 4] = [
    ("day", "Past 24 hours", 1),
    ("week", "Past 7 days", 7),
    ("month", "Past 30 days", 30),
    ("year", "Past year", 365),
];

impl Filter {
    pub fn heading(&self, model: &Model) -> Cow<'static, str> {
        match self.choices {
            Choices::Field(name) if self.label.is_empty() => {
                model.field(name).map_or(name.into(), |field| field.verbose_name())
            }
            _ => self.label.into(),
        }
    }
}

/// Each `?` stands for the same value.
fn bound(sql: &str, value: impl Into<Bind>) -> Sql {
    let (mut condition, value) = (Sql::new(sql), value.into());
    for _ in sql.matches('?') {
        condition.bind(value.clone());
    }
    condition
}

pub fn days_ago(days: i64) -> Bind {
    (Utc::now().naive_utc() - TimeDelta::days(days)).into()
}
