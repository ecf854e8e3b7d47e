//! Entity tags (RFC 9110, section 8.8.3): a hash of the response.

use std::borrow::Cow;
use std::fmt::Display;

use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, LINK};
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::header_values::{elements, joined};
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

/// The tags of a list (RFC 9110, section 8.8.3): each with its quotes, and whether it is weak. A tag may contain commas,
/// and a backslash escapes nothing. What is no tag is skipped up to the next comma.
fn tags(list: &str) -> Vec<(bool, &str)> {
    let (mut tags, mut rest) = (Vec::new(), list);
    while !rest.is_empty() {
        let item = rest.trim_start_matches([' ', '\t', ',']);
        let opaque = item.strip_prefix("W/").unwrap_or(item);
        let end = opaque.strip_prefix('"').and_then(|inner| inner.find('"')).map(|at| at + 2);
        let behind = end.map_or(item, |end| &opaque[end..]);
        let (odd, next) = behind.split_once(',').unwrap_or((behind, ""));
        if let Some(end) = end.filter(|_| odd.trim_matches([' ', '\t']).is_empty()) {
            tags.push((opaque.len() < item.len(), &opaque[..end]));
        }
        rest = next;
    }
    tags
}

/// `*` does not count: the Django project ignores it on reads.
pub fn any_matches(headers: &HeaderMap, name: HeaderName, tag: &str) -> bool {
    // `If-None-Match` compares weakly: `W/` does not matter (RFC 9110, section 13.1.2).
    let tag = tag.trim_start_matches("W/");
    tags(&joined(headers, name)).iter().any(|(_, known)| *known == tag)
}

/// The header's value, if there is one.
#[derive(Clone, Debug)]
pub struct IfMatch(Option<String>);

impl IfMatch {
    pub fn from_headers(headers: &HeaderMap) -> IfMatch {
        IfMatch(headers.contains_key(IF_MATCH).then(|| joined(headers, IF_MATCH)))
    }

    /// Fails with 412 if nothing matches. Compares strongly: a weak tag never matches (RFC 9110, section 13.1.1).
    pub fn check(&self, current: &[u8]) -> Result<(), Error> {
        let Some(value) = &self.0 else { return Ok(()) };
        let current = of(current, &HeaderMap::new());
        let is_any = elements(value).any(|element| element == "*");
        let is_known = is_any || tags(value).iter().any(|(is_weak, tag)| !is_weak && without_variant(tag) == current);
        if is_known { Ok(()) } else { Err(Error::PreconditionFailed) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_of_tags_is_read_as_the_rfc_says() {
        for (list, expected) in [
            ("", &[][..]),
            (" ,, \t", &[]),
            ("\"a\"", &[(false, "\"a\"")]),
            (",\"a\" ,, W/\"b\",", &[(false, "\"a\""), (true, "\"b\"")]),
            ("\"a,b\",\"c\"", &[(false, "\"a,b\""), (false, "\"c\"")]),
            (r#""a\","b""#, &[(false, r#""a\""#), (false, "\"b\"")]),
            ("\"\"", &[(false, "\"\"")]),
            ("bare, \"a\"", &[(false, "\"a\"")]),
            ("w/\"a\", \"b\"c, \"d\"", &[(false, "\"d\"")]),
            ("\"a\", \"open", &[(false, "\"a\"")]),
            ("W/", &[]),
        ] {
            assert_eq!(tags(list), expected, "{list}");
        }
    }

    proptest! {
        #[test]
        fn tags_as_the_rfc_writes_them_are_read(
            written in prop::collection::vec((any::<bool>(), "[!#-~\u{80}-\u{ff}]{0,8}", "[ \t]{0,2},[ \t,]{0,3}"), 0..5),
        ) {
            let expected: Vec<_> = written.iter().map(|(is_weak, tag, _)| (*is_weak, format!("\"{tag}\""))).collect();
            let weak = |is_weak: bool| if is_weak { "W/" } else { "" };
            let list: String = written.iter().map(|(is_weak, tag, end)| format!("{}\"{tag}\"{end}", weak(*is_weak))).collect();
            let found: Vec<_> = tags(&list).into_iter().map(|(is_weak, tag)| (is_weak, tag.to_owned())).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn any_list_is_read_without_a_panic(list in any::<String>()) {
            tags(&list);
        }
    }
}
