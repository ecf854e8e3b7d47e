//! The rows of a list: which match, how many those are, and one page of them.
//!
//! A table may have a million rows, so nothing here counts or skips all of them. Where a search has few hits it
//! is one scan whose hits serve rows, totals and filters alike.

use diesel::QueryResult;
use serde_json::Value;

use super::list_query::{Cursor, ListQuery, Order, Place};
use super::model_admin::Options;
use crate::db::Connection;
use crate::db::rows::{self, Bind, Sql};
use crate::db::text::join;

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
        let mut from = Sql::new(format!("FROM (SELECT 1 FROM {} WHERE ", options.table));
        from.append(condition).push(&format!(" LIMIT {})", cap + 1));
        let number = rows::number(conn, "count(*)", from)?;
        Ok(Count { number: number.min(cap), is_at_least: number > cap })
    }

    /// Counts all rows of a model: at once where their number is kept.
    pub fn of_table(conn: &mut Connection, options: &Options) -> QueryResult<Count> {
        let mut kept = Sql::new("FROM row_counts WHERE table_name = ?");
        kept.bind(options.table);
        let row = rows::select(conn, &["row_count"], kept)?.pop();
        match row.and_then(|row| row.first()?.as_i64()) {
            Some(number) => Ok(Count { number, is_at_least: false }),
            None => Count::up_to(CAP, conn, options, Sql::all([])),
        }
    }
}

/// A number with commas: `12,345`.
pub fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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
        let mut from = Sql::new(format!("FROM (SELECT id FROM {} WHERE ", options.table));
        from.append(condition).push(&format!(" LIMIT {})", CAP + 1));
        let row = rows::select(conn, &["json_group_array(id)"], from)?.pop().unwrap_or_default();
        let mut ids = row.into_iter().next().and_then(|ids| ids.as_array().cloned()).unwrap_or_default();
        let is_at_least = ids.len() as i64 > CAP;
        ids.truncate(CAP as usize);
        let count = Count { number: ids.len() as i64, is_at_least };
        let mut condition = Sql::new("id IN (SELECT value FROM json_each(?))");
        condition.bind(Value::from(ids).to_string());
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
    pub fn of(conn: &mut Connection, options: &Options, query: &ListQuery) -> QueryResult<Matches> {
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
        query: &ListQuery,
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
    if words.is_empty() || options.search_fields.is_empty() {
        return None;
    }
    // Between fields stands what no word has: a word is never found across two of them.
    let fields: Vec<String> = options.search_fields.iter().map(|field| format!("coalesce({field}, '')")).collect();
    let mut condition = Sql::new(format!("contains_all({}, ?)", fields.join(" || char(0) || ")));
    condition.bind(join(words));
    Some(condition)
}

/// The search of a query; one that cannot be made finds nothing.
fn searched(options: &Options, query: &ListQuery) -> Option<Sql> {
    match query.problem {
        Some(_) => Some(Sql::new("1 = 0")),
        None => search_condition(options, &query.words),
    }
}

/// The condition for all rows that a query matches, as it is: for whoever reads all of them.
pub fn plain_condition(options: &Options, query: &ListQuery) -> Sql {
    // SQLite asks from left to right, and filters are cheaper than a search.
    Sql::all([query.filters()].into_iter().chain(searched(options, query)))
}

/// A row of a list.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: i64,
    /// The columns that were asked for.
    pub values: Vec<Value>,
    /// Its values of the order.
    place: Vec<Bind>,
}

/// Rows in the order of a list, beginning after or before a place.
///
/// The rows beyond a place are those that are beyond it by the last column and equal in all before it, then
/// those beyond it by the column before, and so on. Each of these steps is a statement of its own: for
/// SQLite that is a range of an index, which an OR of them is not.
pub fn fetch(
    conn: &mut Connection,
    options: &Options,
    columns: &[&str],
    condition: &Sql,
    order: &[Order],
    from: Option<&Cursor>,
    scan: Scan,
) -> QueryResult<Vec<Row>> {
    let steps = match from {
        None => vec![Sql::all([])],
        Some(from) => {
            (0..order.len()).rev().map(|last| beyond(&order[..=last], &from.values, scan.backwards)).collect()
        }
    };
    let by: Vec<String> = order.iter().map(|order| format!("{} {}", order.sql, direction(order, scan))).collect();
    let all: Vec<&str> = ["id"].into_iter().chain(columns.iter().copied()).chain(order.iter().map(|o| o.sql)).collect();
    let mut found = Vec::new();
    for step in steps {
        let left = scan.limit - found.len() as i64;
        if left > 0 {
            let mut rest = Sql::new(format!("FROM {} WHERE ", options.table));
            rest.append(Sql::all([step, condition.clone()]));
            rest.push(&format!(" ORDER BY {} LIMIT {left}", by.join(", ")));
            found.extend(rows::select(conn, &all, rest)?.into_iter().map(|row| Row::new(row, columns.len())));
        }
    }
    Ok(found)
}

/// How rows are fetched.
#[derive(Clone, Copy, Debug)]
pub struct Scan {
    /// Against the order of the list.
    pub backwards: bool,
    /// The most rows.
    pub limit: i64,
}

fn direction(order: &Order, scan: Scan) -> &'static str {
    if order.descending != scan.backwards { "DESC" } else { "ASC" }
}

/// Equal in all columns but the last, and beyond the place in that one.
fn beyond(order: &[Order], place: &[Bind], backwards: bool) -> Sql {
    let last = order.len() - 1;
    let conditions = order.iter().zip(place).enumerate().map(|(at, (order, value))| {
        let is_less = order.descending != backwards;
        let comparison = if at < last {
            "="
        } else if is_less {
            "<"
        } else {
            ">"
        };
        let mut condition = Sql::new(format!("{} {comparison} ?", order.sql));
        condition.bind(value.clone());
        condition
    });
    Sql::all(conditions)
}

impl Row {
    fn new(mut row: Vec<Value>, columns: usize) -> Row {
        let place = row.split_off((columns + 1).min(row.len()));
        let place = place.into_iter().map(|value| match value {
            Value::String(text) => Bind::Text(text),
            value => value.as_i64().map_or_else(|| Bind::Text(String::new()), Bind::Integer),
        });
        let place = place.collect();
        let values = row.split_off(1.min(row.len()));
        Row { id: row.first().and_then(Value::as_i64).unwrap_or(0), values, place }
    }

    /// Where the row stands in the list.
    pub fn cursor(&self, number: Option<i64>) -> Cursor {
        Cursor { number, values: self.place.clone() }
    }
}

/// A page of a list.
pub struct Page {
    /// Its rows.
    pub rows: Vec<Row>,
    /// The number of its first row in the list, from 1, if that is known.
    pub number: Option<i64>,
    /// Whether rows come before.
    pub has_previous: bool,
    /// Whether rows come after.
    pub has_next: bool,
}

impl Page {
    /// Reads the page that a query asks for, or the nearest one that has rows.
    pub fn read(
        conn: &mut Connection,
        options: &Options,
        columns: &[&str],
        query: &ListQuery,
        matches: &Matches,
    ) -> QueryResult<Page> {
        let order = query.full_order();
        let (from, backwards) = match &query.place {
            Place::First => (None, false),
            Place::Last => (None, true),
            Place::After(cursor) => (Some(cursor), false),
            Place::Before(cursor) => (Some(cursor), true),
        };
        // The one too many tells that there is more.
        let scan = Scan { backwards, limit: query.show + 1 };
        let mut rows = fetch(conn, options, columns, &matches.condition, &order, from, scan)?;
        let has_more = rows.len() as i64 > query.show;
        let elsewhere = match &query.place {
            Place::After(_) if rows.is_empty() => Some(Place::Last),
            // What is before the second page is the first one, and a whole one.
            Place::Before(_) | Place::Last if !has_more => Some(Place::First),
            _ => None,
        };
        if let Some(place) = elsewhere {
            return Page::read(conn, options, columns, &ListQuery { place, ..query.clone() }, matches);
        }
        rows.truncate(query.show as usize);
        if backwards {
            rows.reverse();
        }
        let length = rows.len() as i64;
        let number = match &query.place {
            Place::First => Some(1),
            Place::Last => (!matches.total.is_at_least).then_some(matches.total.number - length + 1),
            Place::After(cursor) => cursor.number.and_then(|number| number.checked_add(1)),
            Place::Before(cursor) => cursor.number.map(|number| number - length),
        };
        Ok(Page {
            rows,
            // Rows that came meanwhile make it nonsense.
            number: number.filter(|number| *number > 0),
            has_previous: from.is_some() || (backwards && has_more),
            has_next: if backwards { from.is_some() } else { has_more },
        })
    }

    /// The place of the page before.
    pub fn previous(&self) -> Option<Place> {
        let first = self.rows.first().filter(|_| self.has_previous)?;
        Some(Place::Before(first.cursor(self.number)))
    }

    /// The place of the page after.
    pub fn next(&self) -> Option<Place> {
        let last = self.rows.last().filter(|_| self.has_next)?;
        let number = self.number.and_then(|number| number.checked_add(self.rows.len() as i64 - 1));
        Some(Place::After(last.cursor(number)))
    }

    /// `1–100 of 12,345`
    pub fn range(&self, total: Count) -> String {
        let length = self.rows.len() as i64;
        match self.number.and_then(|first| Some((first, first.checked_add(length - 1)?))) {
            Some((first, last)) => format!("{}–{} of {total}", thousands(first), thousands(last)),
            None => format!("{} of {total}", thousands(length)),
        }
    }
}

/// The ids of the next `limit` rows that a query matches, after an id, in the order of ids.
pub fn matching_ids(
    conn: &mut Connection,
    options: &Options,
    query: &ListQuery,
    after_id: i64,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let condition = plain_condition(options, query);
    let order = [Order { name: "id", sql: "id", descending: false }];
    let from = Cursor { number: None, values: vec![Bind::Integer(after_id)] };
    let scan = Scan { backwards: false, limit };
    let rows = fetch(conn, options, &[], &condition, &order, Some(&from), scan)?;
    Ok(rows.iter().map(|row| row.id).collect())
}
