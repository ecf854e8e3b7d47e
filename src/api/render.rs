//! Rendering responses as compact JSON like Django REST framework's, indented JSON, or HTML.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::http::edge::request_id;

/// Escapes U+2028 and U+2029, as Django REST framework does: they end lines in JavaScript, which may embed the JSON.
pub fn json(value: &impl Serialize) -> Result<String, crate::error::Error> {
    let text = serde_json::to_string(value).map_err(|error| crate::error::Error::Internal(error.to_string()))?;
    // One by one, because a search for several characters decodes the whole text.
    Ok(if text.contains('\u{2028}') || text.contains('\u{2029}') {
        text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
    } else {
        text
    })
}

/// Adds the request id to the body of a server error, so that it can be found in the log.
pub fn with_request_id(request: &HttpRequest, body: Bytes) -> Bytes {
    match serde_json::from_slice(&body) {
        Ok(Value::Object(mut members)) => {
            members.insert("request_id".to_owned(), request_id(request).into());
            Value::Object(members).to_string().into()
        }
        _ => body,
    }
}

pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

pub fn indented(value: &Value, blanks: usize) -> String {
    let indent = " ".repeat(blanks);
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(indent.as_bytes()));
    // Serializing a JSON value to memory cannot fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&text).replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
