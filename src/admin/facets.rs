//! The filters of a list: their choices, and how many rows each choice would leave.

use diesel::QueryResult;
use serde_json::Value;

use super::list_query::ListQuery;
use super::model_admin::{Choices, Filter, Options};
use super::results::{Count, Hits, Matches};
use crate::db::Connection;
use crate::db::rows::{self, Sql};

/// Rows that are counted for a choice; beyond that people read `1,000+`.
const CAP: i64 = 1_000;
/// Choices that are counted in one statement; a function of SQLite takes 127 arguments.
const AT_ONCE: usize = 100;

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
                let fixed = fixed.iter().map(|(value, label, sql, bind)| {
                    let mut condition = Sql::new(*sql);
                    if let Some(bind) = bind {
                        condition.bind(bind());
                    }
                    choice(value, label, condition)
                });
                fixed.collect()
            }
            Choices::Found(find, sql) => {
                let found = find(conn)?.into_iter();
                found.map(|found| choice(&found.value, &found.label, bound(sql, &found.value))).collect()
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

/// A condition with one value.
fn bound(sql: &str, value: &str) -> Sql {
    let mut condition = Sql::new(sql);
    condition.bind(value);
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
    let mut offered = Vec::new();
    for filter in options.list_filter {
        if !matches!(filter.choices, Choices::Named(..)) {
            offered.push((filter, filter.offered(conn)?));
        }
    }
    let conditions = offered.iter().flat_map(|(filter, choices)| {
        let others = query.filters_but(filter.name);
        choices.iter().map(move |choice| Sql::all([others.clone(), choice.condition.clone()]))
    });
    let mut counts = counts(conn, options, conditions.collect(), matches)?.into_iter();
    let facets = offered.into_iter().map(|(filter, choices)| {
        let current = query.chosen.iter().find(|chosen| chosen.filter.name == filter.name);
        let current = current.map(|chosen| chosen.choice.value.as_str());
        let everything = FacetLink {
            label: "All".to_owned(),
            address: query.link(filter.name, None),
            count: String::new(),
            is_current: current.is_none(),
        };
        let links = choices.into_iter().map(|choice| FacetLink {
            is_current: current == Some(&choice.value),
            address: query.link(filter.name, Some(choice.value)),
            label: choice.label,
            count: counts.next().filter(|count| count.number > 0 || !count.is_at_least).map(|count| count.to_string()).unwrap_or_default(),
        });
        Facet { label: filter.label, links: std::iter::once(everything).chain(links).collect() }
    });
    Ok(facets.collect())
}

/// How many rows each condition leaves of a search's hits, or of the table.
fn counts(
    conn: &mut Connection,
    options: &Options,
    conditions: Vec<Sql>,
    matches: &Matches,
) -> QueryResult<Vec<Count>> {
    let Some(hits) = &matches.hits else {
        let count = |condition| Count::up_to(CAP, conn, options, condition);
        return conditions.into_iter().map(count).collect();
    };
    let mut counts = Vec::new();
    for conditions in conditions.chunks(AT_ONCE) {
        let row = sums(conn, options, conditions, hits)?;
        counts.extend(row.iter().map(|sum| {
            let number = sum.as_i64().unwrap_or(0);
            Count { number: number.min(CAP), is_at_least: number > CAP || !hits.is_complete }
        }));
    }
    Ok(counts)
}

/// How many of a search's hits fulfil each condition: one look at them serves all.
fn sums(conn: &mut Connection, options: &Options, conditions: &[Sql], hits: &Hits) -> QueryResult<Vec<Value>> {
    let mut flags = Sql::new("FROM (SELECT 0");
    for (number, condition) in conditions.iter().enumerate() {
        flags.push(", (").append(condition.clone()).push(&format!(") AS c{number}"));
    }
    flags.push(&format!(" FROM {} WHERE ", options.table)).append(hits.sample.clone()).push(")");
    let sums: Vec<String> = (0..conditions.len()).map(|number| format!("coalesce(sum(c{number}), 0)")).collect();
    let sums: Vec<&str> = sums.iter().map(String::as_str).collect();
    Ok(rows::select(conn, &sums, flags)?.pop().unwrap_or_default())
}
