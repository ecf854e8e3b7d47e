//! CORS (<https://fetch.spec.whatwg.org/#http-cors-protocol>): which pages may call, and read the answers.
//!
//! Every answer has the headers, also those that no resource gave: without them, a page sees a network error instead of
//! a 404. Credentials are not allowed, so a page can send no cookies.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::header_values::{elements, joined};
use crate::error::Error;

const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";
const EXPOSED: &str = "Allow, ETag, Link, Location, Retry-After, WWW-Authenticate, X-Request-Id, X-Total-Count";
/// How long browsers remember the answer to a preflight, in seconds.
const MAX_AGE: &str = "600";

/// The request headers that are allowed by default: those of django-cors-headers, and what a client of this API sends.
pub const DEFAULT_HEADERS: [&str; 10] = [
    "accept",
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-csrftoken",
    "x-requested-with",
];

#[derive(Clone, Debug, Default)]
pub struct Cors {
    pub origins: Vec<String>,
    /// The request headers that they may send, in lower case.
    pub headers: Vec<String>,
    /// Paths that no page of another origin may call, each with all below it.
    pub closed: &'static [&'static str],
}

/// What CORS adds to the headers of an answer.
#[derive(Debug, Default)]
pub struct CorsHeaders {
    vary: &'static str,
    /// The request's origin, if it is allowed.
    origin: Option<HeaderValue>,
}

impl Cors {
    /// Judges a request: what its answer gets, and the answer itself if it is a preflight.
    pub fn judge(&self, request: &HttpRequest) -> (CorsHeaders, Option<Result<HttpResponse, Error>>) {
        // The decoded path, as the router sees it.
        let path = request.match_info().as_str();
        let is_below =
            |closed: &&str| path.strip_prefix(*closed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if self.origins.is_empty() || self.closed.iter().any(is_below) {
            return (CorsHeaders::default(), None);
        }
        let origin = self.allowed_origin(request.headers());
        if !is_preflight(request) {
            return (CorsHeaders { vary: "Origin", origin }, None);
        }
        let answer = self.preflight(request.headers(), origin.is_some());
        // A refused preflight allows nothing.
        let origin = origin.filter(|_| answer.is_ok());
        let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        (CorsHeaders { vary, origin }, Some(answer))
    }

    fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut values = headers.get_all(header::ORIGIN);
        let (origin, None) = (values.next()?, values.next()) else { return None };
        self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }

    fn preflight(&self, headers: &HeaderMap, is_known: bool) -> Result<HttpResponse, Error> {
        let refused = |why: &str| Err(Error::PreflightRefused(why.to_owned()));
        if !is_known {
            return refused("Pages of this origin may not call. The operator can add it to CORS_ALLOWED_ORIGINS.");
        }
        let method = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).map(HeaderValue::as_bytes);
        if !METHODS.split(", ").any(|allowed| Some(allowed.as_bytes()) == method) {
            return refused("Pages may not use this method.");
        }
        let asked = joined(headers, header::ACCESS_CONTROL_REQUEST_HEADERS);
        let is_allowed = |name: &str| self.headers.iter().any(|allowed| allowed.eq_ignore_ascii_case(name));
        if !elements(&asked).all(is_allowed) {
            return refused(
                "Pages may not send one of these headers. The operator can add it to CORS_ALLOWED_HEADERS.",
            );
        }
        let mut response = HttpResponse::Ok();
        response
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, self.headers.join(", ")))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE));
        Ok(response.finish())
    }
}

fn is_preflight(request: &HttpRequest) -> bool {
    let headers = request.headers();
    *request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

impl CorsHeaders {
    /// Adds them. Caches must know that another origin gets another answer.
    pub fn add_to(&self, headers: &mut HeaderMap) {
        if self.vary.is_empty() {
            return;
        }
        let known = joined(headers, header::VARY);
        let vary = if known.is_empty() { self.vary.to_owned() } else { format!("{known}, {}", self.vary) };
        if let Ok(vary) = HeaderValue::try_from(vary) {
            headers.insert(header::VARY, vary);
        }
        if let Some(origin) = &self.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }
}
