//! The filters of a list: their choices, and how many rows each choice would leave.

use std::borrow::Cow;

use diesel::QueryResult;

use super::filter::FilterChoice;
use super::matches::{Count, Matches, Sample};
use super::query::ChangeListQuery;
use crate::admin::model_admin::{Choices, Filter, Options};
use crate::db::Connection;
use crate::db::rows::{self, Sql};

/// Above this, pages show `1,000+`.
const CAP: i64 = 1_000;
/// Choices counted per statement. An SQLite function takes at most 127 arguments.
const AT_ONCE: usize = 100;
const NOTHING_KNOWN: Count = Count { number: 0, is_at_least: true };

pub struct Facet {
    pub label: Cow<'static, str>,
    pub links: Vec<FacetLink>,
    /// For a foreign key, whose rows are too many to offer.
    pub search: Option<FacetSearch>,
}

/// A form that chooses a row by its title. With the script, it suggests rows.
pub struct FacetSearch {
    /// Of the filter, and of the title.
    pub names: (&'static str, String),
    pub label: String,
    /// The word in URLs of the model that the rows are of; `None` if the reader may not view it.
    pub slug: Option<&'static str>,
    /// The other parameters of the list.
    pub hidden: Vec<(&'static str, String)>,
}

impl FacetSearch {
    fn of(options: &Options, filter: &'static Filter, query: &ChangeListQuery) -> Option<FacetSearch> {
        let (_, to) = filter.foreign_key(options.model)?;
        let title = to.field(to.title).map_or("ID".into(), |field| field.verbose_name());
        Some(FacetSearch {
            names: (filter.name, filter.title_name(options.model)?),
            label: format!("{}: {}", filter.heading(options.model), title.to_lowercase()),
            slug: Some(to.plural),
            hidden: query.parameters().into_iter().filter(|(name, _)| *name != filter.name).collect(),
        })
    }
}

pub struct FacetLink {
    pub label: String,
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
    let choices = filter.offered(conn, options.model)?;
    let current = query.chosen.iter().find(|chosen| chosen.filter.name == filter.name);
    let other;
    // A filter's current choice does not affect what its other choices would leave.
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
    // A row that was searched for is not among the choices.
    let searched = current.filter(|chosen| !choices.iter().any(|choice| choice.value == chosen.choice.value));
    let searched = searched.map(|chosen| FacetLink {
        label: chosen.choice.label.clone(),
        address: query.link(filter.name, Some(chosen.choice.value.clone())),
        count: String::new(),
        is_current: true,
    });
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
        // “0+” says nothing.
        count: if count == NOTHING_KNOWN { String::new() } else { count.to_string() },
    });
    let links = std::iter::once(everything).chain(links).chain(searched).collect();
    Ok(Facet { label: filter.heading(options.model), links, search: FacetSearch::of(options, filter, query) })
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
