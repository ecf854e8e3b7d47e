//! Content codings (RFC 9110, section 8.4): gzip (RFC 1952) and Brotli (RFC 7932). A compressed response has its own
//! `ETag`. Conditional requests are evaluated before compression.
//!
//! HTML pages are never compressed. They contain secrets, such as CSRF tokens, together with input from the request, so
//! the compressed length could reveal the secret (BREACH). The API is safe: it needs a header that other sites cannot
//! make a browser send.

use std::io::Write;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};

use crate::http::etag;
use crate::http::header_values::{self, elements, joined};

/// Smaller bodies fit into one packet anyway.
const LEAST_BYTES: usize = 1024;
/// Larger bodies are compressed on a blocking thread.
const MOST_BYTES_IN_PLACE: usize = 16 * 1024;
const TYPES: [&str; 7] = [
    "application/json",
    "application/problem+json",
    "application/javascript",
    "text/javascript",
    "text/css",
    "text/plain",
    "image/svg+xml",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Gzip => "gzip",
            Coding::Identity => "identity",
        }
    }

    /// Medium quality: twice as fast as the best, and nearly as small.
    fn encode(self, body: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut encoded = Vec::with_capacity(body.len() / 4);
        match self {
            Coding::Brotli => {
                let settings =
                    brotli::enc::BrotliEncoderParams { quality: 5, size_hint: body.len(), ..Default::default() };
                brotli::BrotliCompress(&mut &*body, &mut encoded, &settings)?;
            }
            Coding::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(&mut encoded, flate2::Compression::default());
                encoder.write_all(body)?;
                encoder.finish()?;
            }
            Coding::Identity => encoded.extend_from_slice(body),
        }
        Ok(encoded)
    }
}

/// Must run after everything that changes the response.
pub async fn compress(mut response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    if !may_be_compressed(&response) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !response.request().headers().contains_key(header::ACCEPT_ENCODING) {
        return response;
    }
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let response = match body.try_into_bytes() {
        Ok(body) => match choose(request.headers(), body.len()) {
            Coding::Identity => head.set_body(BoxBody::new(body)),
            coding => encoded(&request, head, body, coding).await,
        },
        // A stream has no known length, and may pause at any time.
        Err(stream) => head.set_body(stream),
    };
    ServiceResponse::new(request, response)
}

fn may_be_compressed(response: &ServiceResponse<BoxBody>) -> bool {
    // The decoded path, as the router sees it (`%61` is `a`).
    let path = response.request().match_info().as_str();
    if path == "/admin" || path.starts_with("/admin/") || response.headers().contains_key(header::CONTENT_ENCODING) {
        return false;
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        // A 304 has the headers of the response that it stands for, but no `Content-Type`.
        return true;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    TYPES.contains(&media_type)
}

async fn encoded(request: &HttpRequest, mut head: HttpResponse<()>, body: Bytes, coding: Coding) -> HttpResponse {
    let tag = head.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    // A weak tag covers all codings of a version.
    if let Some(tag) = tag.filter(|tag| tag.starts_with('"')) {
        let tag = etag::of_variant(tag, coding.name());
        let is_known = head.status() == StatusCode::OK
            && matches!(*request.method(), Method::GET | Method::HEAD)
            && etag::any_matches(request.headers(), header::IF_NONE_MATCH, &tag);
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            head.headers_mut().insert(header::ETAG, tag);
        }
        if is_known {
            *head.status_mut() = StatusCode::NOT_MODIFIED;
            head.headers_mut().remove(header::CONTENT_TYPE);
            return head.set_body(BoxBody::new(()));
        }
    }
    let whole = body.clone();
    let encoded = if body.len() <= MOST_BYTES_IN_PLACE {
        coding.encode(&body)
    } else {
        let encode = move || coding.encode(&body);
        tokio::task::spawn_blocking(encode).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    };
    match encoded {
        Ok(encoded) => {
            head.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
            head.set_body(BoxBody::new(encoded))
        }
        Err(error) => {
            log::error!("a response could not be compressed: {error}");
            head.set_body(BoxBody::new(whole))
        }
    }
}

/// The coding with the highest quality value; of equals, the best compression.
fn choose(headers: &HeaderMap, length: usize) -> Coding {
    let (coding, identity) = from_accept_encoding(&joined(headers, header::ACCEPT_ENCODING));
    if length < LEAST_BYTES && identity { Coding::Identity } else { coding }
}

/// RFC 9110, section 12.5.3. Also returns whether `identity` is acceptable; it is the fallback if nothing is.
pub fn from_accept_encoding(value: &str) -> (Coding, bool) {
    let items: Vec<(&str, u16)> = elements(value).filter_map(item).collect();
    let find =
        |name: &str| items.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, quality)| *quality);
    let any = find("*");
    let gzip = find("gzip").or(find("x-gzip")).or(any).unwrap_or(0);
    let brotli = find("br").or(any).unwrap_or(0);
    // `identity` is acceptable by default, but ranks after everything that is named.
    let identity = find("identity").or(any.filter(|quality| *quality == 0));
    let most = brotli.max(gzip);
    let coding = match identity {
        _ if most == 0 => Coding::Identity,
        Some(identity) if identity > most => Coding::Identity,
        _ if brotli == most => Coding::Brotli,
        _ => Coding::Gzip,
    };
    (coding, identity != Some(0))
}

fn item(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let quality = parts.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
    Some((name, quality.map_or(Some(1000), |value| header_values::quality(value.trim()))?))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[actix_web::test]
    async fn nothing_below_the_admin_is_compressed() {
        for (path, is_compressed) in [
            ("/admin", false),
            ("/admin/", false),
            ("/admin/articles/export/", false),
            ("/%61dmin/articles/", false),
            ("/adminer/", true),
            ("/articles/admin/", true),
        ] {
            let request =
                TestRequest::get().uri(path).insert_header((header::ACCEPT_ENCODING, "gzip")).to_srv_request();
            let response = HttpResponse::Ok().content_type("application/json").body("1".repeat(10_000));
            let response = compress(request.into_response(response)).await;
            assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), is_compressed, "{path}");
            assert_eq!(response.headers().contains_key(header::VARY), is_compressed, "{path}");
        }
    }

    #[actix_web::test]
    async fn a_stream_is_sent_as_it_comes() {
        let request = TestRequest::get().insert_header((header::ACCEPT_ENCODING, "gzip")).to_srv_request();
        let chunks = (0..4).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 4096])));
        let response = HttpResponse::Ok().content_type("text/plain").streaming(futures_util::stream::iter(chunks));
        let response = compress(request.into_response(response)).await;
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        let body = actix_web::body::to_bytes(response.into_body()).await.expect("a body");
        assert_eq!(body.len(), 4 * 4096);
    }

    #[test]
    fn accept_encoding_is_read_as_the_rfc_says() {
        use Coding::{Brotli, Gzip, Identity};
        let rows = [
            ("", Identity, true),
            ("gzip", Gzip, true),
            ("br", Brotli, true),
            ("gzip, deflate, br", Brotli, true),
            ("gzip, deflate, br, zstd", Brotli, true),
            ("GZIP", Gzip, true),
            ("x-gzip", Gzip, true),
            ("deflate", Identity, true),
            ("gzip;q=1.0, br;q=0.5", Gzip, true),
            ("gzip;q=0.5,br;q=0.5", Brotli, true),
            ("br;q=0, gzip", Gzip, true),
            ("gzip;q=0", Identity, true),
            ("gzip;q=0, *", Brotli, true),
            ("*", Brotli, true),
            ("*;q=0", Identity, false),
            ("*;q=0, gzip", Gzip, false),
            ("identity", Identity, true),
            ("identity, gzip", Gzip, true),
            ("identity;q=1, gzip;q=0.5", Identity, true),
            ("identity;q=0.5, gzip;q=1", Gzip, true),
            ("identity;q=0", Identity, false),
            ("identity;q=0, gzip;q=0.001", Gzip, false),
            ("gzip ; q=0.5 , br ; q=0.1", Gzip, true),
            ("gzip;q=2", Identity, true),
            ("gzip;q=-1", Identity, true),
            ("gzip;q=NaN", Identity, true),
            ("gzip;q=", Identity, true),
            (",,;q=1,", Identity, true),
            ("gzipp, brr", Identity, true),
        ];
        for (value, coding, identity) in rows {
            assert_eq!(from_accept_encoding(value), (coding, identity), "{value}");
        }
    }
}
