//! Fetches rows of a model: one by its id, or ordered pages (Django's `QuerySet`).

use diesel::QueryResult;

use super::model::{Field, Kind, Model};
use super::row::Row;
use super::value::{Value, typed};
use crate::db::keyset::{self, Order, Scan};
use crate::db::rows::{self, Sql};
use crate::db::{Connection, text};

#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    pub id: i64,
    /// The row's values of [`ListQuery::keys`].
    pub keys: Vec<Value>,
    /// The page lies before the position.
    pub backwards: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    /// The fields to read: in the rows, all others are NULL, except those that order the list.
    pub fields: Vec<&'static str>,
    pub limit: i64,
    pub cursor: Option<Cursor>,
    /// All of these words must occur.
    pub search: Vec<String>,
    /// A word must occur in at least one of these fields.
    pub searched: Vec<&'static str>,
    /// The order. Its last field is the id, so no two rows have the same position.
    pub order: Vec<Ordering>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ordering {
    /// `id`, or a field with [`is_ordering`](super::model::Field::is_ordering).
    pub field: &'static str,
    pub descending: bool,
}

impl ListQuery {
    /// The ordering fields before the id.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.order.iter().map(|order| order.field).filter(|field| *field != "id")
    }

    /// Whether one statement finds the page: one step of [`keyset::fetch`], and a total that need not be counted.
    pub fn is_one_statement(&self) -> bool {
        self.search.is_empty() && (self.cursor.is_none() || self.order.len() == 1)
    }

    /// Whether an index has this order: one field and the id, both in one direction.
    pub fn is_indexed(&self) -> bool {
        self.order.len() <= 2 && self.order.iter().all(|order| order.descending == self.order[0].descending)
    }
}

#[derive(Clone, Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub next: Option<Cursor>,
    pub previous: Option<Cursor>,
    /// How many rows the list has, on all pages.
    pub total: i64,
    /// Whether the request had a cursor.
    pub has_cursor: bool,
}

impl<T> Page<T> {
    /// Expects up to `limit + 1` rows; the extra row announces another page. `place` returns id and ordering values.
    pub fn new(query: &ListQuery, mut rows: Vec<T>, total: i64, place: impl Fn(&T) -> (i64, Vec<Value>)) -> Page<T> {
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
        Page { rows, next, previous, total, has_cursor: query.cursor.is_some() }
    }
}

impl Model {
    pub fn find(&'static self, conn: &mut Connection, id: i64) -> QueryResult<Option<Row>> {
        let mut statement =
            Sql::new(format!("SELECT {} FROM {} WHERE id = ?", self.columns().join(", "), self.plural)).kept();
        statement.bind(id);
        Ok(rows::load(conn, statement)?.pop().map(|values| self.row(values)))
    }

    pub fn list(&'static self, conn: &mut Connection, query: &ListQuery) -> QueryResult<Page<Row>> {
        let order: Vec<_> =
            query.order.iter().map(|order| Order { sql: order.field, descending: order.descending }).collect();
        let from = query.cursor.as_ref().map(|cursor| {
            let keys = cursor.keys.iter().cloned();
            keys.chain([Value::Integer(cursor.id)]).collect::<Vec<_>>()
        });
        let is_read = |name| query.fields.contains(&name) || query.keys().any(|key| key == name);
        let reads: Vec<bool> = self.fields.iter().map(|field| is_read(field.name)).collect();
        let read = self.fields.iter().zip(&reads).filter(|(_, is_read)| **is_read).map(|(field, _)| field.name);
        // With the page, because the total alone would take a second round trip and a transaction.
        let kept_count = if query.search.is_empty() { rows::kept_count_of(self.plural) } else { "NULL".to_owned() };
        let scan = Scan {
            table: self.plural,
            columns: &["id"].into_iter().chain(read).chain([kept_count.as_str()]).collect::<Vec<_>>(),
            condition: matching(query),
            order: &order,
            from: from.as_deref(),
            backwards: query.cursor.as_ref().is_some_and(|cursor| cursor.backwards),
            limit: query.limit + 1,
            // Of orders by several fields there are too many. A search is planned for its words.
            is_kept: query.order.len() <= 2 && query.search.is_empty(),
        };
        let found = keyset::fetch(conn, &scan)?;
        let total = match found.first().and_then(|values| values.last()?.as_i64()) {
            Some(kept) => kept,
            None => self.count(conn, query)?,
        };
        let rows = found.into_iter().map(|values| self.partial_row(values, reads.iter().copied())).collect();
        let place = |row: &Row| (row.id, query.keys().map(|field| row.get(field).clone()).collect());
        Ok(Page::new(query, rows, total, place))
    }

    fn count(&self, conn: &mut Connection, query: &ListQuery) -> QueryResult<i64> {
        if query.search.is_empty()
            && let Some(kept) = rows::kept_count(conn, self.plural)?
        {
            return Ok(kept);
        }
        let mut rest = Sql::new(format!("FROM {} WHERE ", self.plural));
        rest.append(matching(query));
        rows::number(conn, "count(*)", rest)
    }

    pub fn title_of(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<String>> {
        let mut statement = Sql::new(format!("SELECT {} FROM {} WHERE id = ?", self.title, self.plural)).kept();
        statement.bind(id);
        let row = rows::load(conn, statement)?.pop();
        Ok(row.and_then(|values| values.first().map(super::value::to_text)))
    }

    pub(super) fn row(&'static self, values: Vec<Value>) -> Row {
        self.partial_row(values, std::iter::repeat(true))
    }

    /// `reads` says of each field whether `values` have it.
    fn partial_row(&'static self, values: Vec<Value>, reads: impl Iterator<Item = bool>) -> Row {
        let mut values = values.into_iter();
        let id = values.next().and_then(|id| id.as_i64()).unwrap_or(0);
        let value = |(field, is_read): (&Field, bool)| match is_read.then(|| values.next()).flatten() {
            Some(value) => typed(field.kind, value),
            None => Value::Null,
        };
        Row { model: self, id, values: self.fields.iter().zip(reads).map(value).collect() }
    }
}

/// All search words must occur, ignoring case.
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
