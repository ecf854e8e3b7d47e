//! The origin of a request, as far as the browser tells: one of our pages or another site.

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, Uri, header};
use actix_web::middleware::Next;

use crate::error::Error;
use crate::http::edge::is_behind_tls;

pub async fn check_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if !is_safe && !is_same_origin(request.request()) {
        return Ok(request.error_response(Error::CsrfFailed("it comes from another site")));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// True if the browser tells nothing. Old browsers send `Referer` instead of `Origin`.
pub fn is_same_origin(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let mut sites = headers.get_all("sec-fetch-site");
    if !sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none")) {
        return false;
    }
    let name = if headers.contains_key(header::ORIGIN) { header::ORIGIN } else { header::REFERER };
    let mut origins = headers.get_all(name);
    origins.all(|origin| origin.to_str().is_ok_and(|origin| is_this_site(request, origin)))
}

/// Compares host and port. Only a proxy knows whether the browser uses TLS; if none says so, any scheme is accepted.
pub fn is_this_site(request: &HttpRequest, address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority), Some(host)) = (uri.scheme_str(), uri.authority(), host(request)) else {
        return false;
    };
    let default_port = match scheme {
        "https" => ":443",
        "http" if !is_behind_tls(request.headers()) => ":80",
        _ => return false,
    };
    let without_port = |host: &str| host.strip_suffix(default_port).unwrap_or(host).to_ascii_lowercase();
    without_port(authority.as_str()) == without_port(&host)
}

/// With the port. A host in the request target takes precedence over the header.
fn host(request: &HttpRequest) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_owned());
    }
    request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned)
}
