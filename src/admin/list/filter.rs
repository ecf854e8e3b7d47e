//! The choices of a filter, as conditions.

use std::borrow::Cow;

use chrono::{TimeDelta, Utc};
use diesel::QueryResult;

use crate::admin::model_admin::{Choices, Filter};
use crate::db::Connection;
use crate::db::rows::{Bind, Sql};
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
        Ok(self.offered(conn, model)?.into_iter().find(|choice| choice.value == value))
    }
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
        _ => vec![
            choice("yes", "Set", Sql::new(format!("{name} IS NOT NULL"))),
            choice("no", "Empty", Sql::new(format!("{name} IS NULL"))),
        ],
    }
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
