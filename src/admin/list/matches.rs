//! The rows that a list's query matches, and their number. A table may have a million rows, so nothing here counts or
//! skips all of them. If a search has few hits, a single scan serves rows, totals and filters.

use diesel::QueryResult;

use super::query::ChangeListQuery;
use crate::admin::model_admin::Options;
use crate::admin::text::thousands;
use crate::db::Connection;
use crate::db::rows::{self, Sql};
use crate::db::text::{concatenated, join};
use crate::models::Kind;

/// Above this, pages show `10,000+`.
pub const CAP: i64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub number: i64,
    pub is_at_least: bool,
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&thousands(self.number))?;
        f.write_str(if self.is_at_least { "+" } else { "" })
    }
}

impl Count {
    /// Stops counting after `cap` rows.
    pub fn up_to(cap: i64, conn: &mut Connection, options: &Options, condition: Sql) -> QueryResult<Count> {
        let mut from = Sql::new(format!("FROM (SELECT 1 FROM {} WHERE ", options.model.plural));
        from.append(condition).push(&format!(" LIMIT {}) AS counted", cap + 1));
        let number = rows::number(conn, "count(*)", from)?;
        Ok(Count { number: number.min(cap), is_at_least: number > cap })
    }

    /// Immediate if the number of rows is kept.
    pub fn of_table(conn: &mut Connection, options: &Options) -> QueryResult<Count> {
        match rows::kept_count(conn, options.model.plural)? {
            Some(number) => Ok(Count { number, is_at_least: false }),
            None => Count::up_to(CAP, conn, options, Sql::all([])),
        }
    }
}

pub struct Sample {
    pub condition: Sql,
    /// A lower bound if the original condition matches more rows.
    pub count: Count,
}

impl Sample {
    /// A single scan, which ends with the table or after [`CAP`] rows.
    fn of(conn: &mut Connection, options: &Options, condition: Sql) -> QueryResult<Sample> {
        let mut from = Sql::new(format!("FROM {} WHERE ", options.model.plural));
        from.append(condition).push(&format!(" LIMIT {}", CAP + 1));
        let mut ids = rows::ids(conn, from)?;
        let is_at_least = ids.len() as i64 > CAP;
        ids.truncate(CAP as usize);
        let count = Count { number: ids.len() as i64, is_at_least };
        Ok(Sample { condition: Sql::new("id IN ?").with(ids), count })
    }

    /// Selects by id if the sample contains all rows of `condition`, which then need not be found again.
    fn or(&self, condition: Sql) -> Sql {
        if self.count.is_at_least { condition } else { self.condition.clone() }
    }
}

pub struct Matches {
    search: Option<Sql>,
    /// The first rows; `None` if nothing is filtered out.
    pub sample: Option<Sample>,
    pub condition: Sql,
    pub total: Count,
}

impl Matches {
    pub fn of(conn: &mut Connection, options: &Options, query: &ChangeListQuery) -> QueryResult<Matches> {
        let search = searched(options, query);
        let mut sample = search.clone().map(|search| Sample::of(conn, options, search)).transpose()?;
        // Testing rows for the words is the expensive part: do it once, unless there are many.
        let search = search.zip(sample.as_ref()).map(|(search, sample)| sample.or(search));
        let all = Sql::all([query.filters()].into_iter().chain(search.clone()));
        if !query.chosen.is_empty() || query.within.is_some() {
            sample = Some(Sample::of(conn, options, all.clone())?);
        }
        let (condition, total) = match &sample {
            Some(sample) => (sample.or(all), sample.count),
            None => (all, Count::of_table(conn, options)?),
        };
        Ok(Matches { search, sample, condition, total })
    }

    /// The condition without one filter; `None` if nothing is filtered out then.
    pub fn without(&self, filter: &str, query: &ChangeListQuery) -> Option<Sql> {
        let is_all = query.chosen.iter().all(|chosen| chosen.filter.name == filter)
            && query.within.is_none()
            && self.search.is_none();
        (!is_all).then(|| Sql::all([query.filters_but(filter)].into_iter().chain(self.search.clone())))
    }

    pub fn is_search(&self) -> bool {
        self.search.is_some()
    }
}

/// Each word must occur in one of the search fields, or a single one be an identifier; `None` without a search.
pub fn search_condition(options: &Options, words: &[String]) -> Option<Sql> {
    let searched = options.searched();
    if words.is_empty() || searched.is_empty() {
        return None;
    }
    let mut condition = Sql::new(format!("contains_all({}, ?)", concatenated(&searched))).with(join(words));
    if let Some(identified) = identified(options, words) {
        condition.push(" OR ").append(identified);
    }
    Some(condition)
}

/// The rows with this identifier; `None` if the search cannot be one.
pub fn identified(options: &Options, words: &[String]) -> Option<Sql> {
    any_of(options.identifiers.iter().map(|column| format!("{column} = ?")).collect(), words)
}

/// The rows that refer to another row by its unique title, such as the articles of a user.
fn referring(options: &Options, words: &[String]) -> Option<Sql> {
    let to_title = |name: &str| {
        let Kind::ForeignKey(to) = options.model.field(name)?.kind else { return None };
        let is_unique = to.field(to.title).is_some_and(|title| title.unique_key.is_some() && title.is_text());
        is_unique.then(|| format!("{name} = (SELECT id FROM {} WHERE {} = ?)", to.plural, to.title))
    };
    // Only what the list shows.
    any_of(options.columns().iter().filter_map(|column| to_title(column.name)).collect(), words)
}

/// Any of the conditions, each with a single word for its `?`.
fn any_of(conditions: Vec<String>, words: &[String]) -> Option<Sql> {
    let [word] = words else { return None };
    let any = Sql::new(conditions.join(" OR "));
    (!conditions.is_empty()).then(|| conditions.iter().fold(any, |any, _| any.with(word.as_str())))
}

/// An invalid search finds nothing.
fn searched(options: &Options, query: &ChangeListQuery) -> Option<Sql> {
    if query.problem.is_some() {
        return Some(Sql::new("1 = 0"));
    }
    let mut condition = search_condition(options, &query.words)?;
    if let Some(referring) = referring(options, &query.words) {
        condition.push(" OR ").append(referring);
    }
    Some(condition)
}

/// For callers that read all rows anyway.
pub fn plain_condition(options: &Options, query: &ChangeListQuery) -> Sql {
    // SQLite evaluates from left to right, and filters are cheaper than a search.
    Sql::all([query.filters()].into_iter().chain(searched(options, query)))
}
