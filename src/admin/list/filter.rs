//! The choices of a filter, as conditions.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
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
    /// Follows the filter's name in the query: nothing, [`FROM`] or [`TO`].
    pub lookup: &'static str,
}

/// Django's lookups, here with days in UTC, the last one included.
pub const FROM: &str = "__gte";
pub const TO: &str = "__lte";

/// Of one filter.
pub const MOST_VALUES: usize = 50;

impl FilterChoice {
    fn new(value: &str, label: &str, condition: Sql) -> FilterChoice {
        FilterChoice { value: value.to_owned(), label: label.to_owned(), condition, lookup: "" }
    }
}

impl Filter {
    pub fn offered(&self, conn: &mut Connection, model: &Model) -> QueryResult<Vec<FilterChoice>> {
        let choice = FilterChoice::new;
        Ok(match &self.choices {
            Choices::Fixed(fixed) => {
                let condition = |sql: &str, bind: &Option<fn() -> Bind>| match bind {
                    Some(bind) => bound(sql, bind()),
                    None => Sql::new(sql),
                };
                fixed.iter().map(|(value, label, sql, bind)| choice(value, label, condition(sql, bind))).collect()
            }
            Choices::Found(find, sql, _) => {
                let found = find(conn)?.into_iter();
                found
                    .map(|found| choice(&found.value, &found.label, bound(sql(&found.value), found.value.as_str())))
                    .collect()
            }
            Choices::Field(name) => model.field(name).map_or_else(Vec::new, of_field),
            Choices::ForeignKey(name, labels) => of_reference(name, *labels),
            Choices::Time(since, _) => periods(since, ""),
            Choices::LastSeen(column) => last_seen(column),
            Choices::Named(..) => Vec::new(),
        })
    }

    /// The choices of values, each `None` if it does not exist. As many statements for one value as for many.
    pub fn choices(
        &self,
        conn: &mut Connection,
        model: &Model,
        values: &[&str],
    ) -> QueryResult<Vec<Option<FilterChoice>>> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        if let Choices::Named(names, sql) = &self.choices {
            let named = names(conn, values)?.into_iter().zip(values);
            let choice = |(name, value): (Option<String>, &&str)| {
                name.map(|name| FilterChoice::new(value, &name, bound(sql, *value)))
            };
            return Ok(named.map(choice).collect());
        }
        let (mut known, foreign_key) = (self.offered(conn, model)?, self.foreign_key(model));
        let id = |value: &str| foreign_key.and_then(|_| value.parse::<i64>().ok());
        if let Some((field, to)) = foreign_key {
            let ids: Vec<i64> = values.iter().filter_map(|value| id(value)).collect();
            known.extend(referred(conn, model, field, to, bound(&format!("{}.id IN ?", to.plural), ids))?);
        }
        let choice = |value: &&str| {
            let value = id(value).map_or_else(|| (*value).to_owned(), |id| id.to_string());
            known.iter().find(|choice| choice.value == value).cloned()
        };
        Ok(values.iter().map(choice).collect())
    }

    /// What the list says of a value that is no choice.
    pub fn unknown_value(&self, model: &Model, value: &str) -> String {
        let heading = self.heading(model).to_lowercase();
        let is_row = matches!(self.choices, Choices::Named(..))
            || (self.searched(model).is_some() && value.parse::<i64>().is_ok());
        match is_row {
            true => format!("What the filter {heading} asks for does not exist any more."),
            false => format!("“{value}” is not a value of the filter {heading}."),
        }
    }

    /// In the query: the title of a row that is searched for, such as `author__username`.
    pub fn title_name(&self, model: &Model) -> Option<String> {
        self.searched(model).map(|to| format!("{}__{}", self.name, to.title))
    }

    pub fn choice_by_title(
        &self,
        conn: &mut Connection,
        model: &Model,
        title: &str,
    ) -> QueryResult<Option<FilterChoice>> {
        if title.is_empty() || title.contains('\0') {
            return Ok(None);
        }
        match self.foreign_key(model) {
            Some((field, to)) => Ok(referred(conn, model, field, to, bound(&title_is(to), title))?.into_iter().next()),
            None => Ok(self.offered(conn, model)?.into_iter().find(|choice| choice.label == title)),
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

/// Rows of another model. They tell only the titles that the list shows as well: somebody who may see the list may not
/// see all rows of the other model.
fn referred(
    conn: &mut Connection,
    model: &Model,
    field: &str,
    to: &Model,
    condition: Sql,
) -> QueryResult<Vec<FilterChoice>> {
    let (table, title) = (to.plural, format!("CAST({}.{} AS TEXT)", to.plural, to.title));
    let mut rest = Sql::new(format!("FROM {table} WHERE "));
    rest.append(condition);
    rest.push(&format!(
        " AND EXISTS (SELECT 1 FROM {} AS referring WHERE referring.{field} = {table}.id) ORDER BY {table}.id LIMIT {MOST_VALUES}",
        model.plural
    ));
    let choice = |row: &Vec<Value>| {
        let (id, title) = (row.first()?.as_i64()?, row.get(1).map(to_text).unwrap_or_default());
        Some(FilterChoice::new(&id.to_string(), &title, bound(&format!("{field} = ?"), id)))
    };
    Ok(rows::select(conn, &[&format!("{table}.id"), &title], rest)?.iter().filter_map(choice).collect())
}

fn of_field(field: &Field) -> Vec<FilterChoice> {
    let (choice, name) = (FilterChoice::new, field.name);
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
            let mut choices = periods(&format!("{name} >= ?"), &format!("{name} <= ?"));
            // Nothing sets the time of a change to one that is yet to come.
            if field.is_editable {
                choices.push(choice("future", "In the future", bound(&format!("{name} > ?"), now())));
            }
            choices
        }
        _ => of_reference(name, ["Set", "Empty"]),
    }
}

fn of_reference(name: &str, [with, without]: [&str; 2]) -> Vec<FilterChoice> {
    let is = |condition: &str| Sql::new(format!("{name} {condition}"));
    vec![FilterChoice::new("yes", with, is("IS NOT NULL")), FilterChoice::new("no", without, is("IS NULL"))]
}

/// `until` is a condition with the present time; empty: the times cannot be in the future.
fn periods(since: &str, until: &str) -> Vec<FilterChoice> {
    let until = (!until.is_empty()).then(|| bound(until, Utc::now().naive_utc()));
    let condition = |days| Sql::all([bound(since, days_ago(days))].into_iter().chain(until.clone()));
    PERIODS.iter().map(|(value, label, days)| FilterChoice::new(value, label, condition(*days))).collect()
}

fn last_seen(column: &str) -> Vec<FilterChoice> {
    let never = FilterChoice::new("never", "Never", Sql::new(format!("{column} IS NULL")));
    let not_for = [("not30", "Not for 30 days", 30), ("not90", "Not for 90 days", 90)].map(|(value, label, days)| {
        let condition = format!("({column} IS NULL OR {column} < ?)");
        FilterChoice::new(value, label, bound(&condition, days_ago(days)))
    });
    periods(&format!("{column} >= ?"), "").into_iter().chain(not_for).chain([never]).collect()
}

/// Value, label, and the number of days until now.
const PERIODS: [(&str, &str, i64); 4] = [
    ("day", "Past 24 hours", 1),
    ("week", "Past 7 days", 7),
    ("month", "Past 30 days", 30),
    ("year", "Past year", 365),
];

impl Filter {
    /// Whether a click on a choice adds it to those chosen, instead of replacing them. Of two choices, both are all rows.
    pub fn combines(&self, model: &Model, offered: usize) -> bool {
        let is_choice = |name: &str| model.field(name).is_some_and(|field| matches!(field.kind, Kind::Choice(_)));
        let can = match self.choices {
            Choices::Field(name) => is_choice(name),
            Choices::Fixed(_) | Choices::Found(..) => true,
            _ => false,
        };
        can && offered > 2
    }

    /// Conditions for "since" and "before"; `None` if it is no filter by a time.
    pub fn range(&self, model: &Model) -> Option<(String, String)> {
        let of = |column: &str| Some((format!("{column} >= ?"), format!("{column} < ?")));
        match self.choices {
            Choices::Time(since, before) => Some((since.to_owned(), before.to_owned())),
            Choices::LastSeen(column) => of(column),
            Choices::Field(name) if matches!(model.field(name)?.kind, Kind::DateTime) => of(name),
            _ => None,
        }
    }

    /// One end of a range of days. `Err` with what is wrong with it.
    pub fn end_of_range(
        &self,
        model: &Model,
        lookup: &'static str,
        value: &str,
    ) -> Result<Option<FilterChoice>, String> {
        let Some((since, before)) = self.range(model).filter(|_| !value.is_empty()) else { return Ok(None) };
        let day = NaiveDate::parse_from_str(value, "%Y-%m-%d").ok().filter(|day| (1..=9999).contains(&day.year()));
        let day = day.ok_or_else(|| format!("“{value}” is not a date such as 2026-12-24."))?;
        let begin = day.and_time(NaiveTime::MIN);
        let (label, condition) = match lookup {
            FROM => (format!("from {day}"), bound(&since, begin)),
            _ => (format!("until {day}"), bound(&before, begin + TimeDelta::days(1))),
        };
        Ok(Some(FilterChoice { lookup, ..FilterChoice::new(&day.to_string(), &label, condition) }))
    }

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
    let value = value.into();
    sql.matches('?').fold(Sql::new(sql), |condition, _| condition.with(value.clone()))
}

pub fn days_ago(days: i64) -> Bind {
    (Utc::now().naive_utc() - TimeDelta::days(days)).into()
}
