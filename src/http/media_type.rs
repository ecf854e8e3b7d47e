//! [`MediaType`]: the value of `Content-Type` (RFC 9110, section 8.3.1).

use std::borrow::Cow;

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};

use super::header_values::{is_token, text, with_parameters};

pub const JSON: &str = "application/json";
pub const FORM: &str = "application/x-www-form-urlencoded";
pub const MULTIPART: &str = "multipart/form-data";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// Type and subtype, in lower case.
    essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// The `Content-Type` of a request; `None` if there is none, or none that can be read.
    pub fn of(headers: &HeaderMap) -> Option<MediaType> {
        headers.get(CONTENT_TYPE).and_then(|value| MediaType::parse(&text(value.as_bytes())))
    }

    /// Parses a value; `None` if it breaks the grammar.
    pub fn parse(value: &str) -> Option<MediaType> {
        let (essence, parameters) = with_parameters(value);
        essence.split_once('/').filter(|(kind, subkind)| is_token(kind) && is_token(subkind))?;
        let own = |(name, value): (&str, Option<Cow<str>>)| {
            let value = value.filter(|_| is_token(name))?;
            Some((name.to_ascii_lowercase(), value.into_owned()))
        };
        let parameters = parameters.map(own).collect::<Option<_>>()?;
        Some(MediaType { essence: essence.to_ascii_lowercase(), parameters })
    }

    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The first parameter with this name, given in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_media_type_is_read_as_the_rfc_says() {
        for (value, essence, charset) in [
            ("application/json", JSON, None),
            ("application/json ; charset=utf-8", JSON, Some("utf-8")),
            ("\tApplication/JSON\t;\tCHARSET=UTF-8 ", JSON, Some("UTF-8")),
            ("application/json;;charset=\"utf-8\";", JSON, Some("utf-8")),
            ("application/json;charset=\"u\\tf-8\"", JSON, Some("utf-8")),
            ("application/json; a=\"; charset=x\"; charset=y", JSON, Some("y")),
            ("application/json; charset = utf-8", JSON, Some("utf-8")),
            ("multipart/form-data; boundary=x", MULTIPART, None),
        ] {
            let read = MediaType::parse(value).unwrap_or_else(|| panic!("{value} is refused"));
            assert_eq!((read.essence(), read.parameter("charset")), (essence, charset), "{value}");
        }
        for bad in [
            "",
            "json",
            "/json",
            "a/",
            "a/b/c",
            "a /b",
            "a/b; c",
            "a/b; c d=e",
            "a/b; c=\"d",
            "a/b; c=\"d\"e",
            "a/b; c=",
            "a/b, c/d",
            "a/b;c=\"\\\"",
        ] {
            assert_eq!(MediaType::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn case_and_blanks_do_not_matter(upper in any::<[bool; 3]>(), blanks in "[ \t]{0,3}", is_quoted in any::<bool>()) {
            let cased = |at: usize, text: &str| if upper[at] { text.to_uppercase() } else { text.to_owned() };
            let charset = if is_quoted { "\"utf-8\"" } else { "utf-8" };
            let essence = format!("{}/{}", cased(0, "application"), cased(1, "json"));
            let value = format!("{blanks}{essence}{blanks};{blanks}{}={charset}{blanks}", cased(2, "charset"));
            let plain = MediaType::parse("application/json;charset=utf-8");
            prop_assert_eq!(MediaType::parse(&value), plain);
        }

        #[test]
        fn anything_is_read_or_refused(value in any::<String>()) {
            MediaType::parse(&value);
        }
    }
}
