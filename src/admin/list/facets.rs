//! The filters of a list: their choices, and how many rows each choice would leave.

use std::borrow::Cow;

use diesel::QueryResult;

use super::filter::{FROM, FilterChoice, TO};
use super::matches::{self, Count, Matches};
use super::query::{ChangeListQuery, Chosen, Parameter};
use crate::admin::model_admin::{Choices, Filter, Options};
use crate::db::Connection;
use crate::db::rows::{self, Sql, Value};

/// Above this, pages show `1,000+`.
const CAP: i64 = 1_000;
const NOTHING_KNOWN: Count = Count { number: 0, is_at_least: true };

/// Choices that a facet shows, those with the most rows.
const SHOWN: usize = 8;
/// Of a facet with more, the first ones are compared.
const MOST_COUNTED: usize = 1_000;

pub struct Facet {
    pub label: Cow<'static, str>,
    pub links: Vec<FacetLink>,
    /// The list without this filter, if any of its values is chosen.
    pub clear: Option<String>,
    /// If there are too many choices to offer.
    pub search: Option<FacetSearch>,
    pub range: Option<FacetRange>,
}

/// A form that finds a choice by its title. With the script, it suggests rows.
pub struct FacetSearch {
    /// Of the filter, and of the title.
    pub names: (&'static str, String),
    pub label: String,
    /// The word in URLs of the model that the rows are of; `None` if the reader may not view it.
    pub slug: Option<&'static str>,
    /// The other parameters of the list.
    pub hidden: Vec<Parameter>,
}

impl FacetSearch {
    fn of(options: &Options, filter: &'static Filter, query: &ChangeListQuery) -> Option<FacetSearch> {
        let to = filter.searched(options.model)?;
        let title = to.field(to.title).map_or("ID".into(), |field| field.verbose_name());
        // Other rows stay chosen, but not “with an author”.
        let is_kept = |(name, value): &Parameter| name != filter.name || value.parse::<i64>().is_ok();
        Some(FacetSearch {
            names: (filter.name, filter.title_name(options.model)?),
            label: format!("{}: {}", filter.heading(options.model), title.to_lowercase()),
            slug: Some(to.plural),
            hidden: query.parameters().into_iter().filter(is_kept).collect(),
        })
    }
}

/// A form for the first and the last day.
pub struct FacetRange {
    pub names: [String; 2],
    pub days: [String; 2],
    pub hidden: Vec<Parameter>,
}

impl FacetRange {
    fn of(options: &Options, filter: &'static Filter, query: &ChangeListQuery) -> Option<FacetRange> {
        filter.range(options.model)?;
        let end = |lookup: &str| query.chosen_of(filter.name).find(|chosen| chosen.choice.lookup == lookup);
        let names = [FROM, TO].map(|lookup| format!("{}{lookup}", filter.name));
        let hidden = query.parameters().into_iter().filter(|(name, _)| !names.contains(&name.to_string())).collect();
        let days = [FROM, TO].map(|lookup| end(lookup).map_or_else(String::new, |chosen| chosen.choice.value.clone()));
        Some(FacetRange { names, days, hidden })
    }
}

pub struct FacetLink {
    pub label: String,
    /// Chooses the value, or takes it away if it is chosen.
    pub address: String,
    /// With the search and the other filters; empty if unknown.
    pub count: String,
    pub is_current: bool,
}

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
    let mut choices = filter.offered(conn, options.model)?;
    let combines = filter.combines(options.model, choices.len());
    let is_long = choices.len() > SHOWN && filter.searched(options.model).is_some();
    if is_long {
        choices.truncate(MOST_COUNTED);
    }
    let is_chosen = query.chosen_of(filter.name).next().is_some();
    // A filter's current choice does not affect what its other choices would leave.
    let others = query.filters_but(filter.name);
    let counts = match (is_chosen, &matches.sample) {
        (true, _) => match matches.without(filter.name, query) {
            Some(condition) => count_first(conn, options, &condition, &others, &choices, matches.is_search())?,
            None => count_up_to(conn, options, &others, &choices)?,
        },
        (false, Some(sample)) if matches.is_search() || !sample.count.is_at_least => {
            count_within(conn, options, &sample.condition, &choices, sample.count.is_at_least)?.1
        }
        (false, _) => count_up_to(conn, options, &others, &choices)?,
    };
    let mut counted: Vec<(FilterChoice, Count)> = choices.into_iter().zip(counts).collect();
    if is_long {
        // Stable, so equal ones keep their order.
        counted.sort_by_key(|(_, count)| std::cmp::Reverse(count.number));
        counted.truncate(SHOWN);
    }
    // What was searched for, or stands further down.
    let values = query.chosen_of(filter.name).filter(|chosen| chosen.choice.lookup.is_empty());
    let others = values.filter(|chosen| !counted.iter().any(|(choice, _)| choice.value == chosen.choice.value));
    let others: Vec<FacetLink> = others.map(|chosen| chosen_link(query, chosen, String::new())).collect();
    let links = counted.into_iter().map(|(choice, count)| {
        // “0+” says nothing.
        let count = if count == NOTHING_KNOWN { String::new() } else { count.to_string() };
        let is_this = |chosen: &&Chosen| chosen.choice.lookup.is_empty() && chosen.choice.value == choice.value;
        match query.chosen_of(filter.name).find(is_this) {
            Some(chosen) => chosen_link(query, chosen, count),
            None => FacetLink {
                address: match combines {
                    true => query.with_value(filter.name, &choice.value),
                    false => query.link(filter.name, Some(choice.value)),
                },
                label: choice.label,
                count,
                is_current: false,
            },
        }
    });
    let search =
        FacetSearch::of(options, filter, query).filter(|_| is_long || filter.foreign_key(options.model).is_some());
    Ok(Facet {
        label: filter.heading(options.model),
        links: links.chain(others).collect(),
        clear: is_chosen.then(|| query.without_filter(filter.name)),
        search,
        range: FacetRange::of(options, filter, query),
    })
}

fn chosen_link(query: &ChangeListQuery, chosen: &Chosen, count: String) -> FacetLink {
    let label = chosen.choice.label.clone();
    FacetLink { label, address: query.without_value(chosen), count, is_current: true }
}

/// One search per choice, all in one statement.
fn count_up_to(
    conn: &mut Connection,
    options: &Options,
    others: &Sql,
    choices: &[FilterChoice],
) -> QueryResult<Vec<Count>> {
    let search = |choice: &FilterChoice| {
        let mut search = Sql::new(format!("SELECT count(*) FROM (SELECT 1 FROM {} WHERE ", options.model.plural));
        search.append(Sql::all([others.clone(), choice.condition.clone()]));
        search.push(&format!(" LIMIT {}) AS counted", CAP + 1));
        search
    };
    let searches: Vec<Sql> = choices.iter().map(search).collect();
    Ok(rows::scalars(conn, &searches)?.iter().map(|number| up_to_cap(number, false)).collect())
}

fn up_to_cap(number: &Value, is_at_least: bool) -> Count {
    let number = number.as_i64().unwrap_or(0);
    Count { number: number.min(CAP), is_at_least: is_at_least || number > CAP }
}

/// One pass over the first rows counts all choices. Among more rows, those with few are searched for, unless that takes
/// a search for words.
fn count_first(
    conn: &mut Connection,
    options: &Options,
    condition: &Sql,
    others: &Sql,
    choices: &[FilterChoice],
    is_search: bool,
) -> QueryResult<Vec<Count>> {
    let mut first = condition.clone();
    first.push(&format!(" LIMIT {}", matches::CAP + 1));
    let (rows, mut counts) = count_within(conn, options, &first, choices, false)?;
    if rows <= matches::CAP {
        return Ok(counts);
    }
    let few: Vec<usize> = (0..counts.len()).filter(|at| !counts[*at].is_at_least).collect();
    if is_search {
        few.iter().for_each(|at| counts[*at].is_at_least = true);
        return Ok(counts);
    }
    let choices: Vec<FilterChoice> = few.iter().map(|at| choices[*at].clone()).collect();
    for (at, count) in few.into_iter().zip(count_up_to(conn, options, others, &choices)?) {
        counts[at] = count;
    }
    Ok(counts)
}

/// The number of rows of a condition, and of those with each choice. One pass counts all choices.
fn count_within(
    conn: &mut Connection,
    options: &Options,
    condition: &Sql,
    choices: &[FilterChoice],
    is_at_least: bool,
) -> QueryResult<(i64, Vec<Count>)> {
    let mut from = Sql::new("FROM (SELECT 0");
    for (number, choice) in choices.iter().enumerate() {
        from.push(", (").append(choice.condition.clone()).push(&format!(") AS c{number}"));
    }
    from.push(&format!(" FROM {} WHERE ", options.model.plural)).append(condition.clone()).push(") AS counted");
    let sums = (0..choices.len()).map(|number| format!("count(*) FILTER (WHERE c{number})"));
    let sums: Vec<String> = ["count(*)".to_owned()].into_iter().chain(sums).collect();
    let sums: Vec<&str> = sums.iter().map(String::as_str).collect();
    let row = rows::select(conn, &sums, from)?.pop().unwrap_or_default();
    let (rows, counts) = row.split_first().map_or((0, &[][..]), |(rows, counts)| (rows.as_i64().unwrap_or(0), counts));
    Ok((rows, counts.iter().map(|number| up_to_cap(number, is_at_least)).collect()))
}
