//! Forms: URL-encoded fields, and the parts of a multipart form (RFC 7578).

use std::borrow::Cow;
use std::convert::Infallible;

use actix_web::web::Bytes;
use futures_util::future::ready;
use futures_util::stream;

use super::body::parse_error;
use super::charset::Charset;
use super::header_values::{text, with_parameters};
use super::media_type::MediaType;
use crate::error::Error;

/// The fields of a form (<https://url.spec.whatwg.org/#urlencoded-parsing>), in their order.
pub fn form_fields(body: &[u8], charset: Charset) -> Result<Vec<(String, String)>, Error> {
    let decode = |bytes: &[u8]| {
        let text = charset.decode(&percent_decoded(bytes)).map(Cow::into_owned);
        text.map_err(|problem| parse_error("Form", problem))
    };
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let field = |pair: &[u8]| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Ok((decode(name)?, decode(value)?))
    };
    pairs.map(field).collect()
}

/// The bytes that `%xx` and `+` stand for. A `%` without two digits stands for itself.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (mut decoded, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        decoded.push(match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, more @ ..]) if digit(high).is_some() && digit(low).is_some() => {
                rest = more;
                (digit(high).unwrap_or(0) << 4 | digit(low).unwrap_or(0)) as u8
            }
            (byte, _) => *byte,
        });
    }
    decoded
}

pub struct Part {
    pub name: String,
    pub file_name: Option<String>,
    pub content: Bytes,
    /// The charset that the part names, if it names one.
    charset: Option<Charset>,
}

impl Part {
    /// The field's text. A part that names no charset has the form's.
    pub fn text(&self, charset: Charset) -> Result<String, Error> {
        let text = self.charset.unwrap_or(charset).decode(&self.content);
        text.map(Cow::into_owned).map_err(multipart_error)
    }

    /// A file's bytes: those of its text in UTF-8, if the part names another charset.
    pub fn file_content(&self) -> Result<Bytes, Error> {
        match self.charset {
            None => Ok(self.content.clone()),
            Some(charset) => self.text(charset).map(Bytes::from),
        }
    }
}

fn multipart_error(problem: impl std::fmt::Display) -> Error {
    parse_error("Multipart form", problem)
}

/// Parses a multipart form. Parts keep their order.
pub async fn parts(media_type: &MediaType, body: Bytes) -> Result<Vec<Part>, Error> {
    let boundary = media_type.parameter("boundary").filter(|boundary| !boundary.is_empty());
    let boundary = boundary.ok_or_else(|| multipart_error("Invalid boundary in multipart: None"))?;
    let mut form = multer::Multipart::new(stream::once(ready(Ok::<_, Infallible>(body))), boundary);
    let mut parts = Vec::new();
    while let Some(part) = form.next_field().await.map_err(multipart_error)? {
        let header = |name: &str| part.headers().get(name).map(|value| value.as_bytes());
        let (name, file_name) = disposition(header("content-disposition").unwrap_or_default())?;
        check_coding(header("content-encoding"))?;
        check_coding(header("content-transfer-encoding"))?;
        let charset = part_charset(header("content-type"))?;
        parts.push(Part { name, file_name, content: part.bytes().await.map_err(multipart_error)?, charset });
    }
    Ok(parts)
}

/// The name of a part's field, and that of its file.
fn disposition(header: &[u8]) -> Result<(String, Option<String>), Error> {
    let header = str::from_utf8(header).map_err(|_| multipart_error("a part's name is not UTF-8"))?;
    let find = |name: &str| {
        let found = with_parameters(header).1.find(|(found, _)| found.eq_ignore_ascii_case(name));
        let unreadable = || multipart_error("a part's Content-Disposition cannot be read");
        found.map(|(_, value)| value.map(Cow::into_owned).ok_or_else(unreadable)).transpose()
    };
    let name = find("name")?.ok_or_else(|| multipart_error("a part has no name"))?;
    Ok((name, find("filename")?.or(find("filename*")?)))
}

/// Refuses a part whose content would have to be decoded first: RFC 7578 lets no client send one (section 4.7).
fn check_coding(coding: Option<&[u8]>) -> Result<(), Error> {
    let coding = text(coding.unwrap_or_default());
    match coding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" | "7bit" | "8bit" | "binary" => Ok(()),
        other => Err(multipart_error(format_args!("a part is encoded as {}", other.escape_debug()))),
    }
}

fn part_charset(content_type: Option<&[u8]>) -> Result<Option<Charset>, Error> {
    let Some(kind) = content_type.and_then(|value| MediaType::parse(&text(value))) else { return Ok(None) };
    let Some(label) = kind.parameter("charset") else { return Ok(None) };
    let unknown = || multipart_error(format_args!("a part has the unknown charset {}", label.escape_debug()));
    Charset::of(&kind).map(Some).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_of_another_charset_are_refused_escaped_or_not() {
        for (body, charset) in [
            (&b"a=\xff"[..], Charset::UTF_8),
            (b"a=%ff", Charset::UTF_8),
            (b"%e9=x", Charset::UTF_8),
            ("a=\u{e9}".as_bytes(), Charset::Ascii),
        ] {
            assert!(form_fields(body, charset).is_err(), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn a_form_is_read_as_the_crate_reads_it_or_refused(body in "[a%+&=\u{e9}0-9A-F]{0,24}", odd in any::<Vec<u8>>()) {
            for body in [body.as_bytes(), &odd] {
                let lossy: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
                let is_replaced = lossy.iter().any(|(name, value)| [name, value].iter().any(|text| text.contains('\u{fffd}')));
                match form_fields(body, Charset::UTF_8) {
                    Ok(fields) => prop_assert_eq!(fields, lossy),
                    Err(_) => prop_assert!(is_replaced),
                }
            }
        }
    }
}
