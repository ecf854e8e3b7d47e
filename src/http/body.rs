//! Reads request bodies with limits on size and time.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::mime::{self, Mime};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::{Ready, ready};
use futures_util::{StreamExt, stream};

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
        let header = self.request.headers().get(CONTENT_TYPE);
        let media_type = header.and_then(|value| value.to_str().ok()?.parse::<Mime>().ok());
        media_type.is_some_and(|media_type| {
            let name = media_type.essence_str();
            name == mime::APPLICATION_WWW_FORM_URLENCODED || name == mime::MULTIPART_FORM_DATA
        })
    }

    pub async fn content(mut self) -> Result<(String, Bytes), Error> {
        let limit = self.request.app_data::<web::Data<MaxBodyBytes>>().map_or(0, |limit| limit.0);
        let body = self.bytes(limit).await?;
        let header = self.request.headers().get(CONTENT_TYPE);
        Ok((header.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned(), body))
    }

    pub async fn parts(self) -> Result<Vec<Part>, Error> {
        let (content_type, body) = self.content().await?;
        if !content_type.parse::<Mime>().is_ok_and(|kind| kind.essence_str() == mime::MULTIPART_FORM_DATA) {
            return Err(Error::UnsupportedMediaType(content_type));
        }
        parts(&content_type, body).await
    }

    /// Reads at most `limit` bytes, within `BODY_TIMEOUT`.
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

pub fn parse_error(what: &str, problem: impl std::fmt::Display) -> Error {
    Error::Parse(format!("{what} parse error - {problem}"))
}

pub struct Part {
    pub name: String,
    pub file_name: Option<String>,
    pub content: Bytes,
}

/// RFC 7578. Parts keep their order.
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
