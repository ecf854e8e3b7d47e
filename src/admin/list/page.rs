//! One page of a list's rows.

use diesel::QueryResult;

use super::matches::{Count, Matches, plain_condition};
use super::query::{ChangeListQuery, Cursor, Order, Place};
use crate::admin::model_admin::Options;
use crate::admin::text::thousands;
use crate::db::rows::{Sql, Value};
use crate::db::{Connection, keyset};

/// A row of a list.
#[derive(Clone, Debug)]
pub struct ListRow {
    /// Its id.
    pub id: i64,
    /// The columns that were asked for.
    pub values: Vec<Value>,
    /// Its values of the order.
    place: Vec<Value>,
}

/// Which rows are fetched, and in what order.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// The condition for the rows.
    pub condition: &'a Sql,
    /// The order of the list: a [`ChangeListQuery::full_order`].
    pub order: &'a [Order],
    /// The place beyond which the rows are; `None`: all.
    pub from: Option<&'a Cursor>,
    /// Against the order of the list.
    pub backwards: bool,
    /// The most rows.
    pub limit: i64,
}

/// Rows in the order of a list, beginning after or before a place.
pub fn fetch(conn: &mut Connection, options: &Options, columns: &[&str], scan: Scan) -> QueryResult<Vec<ListRow>> {
    let order: Vec<keyset::Order> =
        scan.order.iter().map(|order| keyset::Order { sql: order.sql, descending: order.descending }).collect();
    let bound = |(order, value): (&Order, &Value)| order.bind(value).unwrap_or_else(|| value.clone());
    let from = scan.from.map(|from| scan.order.iter().zip(&from.values).map(bound).collect::<Vec<_>>());
    let place = scan.order.iter().map(|order| order.sql);
    let all: Vec<&str> = ["id"].into_iter().chain(columns.iter().copied()).chain(place).collect();
    let scan = keyset::Scan {
        table: options.model.plural,
        columns: &all,
        condition: scan.condition.clone(),
        order: &order,
        from: from.as_deref(),
        backwards: scan.backwards,
        limit: scan.limit,
        is_kept: false,
    };
    Ok(keyset::fetch(conn, &scan)?.into_iter().map(|row| ListRow::new(row, columns.len())).collect())
}

impl ListRow {
    fn new(mut row: Vec<Value>, columns: usize) -> ListRow {
        let place = row.split_off((columns + 1).min(row.len()));
        let values = row.split_off(1.min(row.len()));
        ListRow { id: row.first().and_then(Value::as_i64).unwrap_or(0), values, place }
    }

    /// Where the row stands in the list.
    pub fn cursor(&self, number: Option<i64>) -> Cursor {
        Cursor { number, values: self.place.clone() }
    }
}

/// A page of a list.
pub struct Page {
    /// Its rows.
    pub rows: Vec<ListRow>,
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
        query: &ChangeListQuery,
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
        let limit = query.show + 1;
        let scan = Scan { condition: &matches.condition, order: &order, from, backwards, limit };
        let mut rows = fetch(conn, options, columns, scan)?;
        let has_more = rows.len() as i64 > query.show;
        let elsewhere = match &query.place {
            Place::After(_) if rows.is_empty() => Some(Place::Last),
            // What is before the second page is the first one, and a whole one.
            Place::Before(_) | Place::Last if !has_more => Some(Place::First),
            _ => None,
        };
        if let Some(place) = elsewhere {
            return Page::read(conn, options, columns, &ChangeListQuery { place, ..query.clone() }, matches);
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
    query: &ChangeListQuery,
    after_id: i64,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let condition = plain_condition(options, query);
    let order = [Order::by_id(false)];
    let from = Cursor { number: None, values: vec![Value::Integer(after_id)] };
    let scan = Scan { condition: &condition, order: &order, from: Some(&from), backwards: false, limit };
    let rows = fetch(conn, options, &[], scan)?;
    Ok(rows.iter().map(|row| row.id).collect())
}
