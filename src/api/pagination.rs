//! Pages of a list: `?limit=`, `?cursor=`, `?search=` and `?ordering=`, and the `Link` header (RFC 8288).
//!
//! A cursor holds the last row's place in the order, not a number of rows to skip: a page in the middle
//! costs what the first one costs, and rows that come or go meanwhile shift nothing.

use std::num::IntErrorKind;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};

use crate::db::search::{self, MAX_WORDS};
use crate::error::FieldErrors;

/// Rows of a page when nothing is said.
const DEFAULT_LIMIT: i64 = 100;
/// The most rows of a page; a greater `limit` means this.
const MAX_LIMIT: i64 = 1000;

/// A place in the order of a list, and the direction to go on in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    /// The row's id.
    #[serde(rename = "i")]
    pub id: i64,
    /// The row's value of the ordering field, where that is not the id.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Towards the begin of the list.
    #[serde(rename = "b", default, skip_serializing_if = "std::ops::Not::not")]
    pub backwards: bool,
}

/// What a caller asks of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListQuery {
    /// Rows of a page.
    pub limit: i64,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
    /// Words of which each must occur.
    pub search: Vec<String>,
    /// The ordering field.
    pub order_by: &'static str,
    /// From the greatest to the least.
    pub descending: bool,
}

impl ListQuery {
    /// Reads a query string. `order_fields` are the fields that may order the list, the default first.
    /// Unknown parameters are ignored, as Django REST framework does.
    pub fn parse(query: &str, order_fields: &[&'static str]) -> Result<ListQuery, FieldErrors> {
        let default = order_fields.first().copied().unwrap_or("id");
        let mut list =
            ListQuery { limit: DEFAULT_LIMIT, cursor: None, search: Vec::new(), order_by: default, descending: false };
        let mut errors = FieldErrors::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "limit" => match parse_limit(&value) {
                    Some(limit) => list.limit = limit,
                    None => errors.add("limit", vec!["A whole number from 1 to 1000 is required.".to_owned()]),
                },
                "cursor" => match decode(&value) {
                    Some(cursor) => list.cursor = Some(cursor),
                    None => errors.add("cursor", vec!["Invalid cursor.".to_owned()]),
                },
                "search" => match search::words(&value) {
                    Ok(words) => list.search = words,
                    Err(message) => errors.add("search", vec![message]),
                },
                "ordering" => {
                    let (field, descending) = value.strip_prefix('-').map_or((&*value, false), |field| (field, true));
                    match order_fields.iter().find(|known| **known == field) {
                        Some(known) => (list.order_by, list.descending) = (known, descending),
                        None => errors.add(
                            "ordering",
                            vec![format!(
                                "Choose one of: {}; a hyphen before it reverses the order.",
                                order_fields.join(", ")
                            )],
                        ),
                    }
                }
                _ => {}
            }
        }
        // A cursor of another order would point nowhere.
        if list.cursor.as_ref().is_some_and(|cursor| cursor.key.is_some() != (list.order_by != "id")) {
            errors.add("cursor", vec!["This cursor belongs to another ordering.".to_owned()]);
        }
        errors.into_result().map(|()| list)
    }

    /// Whether the rows are to be fetched from the greatest to the least.
    pub fn fetch_descending(&self) -> bool {
        self.descending != self.cursor.as_ref().is_some_and(|cursor| cursor.backwards)
    }
}

/// What the OpenAPI document says of a list's parameters.
pub fn parameters(order_fields: &[&str]) -> Vec<Parameter> {
    let parameter = |name: &str, description: String, schema: ObjectBuilder| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .description(Some(description))
            .schema(Some(schema))
            .build()
    };
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let orders = order_fields.iter().flat_map(|field| [(*field).to_owned(), format!("-{field}")]);
    let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).default(Some(DEFAULT_LIMIT.into()));
    vec![
        parameter("limit", format!("Rows of a page; more than {MAX_LIMIT} means {MAX_LIMIT}."), limit),
        parameter(
            "cursor",
            "Where the page begins: comes from the `Link` header, and holds for one ordering.".to_owned(),
            text().format(Some(SchemaFormat::Custom("cursor".to_owned()))),
        ),
        parameter(
            "search",
            format!(
                "Words of which each must occur, at most {MAX_WORDS}; quotation marks make several one. \
                 Case does not matter."
            ),
            text().max_length(Some(search::MAX_CHARS)),
        ),
        parameter(
            "ordering",
            "The field that orders the list; a hyphen before it reverses the order.".to_owned(),
            text().enum_values(Some(orders)).default(order_fields.first().map(|field| Value::from(*field))),
        ),
    ]
}

/// A limit from 1 up, cut to [`MAX_LIMIT`], however large the number is.
fn parse_limit(value: &str) -> Option<i64> {
    match value.parse::<i64>() {
        Ok(limit) => (limit >= 1).then(|| limit.min(MAX_LIMIT)),
        Err(error) => (*error.kind() == IntErrorKind::PosOverflow).then_some(MAX_LIMIT),
    }
}

fn decode(cursor: &str) -> Option<Cursor> {
    let cursor: Cursor = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    // No row's value has a NUL, and PostgreSQL refuses one even in a comparison.
    (!cursor.key.as_deref().is_some_and(|key| key.contains('\0'))).then_some(cursor)
}

fn encode(cursor: &Cursor) -> String {
    // A cursor of a number and a string can always be written.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
}

/// One page, in the order that was asked for.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
    /// Where the page before begins, if there is one.
    pub previous: Option<Cursor>,
    /// Whether a cursor led here.
    has_cursor: bool,
}

impl<T> Page<T> {
    /// Makes a page of up to `limit + 1` fetched rows: the one too many tells that there is more.
    /// `place` gives a row's id and its value of the ordering field.
    pub fn new(query: &ListQuery, mut rows: Vec<T>, place: impl Fn(&T) -> (i64, Option<String>)) -> Page<T> {
        let has_more = rows.len() as i64 > query.limit;
        rows.truncate(query.limit as usize);
        let backwards = query.cursor.as_ref().is_some_and(|cursor| cursor.backwards);
        if backwards {
            rows.reverse();
        }
        let cursor = |row: Option<&T>, backwards: bool| {
            let (id, key) = place(row?);
            Some(Cursor { id, key, backwards })
        };
        // Whoever came from somewhere can go back there.
        let next = if has_more || backwards { cursor(rows.last(), false) } else { None };
        let came_forwards = query.cursor.is_some() && !backwards;
        let previous = if came_forwards || (backwards && has_more) { cursor(rows.first(), true) } else { None };
        Page { rows, next, previous, has_cursor: query.cursor.is_some() }
    }

    /// The `Link` header's value for a list at `path`, whose other parameters stay; `None` where the list
    /// is one page. The targets are relative, as RFC 8288 allows: behind a proxy the server does not know
    /// its own address.
    pub fn link(&self, path: &str, query: &str) -> Option<String> {
        let target = |cursor: Option<&Cursor>| {
            let mut parameters = form_urlencoded::Serializer::new(String::new());
            parameters.extend_pairs(form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor"));
            if let Some(cursor) = cursor {
                parameters.append_pair("cursor", &encode(cursor));
            }
            match parameters.finish() {
                parameters if parameters.is_empty() => path.to_owned(),
                parameters => format!("{path}?{parameters}"),
            }
        };
        let mut links = Vec::new();
        if let Some(cursor) = &self.next {
            links.push(format!("<{}>; rel=\"next\"", target(Some(cursor))));
        }
        if let Some(cursor) = &self.previous {
            links.push(format!("<{}>; rel=\"prev\"", target(Some(cursor))));
        }
        // From a page whose rows are all gone by now this is the only way out.
        if self.has_cursor {
            links.push(format!("<{}>; rel=\"first\"", target(None)));
        }
        (!links.is_empty()).then(|| links.join(", "))
    }
}
