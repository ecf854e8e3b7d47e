//! The filters of a list: their choices, and how many rows each choice would leave.

use std::borrow::Cow;

use diesel::QueryResult;

use super::filter::FilterChoice;
use super::matches::{Count, Matches, Sample};
use super::query::ChangeListQuery;
use crate::admin::model_admin::{Choices, Filter, Options};
use crate::db::Connection;
use crate::db::rows::{self, Sql};

/// Rows that are counted for a choice; beyond that people read `1,000+`.
const CAP: i64 = 1_000;
/// Choices that are counted in one statement; a function of SQLite takes 127 arguments.
const AT_ONCE: usize = 100;
const NOTHING_KNOWN: Count = Count { number: 0, is_at_least: true };

/// A filter beside the list.
pub struct Facet {
    /// Its heading.
    pub label: Cow<'static, str>,
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
    query: &ChangeListQuery,
    matches: &Matches,
) -> QueryResult<Vec<Facet>> {
    let offered = options.list_filter.iter().filter(|filter| !matches!(filter.choices, Choices::Named(..)));
    offered.map(|filter| facet(conn, options, filter, query, matches)).collect()
}

fn facet(
    conn: &mut Connection,
    options: &'static Options,
    filter: &'static Filter,
    query: &ChangeListQuery,
    matches: &Matches,
) -> QueryResult<Facet> {
    let choices = filter.offered(conn, options.model)?;
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
    Ok(Facet { label: filter.heading(options.model), links: std::iter::once(everything).chain(links).collect() })
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
        from.push(&format!(" FROM {} WHERE ", options.model.plural))
            .append(sample.condition.clone())
            .push(") AS counted");
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
