//! Writing an answer: compact JSON as Django REST framework writes it, indented, or as a page.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::http::edge::request_id;

/// Writes a value compactly. U+2028 and U+2029 are escaped, as in the original: they end lines in
/// JavaScript, and a JSON text may be put into a script.
pub fn json(value: &impl Serialize) -> Result<String, crate::error::Error> {
    let text = serde_json::to_string(value).map_err(|error| crate::error::Error::Internal(error.to_string()))?;
    Ok(if text.contains(['\u{2028}', '\u{2029}']) {
        text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
    } else {
        text
    })
}

/// Adds the request's id to the body of an error on our side, so that a report can be found in the log.
pub fn with_request_id(request: &HttpRequest, body: Bytes) -> Bytes {
    match serde_json::from_slice(&body) {
        Ok(Value::Object(mut members)) => {
            members.insert("request_id".to_owned(), request_id(request).into());
            Value::Object(members).to_string().into()
        }
        _ => body,
    }
}

/// The type of pages.
pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Writes a value with so many blanks for each level.
pub fn indented(value: &Value, blanks: usize) -> String {
    let indent = " ".repeat(blanks);
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(indent.as_bytes()));
    // Writing to memory a value that was just read cannot fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&text).replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
