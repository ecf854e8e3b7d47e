//! Query parameters of lists and the `Link` header (RFC 8288). A cursor contains the position of the last row, not an
//! offset: every page costs as much as the first, and rows inserted or deleted in between do not shift the pages.

use std::num::IntErrorKind;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};

use super::viewset::ModelViewSet;
use crate::db::search::{self, MAX_WORDS};
use crate::error::FieldErrors;
use crate::models::list::{Cursor, ListQuery, Ordering, Page};
use crate::models::value::to_json;

const DEFAULT_LIMIT: i64 = 100;
/// A larger `limit` is reduced to this.
const MAX_LIMIT: i64 = 1000;

/// Sent as base64url.
#[derive(Serialize, Deserialize)]
struct CursorJson {
    #[serde(rename = "i")]
    id: i64,
    /// Values and names of the ordering fields before the id.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<Json>,
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    order_by: Vec<String>,
    #[serde(rename = "b", default, skip_serializing_if = "std::ops::Not::not")]
    backwards: bool,
}

/// The default comes first.
fn ordering_names(viewset: &ModelViewSet) -> Vec<&'static str> {
    ["id"].into_iter().chain(viewset.orderings().map(|field| field.name)).collect()
}

/// Ignores unknown parameters and those without a value, as Django REST framework does.
pub fn parse(query: &str, viewset: &ModelViewSet) -> Result<ListQuery, FieldErrors> {
    let searched = viewset.shown().map(|shown| shown.field).filter(|field| field.is_searched);
    let mut list = ListQuery {
        fields: viewset.names(),
        limit: DEFAULT_LIMIT,
        cursor: None,
        search: Vec::new(),
        searched: searched.map(|field| field.name).collect(),
        order: order("", viewset).unwrap_or_default(),
    };
    let (mut cursor, mut errors) = (None, FieldErrors::default());
    for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
        match &*name {
            "limit" => match parse_limit(&value) {
                Some(limit) => list.limit = limit,
                None => errors.add("limit", vec!["A whole number of at least 1 is required.".to_owned()]),
            },
            "cursor" => match decode(&value, viewset) {
                Some(found) => cursor = Some(found),
                None => errors.add("cursor", vec!["Invalid cursor.".to_owned()]),
            },
            "search" => match search::words(&value) {
                Ok(words) => list.search = words,
                Err(message) => errors.add("search", vec![message]),
            },
            "ordering" => match order(&value, viewset) {
                Some(order) => list.order = order,
                None => {
                    let known = ordering_names(viewset).join(", ");
                    let message = format!("Choose one of: {known}; a hyphen before it reverses the order.");
                    errors.add("ordering", vec![message]);
                }
            },
            _ => {}
        }
    }
    // A cursor is meaningless in another order.
    if cursor.as_ref().is_some_and(|(order_by, _)| !list.keys().eq(order_by.iter().copied())) {
        errors.add("cursor", vec!["This cursor belongs to another ordering.".to_owned()]);
    }
    list.cursor = cursor.map(|(_, cursor)| cursor);
    errors.into_result().map(|()| list)
}

/// `None` if a field is unknown. The id, which nothing can follow, is added in the direction of the last field.
fn order(text: &str, viewset: &ModelViewSet) -> Option<Vec<Ordering>> {
    let mut order: Vec<Ordering> = Vec::new();
    for term in text.split(',').map(str::trim).filter(|term| !term.is_empty()) {
        let (name, descending) = term.strip_prefix('-').map_or((term, false), |name| (name, true));
        let field = ordering_names(viewset).into_iter().find(|known| *known == name)?;
        if order.iter().all(|known| known.field != field && known.field != "id") {
            order.push(Ordering { field, descending });
        }
    }
    if order.iter().all(|known| known.field != "id") {
        order.push(Ordering { field: "id", descending: order.last().is_some_and(|last| last.descending) });
    }
    Some(order)
}

pub fn parameters(viewset: &ModelViewSet) -> Vec<Parameter> {
    let parameter = |name: &str, description: String, schema: ObjectBuilder| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .description(Some(description))
            .schema(Some(schema))
            .build()
    };
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let fields = ordering_names(viewset).join("|");
    let pattern = format!("^(-?({fields})(,-?({fields}))*)?$");
    let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).default(Some(DEFAULT_LIMIT.into()));
    vec![
        parameter("limit", format!("Rows per page, at most {MAX_LIMIT}."), limit),
        parameter(
            "cursor",
            "Where the page starts: taken from a `Link` header, valid for one ordering.".to_owned(),
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
            "The field that orders the list; a hyphen before it reverses the order. Several are separated by commas."
                .to_owned(),
            text().pattern(Some(pattern)).default(Some("id".into())),
        ),
    ]
}

/// Reduces the limit to [`MAX_LIMIT`], however large the number. `None` below 1.
fn parse_limit(value: &str) -> Option<i64> {
    match value.parse::<i64>() {
        Ok(limit) => (limit >= 1).then(|| limit.min(MAX_LIMIT)),
        Err(error) => (*error.kind() == IntErrorKind::PosOverflow).then_some(MAX_LIMIT),
    }
}

/// With the ordering fields before the id. `None` if the text is not a cursor of this list.
fn decode(text: &str, viewset: &ModelViewSet) -> Option<(Vec<&'static str>, Cursor)> {
    let cursor: CursorJson = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    if cursor.order_by.len() != cursor.keys.len() {
        return None;
    }
    let (mut order_by, mut keys) = (Vec::new(), Vec::new());
    for (name, key) in cursor.order_by.iter().zip(&cursor.keys) {
        let field = viewset.orderings().find(|field| field.name == name)?;
        order_by.push(field.name);
        keys.push(field.from_json(key)?);
    }
    Some((order_by, Cursor { id: cursor.id, keys, backwards: cursor.backwards }))
}

fn encode(cursor: &Cursor, query: &ListQuery) -> String {
    let order_by = query.keys().map(str::to_owned).collect();
    let keys = cursor.keys.iter().map(to_json).collect();
    let cursor = CursorJson { id: cursor.id, keys, order_by, backwards: cursor.backwards };
    // Serializing numbers and strings cannot fail.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

/// `None` if there is only one page. Other query parameters are kept. The targets are relative (RFC 8288 allows it),
/// because behind a proxy the server does not know its public name.
pub fn link<T>(page: &Page<T>, list: &ListQuery, path: &str, query: &str) -> Option<String> {
    let target = |cursor: Option<&Cursor>| {
        let mut parameters = form_urlencoded::Serializer::new(String::new());
        parameters.extend_pairs(form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor"));
        if let Some(cursor) = cursor {
            parameters.append_pair("cursor", &encode(cursor, list));
        }
        match parameters.finish() {
            parameters if parameters.is_empty() => path.to_owned(),
            parameters => format!("{path}?{parameters}"),
        }
    };
    let mut links = Vec::new();
    if let Some(cursor) = &page.next {
        links.push(format!("<{}>; rel=\"next\"", target(Some(cursor))));
    }
    if let Some(cursor) = &page.previous {
        links.push(format!("<{}>; rel=\"prev\"", target(Some(cursor))));
    }
    // For a page whose rows have all been deleted, this is the only link.
    if page.has_cursor {
        links.push(format!("<{}>; rel=\"first\"", target(None)));
    }
    (!links.is_empty()).then(|| links.join(", "))
}
