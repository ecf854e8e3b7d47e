//! The filters of a list: their choices, and how many rows each choice would leave.

use std::borrow::Cow;

use diesel::QueryResult;

use super::filter::{FROM, FilterChoice, TO};
use super::matches::{Count, Matches, Sample};
use super::query::{ChangeListQuery, Chosen, Parameter};
use crate::admin::model_admin::{Choices, Filter, Options};
use crate::db::Connection;
use crate::db::rows::{self, Sql};

/// Above this, pages show `1,000+`.
const CAP: i64 = 1_000;
/// Choices counted per statement. An SQLite function takes at most 127 arguments.
const AT_ONCE: usize = 100;
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
        if !filter.has_range(options.model) {
            return None;
        }
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
    let other;
    // A filter's current choice does not affect what its other choices would leave.
    let sample = match is_chosen {
        false => matches.sample.as_ref(),
        true => {
            other = matches.without(filter.name, conn, options, query)?;
            other.as_ref()
        }
    };
    let counts = match sample {
        Some(sample) if matches.is_search() || !sample.count.is_at_least => count_in(conn, options, sample, &choices)?,
        _ => count_up_to(conn, options, &query.filters_but(filter.name), &choices)?,
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

/// One search per choice.
fn count_up_to(
    conn: &mut Connection,
    options: &Options,
    others: &Sql,
    choices: &[FilterChoice],
) -> QueryResult<Vec<Count>> {
    let condition = |choice: &FilterChoice| Sql::all([others.clone(), choice.condition.clone()]);
    choices.iter().map(|choice| Count::up_to(CAP, conn, options, condition(choice))).collect()
}

/// One pass over the sample counts all choices.
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
