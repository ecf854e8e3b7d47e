//! The trace that a request belongs to (<https://www.w3.org/TR/trace-context/>): taken from `traceparent`, for
//! the log. This service asks no other one on a caller's behalf, so there is nobody to pass it on to.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace's id, if the request names one properly; anything else is ignored, as section 4.3 says.
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(TRACEPARENT).map(HeaderValue::to_str);
    match (values.next(), values.next()) {
        (Some(Ok(value)), None) => parse(value),
        _ => None,
    }
}

/// The trace's id in a value of `traceparent`.
///
/// Version 00 is `00-<trace id>-<parent id>-<flags>` and nothing more. Of a version yet to come the same is
/// read, and a dash and whatever else may follow (section 3.2.4).
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
