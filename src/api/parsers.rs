//! Parsing a request's body: JSON, forms and multipart forms.

use std::borrow::Cow;

use actix_web::web::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, FieldErrors, NON_FIELD_ERRORS};
use crate::http::body::{Body, parse_error};
use crate::http::charset::Charset;
use crate::http::forms::{form_fields, parts};
use crate::http::media_type::{self, MediaType};
use crate::models::{Data, Input};

pub const MEDIA_TYPES: [&str; 3] = [media_type::JSON, media_type::FORM, media_type::MULTIPART];

impl Body {
    /// An empty body has no data.
    pub async fn data(mut self) -> Result<Data, Error> {
        let body = self.content().await?;
        if body.is_empty() {
            return Ok(Data::new());
        }
        let (media_type, charset) = self.media_type()?;
        match media_type.essence() {
            media_type::JSON => json(&decode(&body, charset)?),
            media_type::FORM => form(&body, charset),
            media_type::MULTIPART => multipart(&media_type, charset, body).await,
            _ => Err(self.unsupported()),
        }
    }
}

fn decode(body: &[u8], charset: Charset) -> Result<Cow<'_, str>, Error> {
    match charset.decode(body) {
        Ok(text) if text.starts_with('\u{feff}') => {
            Err(parse_error("JSON", "unexpected byte order mark at line 1 column 1"))
        }
        decoded => decoded.map_err(|problem| parse_error("JSON", problem)),
    }
}

/// Nested values are only checked for valid syntax.
pub fn json(text: &str) -> Result<Data, Error> {
    let value: &RawValue = serde_json::from_str(text).map_err(|error| parse_error("JSON", error))?;
    let kind = match value.get().as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(value.get()).map_err(|error| parse_error("JSON", error))?;
            return Ok(members);
        }
        Some(b'n') => return Err(FieldErrors::one(NON_FIELD_ERRORS, "No data provided").into()),
        Some(b'[') => "list",
        Some(b'"') => "str",
        Some(b't' | b'f') => "bool",
        _ if value.get().contains(['.', 'e', 'E']) => "float",
        _ => "int",
    };
    Err(FieldErrors::one(NON_FIELD_ERRORS, format!("Invalid data. Expected a dictionary, but got {kind}.")).into())
}

/// Duplicate names are errors.
struct Members(Data);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members, A::Error> {
                let mut members = Data::new();
                while let Some((name, value)) = entries.next_entry::<Wtf8, &RawValue>()? {
                    // No field has a name with a surrogate.
                    let Ok(name) = String::from_utf8(name.0) else { continue };
                    let value = input(value.get()).map_err(serde::de::Error::custom)?;
                    if members.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("a member's name occurs twice"));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// When asked for bytes, serde_json returns unpaired surrogates in WTF-8; when asked for a string, it rejects the body.
struct Wtf8(Vec<u8>);

impl<'de> Deserialize<'de> for Wtf8 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Wtf8, D::Error> {
        struct BytesVisitor;
        impl Visitor<'_> for BytesVisitor {
            type Value = Wtf8;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Wtf8, E> {
                Ok(Wtf8(bytes.to_vec()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Wtf8, E> {
                Ok(Wtf8(text.into()))
            }
        }
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

fn input(raw: &str) -> Result<Input, serde_json::Error> {
    Ok(match raw.as_bytes().first() {
        Some(b'"') => {
            let Wtf8(mut bytes) = serde_json::from_str(raw)?;
            let surrogate = replace_surrogates(&mut bytes);
            Input::Text { text: String::from_utf8_lossy(&bytes).into_owned(), surrogate }
        }
        Some(b'n') => Input::Null,
        Some(b't') => Input::Boolean(true),
        Some(b'f') => Input::Boolean(false),
        Some(b'-' | b'0'..=b'9') => python_number(raw).map_or(Input::Other, Input::Number),
        _ => Input::Other,
    })
}

/// Replaces each surrogate (ED, A0 to BF, any byte) by one character, to keep the length. Returns the first.
fn replace_surrogates(bytes: &mut [u8]) -> Option<u16> {
    let mut first = None;
    for at in 0..bytes.len().saturating_sub(2) {
        if bytes[at] == 0xed && bytes[at + 1] >= 0xa0 {
            first.get_or_insert(0xd000 | u16::from(bytes[at + 1] & 0x3f) << 6 | u16::from(bytes[at + 2] & 0x3f));
            bytes[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
        }
    }
    first
}

/// Formats the number as Python's `str` does; `None` if it exceeds a double.
pub fn python_number(raw: &str) -> Option<String> {
    if !raw.contains(['.', 'e', 'E']) {
        return Some(if raw == "-0" { "0".to_owned() } else { raw.to_owned() });
    }
    let number: f64 = raw.parse().ok().filter(|number: &f64| number.is_finite())?;
    // Rust and Python agree on digits and on when to use an exponent, but not on its format.
    let text = format!("{number:?}");
    Some(match text.split_once('e') {
        None => text,
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
    })
}

/// Parses a form. The last of several equal names counts.
pub fn form(body: &[u8], charset: Charset) -> Result<Data, Error> {
    let fields = form_fields(body, charset)?.into_iter();
    Ok(fields.map(|(name, value)| (name, Input::text(value))).collect())
}

/// The last of several equal names counts.
pub async fn multipart(media_type: &MediaType, charset: Charset, body: Bytes) -> Result<Data, Error> {
    let fields = parts(media_type, body).await?.into_iter().map(|part| {
        let input = if part.file_name.is_some() { Input::Other } else { Input::text(part.text(charset)?) };
        Ok((part.name, input))
    });
    fields.collect()
}
