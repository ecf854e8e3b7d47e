//! Fetches rows of a model: one by its id, or ordered pages.

use diesel::QueryResult;

use super::model::{Field, Kind, Model};
use super::row::Row;
use super::value::{Value, typed};
use crate::db::keyset::{self, Order, Scan};
use crate::db::rows::{self, Sql};
use crate::db::{Connection, text};

/// A position in an ordered list, and a direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// The row's id.
    pub id: i64,
    /// The row's values of the ordering fields before the id.
    pub keys: Vec<Value>,
    /// Whether the page lies before the position.
    pub backwards: bool,
}

/// The parameters of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    /// Rows per page.
    pub limit: i64,
    /// Where the page starts; `None` for the first page.
    pub cursor: Option<Cursor>,
    /// Search words, all of which must occur.
    pub search: Vec<String>,
    /// The fields that are searched. A word must occur in at least one of them.
    pub searched: Vec<&'static str>,
    /// The order. Its last field is the id, so no two rows have the same position.
    pub order: Vec<Ordering>,
}

/// A field of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ordering {
    /// `id`, or a field that lists can be ordered by.
    pub field: &'static str,
    /// Whether larger values come first.
    pub descending: bool,
}

impl ListQuery {
    /// The ordering fields before the id.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.order.iter().map(|order| order.field).filter(|field| *field != "id")
    }

    /// Whether an index has this order: one field and the id, both in one direction.
    pub fn is_indexed(&self) -> bool {
        self.order.len() <= 2 && self.order.iter().all(|order| order.descending == self.order[0].descending)
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
    /// Where the previous page starts, if there is one.
    pub previous: Option<Cursor>,
    /// Whether the request had a cursor.
    pub has_cursor: bool,
}

impl<T> Page<T> {
    /// Builds a page from up to `limit + 1` rows; the extra row shows that there is another page. `place` returns a
    /// row's id and its values of the ordering fields.
    pub fn new(query: &ListQuery, mut rows: Vec<T>, place: impl Fn(&T) -> (i64, Vec<Value>)) -> Page<T> {
        let has_more = rows.len() as i64 > query.limit;
        rows.truncate(query.limit as usize);
        let backwards = query.cursor.as_ref().is_some_and(|cursor| cursor.backwards);
        if backwards {
            rows.reverse();
        }
        let cursor = |row: Option<&T>, backwards: bool| {
            let (id, keys) = place(row?);
            Some(Cursor { id, keys, backwards })
        };
        // A page reached by a cursor has a page to go back to.
        let next = if has_more || backwards { cursor(rows.last(), false) } else { None };
        let came_forwards = query.cursor.is_some() && !backwards;
        let previous = if came_forwards || (backwards && has_more) { cursor(rows.first(), true) } else { None };
        Page { rows, next, previous, has_cursor: query.cursor.is_some() }
    }
}

impl Model {
    /// The row with this id.
    pub fn find(&'static self, conn: &mut Connection, id: i64) -> QueryResult<Option<Row>> {
        let mut statement =
            Sql::new(format!("SELECT {} FROM {} WHERE id = ?", self.columns().join(", "), self.plural)).kept();
        statement.bind(id);
        Ok(rows::load(conn, statement)?.pop().map(|values| self.row(values)))
    }

    /// One page of the rows that match the query.
    pub fn list(&'static self, conn: &mut Connection, query: &ListQuery) -> QueryResult<Page<Row>> {
        let order: Vec<_> =
            query.order.iter().map(|order| Order { sql: order.field, descending: order.descending }).collect();
        let from = query.cursor.as_ref().map(|cursor| {
            let keys = cursor.keys.iter().cloned();
            keys.chain([Value::Integer(cursor.id)]).collect::<Vec<_>>()
        });
        let scan = Scan {
            table: self.plural,
            columns: &self.columns(),
            condition: matching(query),
            order: &order,
            from: from.as_deref(),
            backwards: query.cursor.as_ref().is_some_and(|cursor| cursor.backwards),
            limit: query.limit + 1,
            // Of orders by several fields there are too many.
            is_kept: query.order.len() <= 2,
        };
        let rows = keyset::fetch(conn, &scan)?.into_iter().map(|values| self.row(values)).collect();
        Ok(Page::new(query, rows, |row: &Row| (row.id, query.keys().map(|field| row.get(field).clone()).collect())))
    }

    /// The number of rows that match the search. Without a search, it is read from `row_counts` if triggers maintain
    /// it.
    pub fn count(&self, conn: &mut Connection, query: &ListQuery) -> QueryResult<i64> {
        if query.search.is_empty()
            && let Some(kept) = rows::kept_count(conn, self.plural)?
        {
            return Ok(kept);
        }
        let mut rest = Sql::new(format!("FROM {} WHERE ", self.plural));
        rest.append(matching(query));
        rows::number(conn, "count(*)", rest)
    }

    /// The title of the row with this id.
    pub fn title_of(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<String>> {
        let mut statement = Sql::new(format!("SELECT {} FROM {} WHERE id = ?", self.title, self.plural)).kept();
        statement.bind(id);
        let row = rows::load(conn, statement)?.pop();
        Ok(row.and_then(|values| values.first().map(super::value::to_text)))
    }

    /// Builds a row from the values of [`Model::columns`].
    pub(super) fn row(&'static self, mut values: Vec<Value>) -> Row {
        let id = values.first().and_then(Value::as_i64).unwrap_or(0);
        let rest = values.drain(1.min(values.len())..);
        let values = self.fields.iter().zip(rest).map(|(field, value)| typed(field.kind, value)).collect();
        Row { model: self, id, values }
    }
}

/// The condition that all search words occur, ignoring case.
fn matching(query: &ListQuery) -> Sql {
    if query.search.is_empty() {
        return Sql::all([]);
    }
    if query.searched.is_empty() {
        return Sql::new("1 = 0");
    }
    let mut condition = Sql::new(format!("contains_all({}, ?)", text::concatenated(&query.searched)));
    condition.bind(text::join(&query.search));
    condition
}

impl Field {
    /// Parses the JSON that [`to_json`](super::value::to_json) writes; `None` if no row can have this value.
    pub fn from_json(&self, json: &serde_json::Value) -> Option<Value> {
        use serde_json::Value as Json;
        match (self.kind, json) {
            (Kind::Boolean, Json::Bool(flag)) => Some(Value::Boolean(*flag)),
            (Kind::Integer | Kind::ForeignKey(_), Json::Number(number)) => number.as_i64().map(Value::Integer),
            (Kind::DateTime, Json::String(text)) => super::clean::parse_datetime(text).map(Value::DateTime),
            // No stored text contains NUL, and PostgreSQL rejects it even in a comparison.
            (Kind::Char(_) | Kind::Email | Kind::Choice(_), Json::String(text)) if !text.contains('\0') => {
                Some(Value::Text(text.clone()))
            }
            _ => None,
        }
    }
}
