//! Entity tags (RFC 9110, section 8.8.3): a hash of the response.

use std::borrow::Cow;
use std::fmt::Display;

use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, LINK};
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::negotiation::Renderer;
use crate::error::Error;

/// Strong. Covers the headers that carry a list's links and total.
pub fn of(body: &[u8], headers: &HeaderMap) -> String {
    let mut hash = Context::new(&SHA256);
    hash.update(body);
    for name in [LINK, HeaderName::from_static("x-total-count")] {
        if let Some(value) = headers.get(name) {
            hash.update(value.as_bytes());
        }
    }
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.finish().as_ref()[..12]))
}

/// Derived from the tag of the compact JSON, which an HTML page uses itself.
pub fn of_rendering(renderer: Renderer, compact: Cow<'_, str>) -> Cow<'_, str> {
    match renderer {
        Renderer::JSON | Renderer::Html => compact,
        Renderer::Json { indent } => of_variant(&compact, indent).into(),
    }
}

/// Different bytes need a different tag, but [`IfMatch`] still recognizes the same version.
pub fn of_variant(tag: &str, variant: impl Display) -> String {
    format!("\"{}.{variant}\"", tag.trim_matches('"'))
}

fn without_variant(tag: &str) -> Cow<'_, str> {
    match tag.split_once('.') {
        Some((version, _)) => format!("{version}\"").into(),
        None => tag.into(),
    }
}

/// `*` does not count: the Django project ignores it on reads.
pub fn any_matches(headers: &HeaderMap, name: HeaderName, tag: &str) -> bool {
    let values = headers.get_all(name).filter_map(|value| value.to_str().ok());
    // `If-None-Match` compares weakly: `W/` does not matter (RFC 9110, section 13.1.2).
    values.flat_map(|value| value.split(',')).map(|item| item.trim().trim_start_matches("W/")).any(|item| item == tag)
}

#[derive(Clone, Debug)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    pub fn from_headers(headers: &HeaderMap) -> IfMatch {
        let mut tags = None;
        for value in headers.get_all(IF_MATCH) {
            let items = value.to_str().unwrap_or_default().split(',').map(|item| item.trim().to_owned());
            tags.get_or_insert_with(Vec::new).extend(items);
        }
        IfMatch(tags)
    }

    /// Fails with 412 if nothing matches. Compares strongly: a weak tag never matches (RFC 9110, section 13.1.1).
    pub fn check(&self, current: &[u8]) -> Result<(), Error> {
        let Some(tags) = &self.0 else { return Ok(()) };
        let current = of(current, &HeaderMap::new());
        let is_known = tags.iter().any(|tag| without_variant(tag) == current || tag == "*");
        if is_known { Ok(()) } else { Err(Error::PreconditionFailed) }
    }
}
