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
use crate::models::Field;
use crate::models::list::{Cursor, ListQuery, Page};
use crate::models::value::to_json;

const DEFAULT_LIMIT: i64 = 100;
/// A larger `limit` is reduced to this.
const MAX_LIMIT: i64 = 1000;

/// Sent as base64url.
#[derive(Serialize, Deserialize)]
struct CursorJson {
    #[serde(rename = "i")]
    id: i64,
    /// Both are missing if the list is ordered by id.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    key: Option<Json>,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    order_by: Option<String>,
    #[serde(rename = "b", default, skip_serializing_if = "std::ops::Not::not")]
    backwards: bool,
}

/// The ordering fields in addition to the id. Only visible fields: the order would reveal the values of a hidden one.
fn orderings(viewset: &ModelViewSet) -> impl Iterator<Item = &'static Field> {
    viewset.shown().map(|shown| shown.field).filter(|field| field.is_ordering)
}

/// The default comes first.
fn names(viewset: &ModelViewSet) -> Vec<&'static str> {
    ["id"].into_iter().chain(orderings(viewset).map(|field| field.name)).collect()
}

/// Ignores unknown parameters, as Django REST framework does.
pub fn parse(query: &str, viewset: &ModelViewSet) -> Result<ListQuery, FieldErrors> {
    let searched = viewset.shown().map(|shown| shown.field).filter(|field| field.is_searched);
    let mut list = ListQuery {
        limit: DEFAULT_LIMIT,
        cursor: None,
        search: Vec::new(),
        searched: searched.map(|field| field.name).collect(),
        order_by: "id",
        descending: false,
    };
    let (mut cursor, mut errors) = (None, FieldErrors::default());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "limit" => match parse_limit(&value) {
                Some(limit) => list.limit = limit,
                None => errors.add("limit", vec!["A whole number from 1 to 1000 is required.".to_owned()]),
            },
            "cursor" => match decode(&value, viewset) {
                Some(found) => cursor = Some(found),
                None => errors.add("cursor", vec!["Invalid cursor.".to_owned()]),
            },
            "search" => match search::words(&value) {
                Ok(words) => list.search = words,
                Err(message) => errors.add("search", vec![message]),
            },
            "ordering" => {
                let (field, descending) = value.strip_prefix('-').map_or((&*value, false), |field| (field, true));
                let known = names(viewset);
                match known.iter().find(|known| **known == field) {
                    Some(known) => (list.order_by, list.descending) = (known, descending),
                    None => {
                        let known = known.join(", ");
                        let message = format!("Choose one of: {known}; a hyphen before it reverses the order.");
                        errors.add("ordering", vec![message]);
                    }
                }
            }
            _ => {}
        }
    }
    // A cursor is meaningless in another order.
    if cursor.as_ref().is_some_and(|(order_by, _)| *order_by != list.order_by) {
        errors.add("cursor", vec!["This cursor belongs to another ordering.".to_owned()]);
    }
    list.cursor = cursor.map(|(_, cursor)| cursor);
    errors.into_result().map(|()| list)
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
    let orders = names(viewset).into_iter().flat_map(|field| [field.to_owned(), format!("-{field}")]);
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
            "The field that orders the list; a hyphen before it reverses the order.".to_owned(),
            text().enum_values(Some(orders)).default(Some("id".into())),
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

/// `None` if the text is not a cursor of this list.
fn decode(text: &str, viewset: &ModelViewSet) -> Option<(&'static str, Cursor)> {
    let cursor: CursorJson = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (order_by, key) = match (cursor.order_by, cursor.key) {
        (None, None) => ("id", None),
        (Some(name), Some(key)) => {
            let field = orderings(viewset).find(|field| field.name == name)?;
            (field.name, Some(field.from_json(&key)?))
        }
        _ => return None,
    };
    Some((order_by, Cursor { id: cursor.id, key, backwards: cursor.backwards }))
}

fn encode(cursor: &Cursor, order_by: &str) -> String {
    let key = cursor.key.as_ref().map(to_json);
    let order_by = key.is_some().then(|| order_by.to_owned());
    let cursor = CursorJson { id: cursor.id, key, order_by, backwards: cursor.backwards };
    // Serializing numbers and strings cannot fail.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

/// `None` if there is only one page. Other query parameters are kept. The targets are relative (RFC 8288 allows it),
/// because behind a proxy the server does not know its public name.
pub fn link<T>(page: &Page<T>, order_by: &str, path: &str, query: &str) -> Option<String> {
    let target = |cursor: Option<&Cursor>| {
        let mut parameters = form_urlencoded::Serializer::new(String::new());
        parameters.extend_pairs(form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor"));
        if let Some(cursor) = cursor {
            parameters.append_pair("cursor", &encode(cursor, order_by));
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
