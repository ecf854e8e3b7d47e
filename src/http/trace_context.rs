//! Reads the trace id from `traceparent` (<https://www.w3.org/TR/trace-context/>) for the log. Gatepost makes no
//! requests on behalf of a client, so it does not propagate the header.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Ignores invalid values (section 4.3).
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(TRACEPARENT).map(HeaderValue::to_str);
    match (values.next(), values.next()) {
        (Some(Ok(value)), None) => parse(value),
        _ => None,
    }
}

/// Version 00 is exactly `00-<trace id>-<parent id>-<flags>`. Later versions may append data (section 3.2.4).
pub fn parse(value: &str) -> Option<&str> {
    let value = value.trim_matches([' ', '\t']);
    let (known, more) = value.split_at_checked(55)?;
    let mut fields = known.split('-');
    let (version, trace_id, parent_id, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let is_hex = |field: &str, length| {
        field.len() == length && field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |field: &str, length| is_hex(field, length) && field.bytes().any(|byte| byte != b'0');
    let is_valid = fields.next().is_none()
        && is_hex(version, 2)
        && is_id(trace_id, 32)
        && is_id(parent_id, 16)
        && is_hex(flags, 2)
        && match version {
            "ff" => false,
            "00" => more.is_empty(),
            _ => more.is_empty() || more.starts_with('-'),
        };
    is_valid.then_some(trace_id)
}
