//! One page of a list's rows.

use diesel::QueryResult;

use super::matches::{Count, Matches, plain_condition};
use super::query::{ChangeListQuery, Cursor, Order, Place};
use crate::admin::model_admin::Options;
use crate::admin::text::thousands;
use crate::db::rows::{Sql, Value};
use crate::db::{Connection, keyset};

#[derive(Clone, Debug)]
pub struct ListRow {
    pub id: i64,
    pub values: Vec<Value>,
    place: Vec<Value>,
}

#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    pub condition: &'a Sql,
    /// A [`ChangeListQuery::full_order`].
    pub order: &'a [Order],
    /// The place after which the rows start; `None`: all.
    pub from: Option<&'a Cursor>,
    pub backwards: bool,
    pub limit: i64,
}

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

    pub fn cursor(&self, number: Option<i64>) -> Cursor {
        Cursor { number, values: self.place.clone() }
    }
}

pub struct Page {
    pub rows: Vec<ListRow>,
    /// From 1, if known.
    pub number: Option<i64>,
    pub has_previous: bool,
    pub has_next: bool,
}

impl Page {
    /// Reads the page that the query asks for, or the nearest one that has rows.
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
        // One extra row shows that there are more.
        let limit = query.show + 1;
        let scan = Scan { condition: &matches.condition, order: &order, from, backwards, limit };
        let mut rows = fetch(conn, options, columns, scan)?;
        let has_more = rows.len() as i64 > query.show;
        let elsewhere = match &query.place {
            Place::After(_) if rows.is_empty() => Some(Place::Last),
            // The page before the second is the first, and a full one.
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
            // Rows added in the meantime make it meaningless.
            number: number.filter(|number| *number > 0),
            has_previous: from.is_some() || (backwards && has_more),
            has_next: if backwards { from.is_some() } else { has_more },
        })
    }

    pub fn previous(&self) -> Option<Place> {
        let first = self.rows.first().filter(|_| self.has_previous)?;
        Some(Place::Before(first.cursor(self.number)))
    }

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
