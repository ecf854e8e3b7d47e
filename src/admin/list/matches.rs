//! The rows that a list's query matches, and how many they are.
//!
//! A table may have a million rows, so nothing here counts or skips all of them. Where a search has few hits it
//! is one scan whose hits serve rows, totals and filters alike.

use diesel::QueryResult;

use super::query::ChangeListQuery;
use crate::admin::model_admin::Options;
use crate::admin::text::thousands;
use crate::db::Connection;
use crate::db::rows::{self, Sql};
use crate::db::text::{concatenated, join};

/// Rows that are counted; beyond that people read `10,000+`.
pub const CAP: i64 = 10_000;

/// A number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// So many have been counted.
    pub number: i64,
    /// There are or may be more.
    pub is_at_least: bool,
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&thousands(self.number))?;
        f.write_str(if self.is_at_least { "+" } else { "" })
    }
}

impl Count {
    /// Counts rows of a model, but not many more than `cap`.
    pub fn up_to(cap: i64, conn: &mut Connection, options: &Options, condition: Sql) -> QueryResult<Count> {
        let mut from = Sql::new(format!("FROM (SELECT 1 FROM {} WHERE ", options.model.plural));
        from.append(condition).push(&format!(" LIMIT {}) AS counted", cap + 1));
        let number = rows::number(conn, "count(*)", from)?;
        Ok(Count { number: number.min(cap), is_at_least: number > cap })
    }

    /// Counts all rows of a model: at once where their number is kept.
    pub fn of_table(conn: &mut Connection, options: &Options) -> QueryResult<Count> {
        match rows::kept_count(conn, options.model.plural)? {
            Some(number) => Ok(Count { number, is_at_least: false }),
            None => Count::up_to(CAP, conn, options, Sql::all([])),
        }
    }
}

/// Rows that have been looked up by a condition.
pub struct Sample {
    /// The condition for the rows themselves, which asks for ids only.
    pub condition: Sql,
    /// How many they are; at least so many where the condition holds for more.
    pub count: Count,
}

impl Sample {
    /// Looks up rows by one scan, which ends with the table or when there are many.
    fn of(conn: &mut Connection, options: &Options, condition: Sql) -> QueryResult<Sample> {
        let mut from = Sql::new(format!("FROM {} WHERE ", options.model.plural));
        from.append(condition).push(&format!(" LIMIT {}", CAP + 1));
        let mut ids = rows::ids(conn, from)?;
        let is_at_least = ids.len() as i64 > CAP;
        ids.truncate(CAP as usize);
        let count = Count { number: ids.len() as i64, is_at_least };
        let mut condition = Sql::new("id IN ?");
        condition.bind(ids);
        Ok(Sample { condition, count })
    }

    /// Its condition, where it stands for all rows of the other one: then those need not be found again.
    fn or(&self, condition: Sql) -> Sql {
        if self.count.is_at_least { condition } else { self.condition.clone() }
    }
}

/// The rows that a query matches.
pub struct Matches {
    /// The search's condition, if there is a search.
    search: Option<Sql>,
    /// The first of them; `None` where nothing is left out.
    pub sample: Option<Sample>,
    /// The condition for all of them.
    pub condition: Sql,
    /// How many they are.
    pub total: Count,
}

impl Matches {
    /// Finds out what there is to know before rows are read.
    pub fn of(conn: &mut Connection, options: &Options, query: &ChangeListQuery) -> QueryResult<Matches> {
        let search = searched(options, query);
        let mut sample = search.clone().map(|search| Sample::of(conn, options, search)).transpose()?;
        // Asking for each row whether it has the words is what costs: once is enough, unless there are many.
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

    /// The rows that would match without one filter. `None` where that leaves nothing out.
    pub fn without(
        &self,
        filter: &str,
        conn: &mut Connection,
        options: &Options,
        query: &ChangeListQuery,
    ) -> QueryResult<Option<Sample>> {
        let others = query.filters_but(filter);
        let is_all = query.chosen.len() == 1 && query.within.is_none() && self.search.is_none();
        if is_all {
            return Ok(None);
        }
        let condition = Sql::all([others].into_iter().chain(self.search.clone()));
        Sample::of(conn, options, condition).map(Some)
    }

    /// Whether words were searched.
    pub fn is_search(&self) -> bool {
        self.search.is_some()
    }
}

/// The condition for rows in which each word occurs in some search field; `None` where nothing is searched.
pub fn search_condition(options: &Options, words: &[String]) -> Option<Sql> {
    let searched = options.searched();
    if words.is_empty() || searched.is_empty() {
        return None;
    }
    let mut condition = Sql::new(format!("contains_all({}, ?)", concatenated(&searched)));
    condition.bind(join(words));
    Some(condition)
}

/// The search of a query; one that cannot be made finds nothing.
fn searched(options: &Options, query: &ChangeListQuery) -> Option<Sql> {
    match query.problem {
        Some(_) => Some(Sql::new("1 = 0")),
        None => search_condition(options, &query.words),
    }
}

/// The condition for all rows that a query matches, as it is: for whoever reads all of them.
pub fn plain_condition(options: &Options, query: &ChangeListQuery) -> Sql {
    // SQLite asks from left to right, and filters are cheaper than a search.
    Sql::all([query.filters()].into_iter().chain(searched(options, query)))
}
