//! The filters of a list: their choices, and how many rows each choice would leave.

use chrono::{TimeDelta, Utc};
use diesel::QueryResult;

use super::matches::{Count, Matches, Sample};
use super::query::ListQuery;
use crate::admin::model_admin::{Choices, Filter, Options};

use crate::db::Connection;
use crate::db::rows::{self, Bind, Sql};

/// Rows that are counted for a choice; beyond that people read `1,000+`.
const CAP: i64 = 1_000;
/// Choices that are counted in one statement; a function of SQLite takes 127 arguments.
const AT_ONCE: usize = 100;
const NOTHING_KNOWN: Count = Count { number: 0, is_at_least: true };

/// A choice of a filter.
#[derive(Clone, Debug)]
pub struct FilterChoice {
    /// Its value in the address.
    pub value: String,
    /// What is read.
    pub label: String,
    /// The rows that it leaves.
    pub condition: Sql,
}

impl Filter {
    /// What can be chosen.
    pub fn offered(&self, conn: &mut Connection) -> QueryResult<Vec<FilterChoice>> {
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
            Choices::Named(..) => Vec::new(),
        })
    }

    /// The choice with this value; `None` where there is none.
    pub fn choice(&self, conn: &mut Connection, value: &str) -> QueryResult<Option<FilterChoice>> {
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
        Ok(self.offered(conn)?.into_iter().find(|choice| choice.value == value))
    }
}

/// A condition, each `?` of which is the same value.
fn bound(sql: &str, value: impl Into<Bind>) -> Sql {
    let (mut condition, value) = (Sql::new(sql), value.into());
    for _ in sql.matches('?') {
        condition.bind(value.clone());
    }
    condition
}

/// A filter beside the list.
pub struct Facet {
    /// Its heading.
    pub label: &'static str,
    /// Everything, then its choices.
    pub links: Vec<FacetLink>,
}

/// A choice of a filter beside the list.
pub struct FacetLink {
    /// What is read.
    pub label: String,
    /// The list with it.
    pub address: String,
    /// The rows that it would leave, with the search and the other filters; empty where that is not known.
    pub count: String,
    /// Whether it is on.
    pub is_current: bool,
}

/// The filters beside a list.
pub fn facets(
    conn: &mut Connection,
    options: &'static Options,
    query: &ListQuery,
    matches: &Matches,
) -> QueryResult<Vec<Facet>> {
    let offered = options.list_filter.iter().filter(|filter| !matches!(filter.choices, Choices::Named(..)));
    offered.map(|filter| facet(conn, options, filter, query, matches)).collect()
}

fn facet(
    conn: &mut Connection,
    options: &'static Options,
    filter: &'static Filter,
    query: &ListQuery,
    matches: &Matches,
) -> QueryResult<Facet> {
    let choices = filter.offered(conn)?;
    let current = query.chosen.iter().find(|chosen| chosen.filter.name == filter.name);
    let other;
    // What the choices would leave does not depend on the one that is on.
    let sample = match current {
        None => matches.sample.as_ref(),
        Some(_) => {
            other = matches.without(filter.name, conn, options, query)?;
            other.as_ref()
        }
    };
    let counts = match sample {
        Some(sample) if matches.is_search() || !sample.count.is_at_least => count_in(conn, options, sample, &choices)?,
        _ => count_up_to(conn, options, &query.filters_but(filter.name), &choices)?,
    };
    let current = current.map(|chosen| chosen.choice.value.as_str());
    let everything = FacetLink {
        label: "All".to_owned(),
        address: query.link(filter.name, None),
        count: String::new(),
        is_current: current.is_none(),
    };
    let links = choices.into_iter().zip(counts).map(|(choice, count)| FacetLink {
        is_current: current == Some(&choice.value),
        address: query.link(filter.name, Some(choice.value)),
        label: choice.label,
        // That there are zero or more is no news.
        count: if count == NOTHING_KNOWN { String::new() } else { count.to_string() },
    });
    Ok(Facet { label: filter.label, links: std::iter::once(everything).chain(links).collect() })
}

/// How many rows each choice leaves, by one search for each.
fn count_up_to(
    conn: &mut Connection,
    options: &Options,
    others: &Sql,
    choices: &[FilterChoice],
) -> QueryResult<Vec<Count>> {
    let condition = |choice: &FilterChoice| Sql::all([others.clone(), choice.condition.clone()]);
    choices.iter().map(|choice| Count::up_to(CAP, conn, options, condition(choice))).collect()
}

/// How many rows of a sample each choice leaves: one look at them serves all.
fn count_in(
    conn: &mut Connection,
    options: &Options,
    sample: &Sample,
    choices: &[FilterChoice],
) -> QueryResult<Vec<Count>> {
    let mut counts = Vec::new();
    for choices in choices.chunks(AT_ONCE) {
        let mut from = Sql::new("FROM (SELECT 0");
        for (number, choice) in choices.iter().enumerate() {
            from.push(", (").append(choice.condition.clone()).push(&format!(") AS c{number}"));
        }
        from.push(&format!(" FROM {} WHERE ", options.table)).append(sample.condition.clone()).push(") AS counted");
        let sums: Vec<String> = (0..choices.len()).map(|number| format!("count(*) FILTER (WHERE c{number})")).collect();
        let sums: Vec<&str> = sums.iter().map(String::as_str).collect();
        let row = rows::select(conn, &sums, from)?.pop().unwrap_or_default();
        counts.extend(row.iter().map(|sum| {
            let number = sum.as_i64().unwrap_or(0);
            Count { number: number.min(CAP), is_at_least: number > CAP || sample.count.is_at_least }
        }));
    }
    Ok(counts)
}

/// A time in the past, as a query compares it.
pub fn days_ago(days: i64) -> Bind {
    (Utc::now().naive_utc() - TimeDelta::days(days)).into()
}
