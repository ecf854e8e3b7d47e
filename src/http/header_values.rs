//! The grammar of header values (RFC 9110, section 5.6): lists, parameters, tokens, quoted strings and quality values.

use std::borrow::Cow;

use actix_web::http::header::{AsHeaderName, HeaderMap};

/// The blanks that may stand around a comma or a semicolon.
const OWS: [char; 2] = [' ', '\t'];

/// A value as text: UTF-8, or ISO 8859-1 where it is not. No value is lost for an odd byte.
pub fn text(value: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(value) {
        Ok(text) => text.into(),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// The value of a header whose lines form one list (section 5.3).
pub fn joined(headers: &HeaderMap, name: impl AsHeaderName) -> String {
    headers.get_all(name).map(|value| text(value.as_bytes())).collect::<Vec<_>>().join(", ")
}

/// The elements of a list. Empty ones do not count (section 5.6.1.2), and a comma within quotes separates nothing.
pub fn elements(list: &str) -> impl DoubleEndedIterator<Item = &str> {
    split(list, ',').into_iter().filter(|element| !element.is_empty())
}

/// A value and its parameters: `text/html; charset=utf-8`. A parameter's value that breaks the grammar is `None`.
/// Blanks around `=` are an error that Django forgives, too.
pub fn with_parameters(value: &str) -> (&str, impl Iterator<Item = (&str, Option<Cow<'_, str>>)>) {
    let mut parts = split(value, ';').into_iter();
    let value = parts.next().unwrap_or_default();
    (value, parts.filter(|part| !part.is_empty()).map(parameter))
}

fn parameter(text: &str) -> (&str, Option<Cow<'_, str>>) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.trim_start_matches(OWS);
    let value = match value.strip_prefix('"') {
        Some(rest) => unquoted(rest),
        None => is_token(value).then_some(value.into()),
    };
    (name.trim_end_matches(OWS), value)
}

/// A quoted string without its quotes and escapes, given from behind its first quote; `None` if it does not end where
/// the text does.
pub(super) fn unquoted(rest: &str) -> Option<Cow<'_, str>> {
    let inner = rest.strip_suffix('"')?;
    if !inner.contains(['"', '\\']) {
        return Some(inner.into());
    }
    let (mut value, mut characters) = (String::new(), inner.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => value.push(characters.next()?),
            other => value.push(other),
        }
    }
    Some(value.into())
}

/// A quality value (section 12.4.2) in thousandths.
pub fn quality(value: &str) -> Option<u16> {
    let value: f32 = value.parse().ok()?;
    (0.0..=1.0).contains(&value).then(|| (value * 1000.0).round() as u16)
}

/// Whether a text is a token (section 5.6.2).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Splits at a separator outside of quotes, and trims blanks.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_end = |character: char| {
        let is_end = character == separator && !is_quoted;
        if character == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = is_quoted && character == '\\' && !is_escaped;
        is_end
    };
    text.split(is_end).map(|part| part.trim_matches(OWS)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_skips_empty_elements_and_respects_quotes() {
        for (list, expected) in [
            ("", &[][..]),
            (" , ,\t,", &[]),
            ("a", &["a"]),
            (",a,, b\t,", &["a", "b"]),
            ("a;b=\"x,y\",c", &["a;b=\"x,y\"", "c"]),
            (r#"a;b="x\",y",c"#, &[r#"a;b="x\",y""#, "c"]),
            (r#"a;b="x\\",c"#, &[r#"a;b="x\\""#, "c"]),
            (r"a\,b", &[r"a\", "b"]),
            ("a;b=\"x,y", &["a;b=\"x,y"]),
        ] {
            assert_eq!(elements(list).collect::<Vec<_>>(), expected, "{list}");
        }
    }

    #[test]
    fn an_odd_byte_does_not_lose_a_value() {
        assert_eq!(text(b"caf\xe9"), "caf\u{e9}");
        assert_eq!(text("caf\u{e9}".as_bytes()), "caf\u{e9}");
    }

    /// A parameter's value, and a way to write it: as a token where it is one, or quoted, with more escapes than it
    /// needs.
    fn value() -> impl Strategy<Value = (String, String)> {
        let quoted = prop::collection::vec((r#"[\t -~\u{80}-\u{ff}]"#, any::<bool>()), 0..12).prop_map(|characters| {
            let write = |(character, is_escaped): &(String, bool)| {
                let is_escaped = *is_escaped || character == "\"" || character == "\\";
                format!("{}{character}", if is_escaped { "\\" } else { "" })
            };
            let written: String = characters.iter().map(write).collect();
            (characters.into_iter().map(|(character, _)| character).collect(), format!("\"{written}\""))
        });
        prop_oneof!["[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}".prop_map(|token| (token.clone(), token)), quoted]
    }

    proptest! {
        #[test]
        fn parameters_as_the_rfc_writes_them_are_read(
            parameters in prop::collection::vec(("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", value(), "[ \t]{0,2};[ \t;]{0,3}"), 0..5),
            end in "[ \t;]{0,3}",
        ) {
            let written: String = parameters.iter().map(|(name, (_, value), before)| format!("{before}{name}={value}")).collect();
            let list = format!(",{} a/b{written}{end}, ,c", "x,");
            let mut found = elements(&list).skip(1);
            let (kind, read) = with_parameters(found.next().expect("an element"));
            let read: Vec<_> = read.map(|(name, value)| (name.to_owned(), value.map(Cow::into_owned))).collect();
            let expected: Vec<_> = parameters.iter().map(|(name, (value, _), _)| (name.clone(), Some(value.clone()))).collect();
            prop_assert_eq!((kind, read), ("a/b", expected));
            prop_assert_eq!(found.collect::<Vec<_>>(), ["c"]);
        }

        #[test]
        fn anything_is_read_without_a_panic(value in any::<String>()) {
            for element in elements(&value) {
                with_parameters(element).1.for_each(drop);
            }
        }
    }
}
