//! Content negotiation: `?format=` first, then `Accept` with its quality values (RFC 9110, section 12.5.1).

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;

use super::header_values::{self, elements, joined, with_parameters};
use crate::error::Error;

pub const MEDIA_TYPES: [&str; 2] = ["application/json", "text/html"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renderer {
    Json {
        /// Spaces, 0 (compact) to 8, as in Django REST framework.
        indent: u8,
    },
    Html,
}

impl Renderer {
    pub const JSON: Renderer = Renderer::Json { indent: 0 };
}

struct MediaRange<'a> {
    kind: &'a str,
    subkind: &'a str,
    indent: u8,
    /// In thousandths.
    quality: u16,
}

/// Fails with 404 for an unknown `?format=` and with 406 if nothing is acceptable.
pub fn choose(request: &HttpRequest) -> Result<Renderer, Error> {
    match format(request).as_deref() {
        Some("json") => Ok(Renderer::JSON),
        Some("api") => Ok(Renderer::Html),
        Some(_) => Err(Error::NoSuchFormat),
        None => from_accept(&accept(request)),
    }
}

fn format(request: &HttpRequest) -> Option<Cow<'_, str>> {
    let parameters = form_urlencoded::parse(request.query_string().as_bytes());
    let formats = parameters.filter_map(|(name, value)| (name == "format").then_some(value));
    formats.last().filter(|format| !format.is_empty())
}

fn accept(request: &HttpRequest) -> String {
    joined(request.headers(), ACCEPT)
}

/// Only if `Accept` names problem details (RFC 9457), with at least the quality of the format for successes.
pub fn wants_problem(request: &HttpRequest) -> bool {
    format(request).is_none() && accept_wants_problem(&accept(request))
}

pub fn accept_wants_problem(accept: &str) -> bool {
    let ranges = parse_ranges(accept);
    let success = quality(&ranges, "application", "json").max(quality(&ranges, "text", "html"));
    is_named(&ranges, "application", "problem+json") && quality(&ranges, "application", "problem+json") >= success
}

/// With at least the quality of HTML. For URLs whose default is an HTML page.
pub fn names_json(request: &HttpRequest) -> bool {
    let accept = accept(request);
    let ranges = parse_ranges(&accept);
    let (json, html) = (quality(&ranges, "application", "json"), quality(&ranges, "text", "html"));
    is_named(&ranges, "application", "json") && json >= html
}

pub fn from_accept(accept: &str) -> Result<Renderer, Error> {
    if accept.trim().is_empty() {
        return Ok(Renderer::JSON);
    }
    let ranges = parse_ranges(accept);
    // With equal quality the server prefers JSON, unless the range for HTML is more specific.
    let json = best(&ranges, "application", "json");
    let html = best(&ranges, "text", "html");
    let rank = |found: &Option<(&MediaRange, u8)>| found.as_ref().map(|(range, precision)| (range.quality, *precision));
    match (json, html) {
        (None, None) => Err(Error::NotAcceptable),
        (json, html) if rank(&html) > rank(&json) => Ok(Renderer::Html),
        (Some((range, _)), _) => Ok(Renderer::Json { indent: range.indent }),
        (None, Some(_)) => Ok(Renderer::Html),
    }
}

/// The most specific range, with its specificity; `None` if the type is refused (`q=0`).
fn best<'a, 'b>(ranges: &'b [MediaRange<'a>], kind: &str, subkind: &str) -> Option<(&'b MediaRange<'a>, u8)> {
    let covering = ranges.iter().filter_map(|range| match (range.kind, range.subkind) {
        (k, s) if k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subkind) => {
            Some((range, 2 + u8::from(range.indent > 0)))
        }
        (k, "*") if k.eq_ignore_ascii_case(kind) => Some((range, 1)),
        ("*", "*") => Some((range, 0)),
        _ => None,
    });
    covering.max_by_key(|(range, precision)| (*precision, range.quality)).filter(|(range, _)| range.quality > 0)
}

fn quality(ranges: &[MediaRange], kind: &str, subkind: &str) -> u16 {
    best(ranges, kind, subkind).map_or(0, |(range, _)| range.quality)
}

fn is_named(ranges: &[MediaRange], kind: &str, subkind: &str) -> bool {
    best(ranges, kind, subkind).is_some_and(|(range, _)| range.subkind != "*")
}

fn parse_ranges(accept: &str) -> Vec<MediaRange<'_>> {
    elements(accept).filter_map(parse).collect()
}

fn parse(element: &str) -> Option<MediaRange<'_>> {
    let (range, parameters) = with_parameters(element);
    let (kind, subkind) = range.split_once('/')?;
    let mut range = MediaRange { kind: kind.trim(), subkind: subkind.trim(), indent: 0, quality: 1000 };
    for (name, value) in parameters {
        let value = value.unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "q" => range.quality = header_values::quality(&value)?,
            "indent" => range.indent = value.parse::<u64>().unwrap_or(0).min(8) as u8,
            _ => {}
        }
    }
    Some(range)
}
