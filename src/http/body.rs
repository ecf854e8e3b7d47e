//! Reads request bodies with limits on size and time.

use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::StreamExt;
use futures_util::future::{Ready, ready};

use super::charset::Charset;
use super::header_values::{elements, joined, text};
use super::media_type::{FORM, MULTIPART, MediaType};
use crate::error::Error;

const BODY_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug)]
pub struct MaxBodyBytes(pub usize);

/// Not read yet, so that a request can be refused first.
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
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Forms omit unchecked boxes.
    pub fn is_form(&self) -> bool {
        let media_type = MediaType::of(self.request.headers());
        media_type.is_some_and(|media_type| [FORM, MULTIPART].contains(&media_type.essence()))
    }

    /// With the charset of the text. Fails with 415 if there is no media type, or if its charset is unknown.
    pub fn media_type(&self) -> Result<(MediaType, Charset), Error> {
        let unsupported = || self.unsupported();
        let media_type = MediaType::of(self.request.headers()).ok_or_else(unsupported)?;
        let charset = Charset::of(&media_type).ok_or_else(unsupported)?;
        // A form in UTF-16 would have no separators.
        let is_possible = media_type.essence() != FORM || charset.is_ascii_compatible();
        if is_possible { Ok((media_type, charset)) } else { Err(unsupported()) }
    }

    pub fn unsupported(&self) -> Error {
        let value = self.request.headers().get(CONTENT_TYPE).map(|value| text(value.as_bytes()).into_owned());
        Error::UnsupportedMediaType(value.unwrap_or_default())
    }

    pub async fn content(&mut self) -> Result<Bytes, Error> {
        let limit = self.request.app_data::<web::Data<MaxBodyBytes>>().map_or(0, |limit| limit.0);
        self.bytes(limit).await
    }

    /// Reads at most `limit` bytes, within `BODY_TIMEOUT`. Refuses a compressed body first.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, Error> {
        check_coding(self.request.headers())?;
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

/// Refuses a body that would have to be decoded first (RFC 9110, section 8.4).
fn check_coding(headers: &HeaderMap) -> Result<(), Error> {
    let codings = joined(headers, CONTENT_ENCODING);
    match elements(&codings).find(|coding| !coding.eq_ignore_ascii_case("identity")) {
        Some(coding) => Err(Error::UnsupportedCoding(coding.to_owned())),
        None => Ok(()),
    }
}

pub fn parse_error(what: &str, problem: impl std::fmt::Display) -> Error {
    Error::Parse(format!("{what} parse error - {problem}"))
}
