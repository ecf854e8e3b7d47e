//! Reading a request's body: JSON, forms and multipart forms, within limits of size and time.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::mime::{self, Mime};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use encoding_rs::{Encoding, UTF_8};
use futures_util::future::{Ready, ready};
use futures_util::{StreamExt, stream};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fields::{Data, Input};
use crate::error::{Error, FieldErrors};

/// The longest a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// The media types of bodies that can be read.
pub const MEDIA_TYPES: [&str; 3] = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

/// The largest body that is read, in bytes; part of the application's data.
#[derive(Clone, Copy, Debug)]
pub struct MaxBodyBytes(pub usize);

/// A body that has not been read yet, so that a view can be refused before it is.
pub struct Body {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Body {
    type Error = Error;
    type Future = Ready<Result<Body, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Body { request: request.clone(), payload: payload.take() }))
    }
}

impl Body {
    /// Reads the body and takes it apart by its `Content-Type`. No body at all is no members.
    pub async fn data(mut self) -> Result<Data, Error> {
        let limit = self.request.app_data::<web::Data<MaxBodyBytes>>().map_or(0, |limit| limit.0);
        let body = self.bytes(limit).await?;
        if body.is_empty() {
            return Ok(Data::new());
        }
        let header = self.request.headers().get(CONTENT_TYPE);
        let content_type = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let unsupported = || Error::UnsupportedMediaType(content_type.to_owned());
        let media_type: Mime = content_type.parse().map_err(|_| unsupported())?;
        match (media_type.type_(), media_type.subtype()) {
            (mime::APPLICATION, mime::JSON) => {
                let encoding = charset(&media_type).ok_or_else(unsupported)?;
                json(&decode(&body, encoding)?)
            }
            (mime::APPLICATION, mime::WWW_FORM_URLENCODED) => Ok(form(&body)),
            (mime::MULTIPART, mime::FORM_DATA) => multipart(content_type, body).await,
            _ => Err(unsupported()),
        }
    }

    /// The parts of a body that has to be a multipart form.
    pub async fn parts(mut self) -> Result<Vec<Part>, Error> {
        let limit = self.request.app_data::<web::Data<MaxBodyBytes>>().map_or(0, |limit| limit.0);
        let body = self.bytes(limit).await?;
        let header = self.request.headers().get(CONTENT_TYPE);
        let content_type = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !content_type.parse::<Mime>().is_ok_and(|kind| kind.essence_str() == mime::MULTIPART_FORM_DATA) {
            return Err(Error::UnsupportedMediaType(content_type.to_owned()));
        }
        parts(content_type, body).await
    }

    /// The bytes of the body, up to `limit`, in time.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, Error> {
        let announced =
            self.request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|announced| announced > limit as u64) {
            return Err(Error::BodyTooLarge(limit));
        }
        let mut body = BytesMut::new();
        let read = async {
            while let Some(chunk) = self.payload.next().await {
                let chunk = chunk.map_err(|error| Error::BodyUnreadable(error.to_string()))?;
                if body.len() + chunk.len() > limit {
                    return Err(Error::BodyTooLarge(limit));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(())
        };
        tokio::time::timeout(BODY_TIMEOUT, read).await.map_err(|_| Error::RequestTimeout)??;
        Ok(body.freeze())
    }
}

fn parse_error(what: &str, problem: impl std::fmt::Display) -> Error {
    Error::Parse(format!("{what} parse error - {problem}"))
}

/// The encoding that a media type names, UTF-8 if it names none; `None` if nobody knows it.
fn charset(media_type: &Mime) -> Option<&'static Encoding> {
    let Some(label) = media_type.get_param(mime::CHARSET) else { return Some(UTF_8) };
    let label = label.as_str();
    // Python also knows `latin-1` and the like, which the web's list writes without the hyphen.
    Encoding::for_label(label.as_bytes()).or_else(|| Encoding::for_label(label.replace(['-', '_'], "").as_bytes()))
}

fn decode(body: &[u8], encoding: &'static Encoding) -> Result<String, Error> {
    if encoding != UTF_8 {
        let text = encoding.decode_without_bom_handling_and_without_replacement(body);
        return text
            .map(|text| text.into_owned())
            .ok_or_else(|| parse_error("JSON", format_args!("invalid {}", encoding.name())));
    }
    if body.starts_with(b"\xef\xbb\xbf") {
        return Err(parse_error("JSON", "unexpected byte order mark at line 1 column 1"));
    }
    let text = std::str::from_utf8(body)
        .map_err(|error| parse_error("JSON", format_args!("invalid UTF-8 at byte {}", error.valid_up_to())))?;
    Ok(text.to_owned())
}

/// The members of a JSON object. What is nested deeper is checked for its form and not looked at.
pub fn json(text: &str) -> Result<Data, Error> {
    let value: &RawValue = serde_json::from_str(text).map_err(|error| parse_error("JSON", error))?;
    let kind = match value.get().as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(value.get()).map_err(|error| parse_error("JSON", error))?;
            return Ok(members);
        }
        Some(b'n') => return Err(FieldErrors::one("non_field_errors", "No data provided").into()),
        Some(b'[') => "list",
        Some(b'"') => "str",
        Some(b't' | b'f') => "bool",
        _ if value.get().contains(['.', 'e', 'E']) => "float",
        _ => "int",
    };
    Err(FieldErrors::one("non_field_errors", format!("Invalid data. Expected a dictionary, but got {kind}.")).into())
}

/// An object's members, each name once.
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
                    let name = String::from_utf8_lossy(&name.0).into_owned();
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

/// A JSON string as bytes. Asked for bytes, serde_json passes surrogates without a partner on, in WTF-8;
/// asked for a string, it would refuse the whole body.
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
        Some(b'-' | b'0'..=b'9') => python_number(raw).map_or(Input::Other, Input::Number),
        _ => Input::Other,
    })
}

/// Replaces the surrogates in WTF-8, one character by one so that the length stays right, and returns the
/// first. A surrogate is three bytes there, of which the first is ED and the second A0 to BF.
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

/// Writes a JSON number as Python's `str` does; `None` for one that no double can hold.
pub fn python_number(raw: &str) -> Option<String> {
    if !raw.contains(['.', 'e', 'E']) {
        return Some(if raw == "-0" { "0".to_owned() } else { raw.to_owned() });
    }
    let number: f64 = raw.parse().ok().filter(|number: &f64| number.is_finite())?;
    // Rust and Python agree on the digits and on when to use an exponent, not on how to write it.
    let text = format!("{number:?}");
    Some(match text.split_once('e') {
        None => text,
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
    })
}

/// The fields of a form (<https://url.spec.whatwg.org/#urlencoded-parsing>); of two with one name the last counts.
pub fn form(body: &[u8]) -> Data {
    form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), Input::text(value))).collect()
}

/// The fields of a multipart form; of two with one name the last counts.
pub async fn multipart(content_type: &str, body: Bytes) -> Result<Data, Error> {
    let fields = parts(content_type, body).await?.into_iter().map(|part| {
        let is_file = part.file_name.is_some();
        (part.name, if is_file { Input::Other } else { Input::text(String::from_utf8_lossy(&part.content)) })
    });
    Ok(fields.collect())
}

/// A part of a multipart form.
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, where it is a file.
    pub file_name: Option<String>,
    /// The bytes.
    pub content: Bytes,
}

/// The parts of a multipart form (RFC 7578), in their order.
pub async fn parts(content_type: &str, body: Bytes) -> Result<Vec<Part>, Error> {
    let fail = |problem: multer::Error| parse_error("Multipart form", problem);
    let boundary = multer::parse_boundary(content_type)
        .map_err(|_| parse_error("Multipart form", "Invalid boundary in multipart: None"))?;
    let mut form = multer::Multipart::new(stream::once(ready(Ok::<_, Infallible>(body))), boundary);
    let mut parts = Vec::new();
    while let Some(part) = form.next_field().await.map_err(fail)? {
        let name = part.name().ok_or_else(|| parse_error("Multipart form", "a part has no name"))?.to_owned();
        let file_name = part.file_name().map(str::to_owned);
        parts.push(Part { name, file_name, content: part.bytes().await.map_err(fail)? });
    }
    Ok(parts)
}
