//! The origin of a request, as far as the browser tells: one of our pages or another site.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, web};
use url::Url;

use crate::error::Error;
use crate::http::edge::{is_behind_tls, request_id};
use crate::http::public_origin::{PublicOrigin, claimed_hosts, forwarded_hosts};

/// Why a form of another site is refused.
pub const OTHER_SITE: &str = "it comes from another site";

pub async fn check_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if !is_safe && let Some(told) = foreign_origin(request.request()) {
        let id = request_id(request.request());
        log::warn!(request_id = id; "refused a form: {}", explain(request.request(), &told));
        return Ok(request.error_response(Error::CsrfFailed(OTHER_SITE)));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// True if the browser tells nothing.
pub fn is_same_origin(request: &HttpRequest) -> bool {
    foreign_origin(request).is_none()
}

/// Whether the browser tells where a request comes from.
pub fn is_told(request: &HttpRequest) -> bool {
    let headers = request.headers();
    headers.contains_key("sec-fetch-site")
        || headers.contains_key(header::ORIGIN)
        || headers.contains_key(header::REFERER)
}

/// The header, with its value, by which the browser says that a request comes from another site. Old browsers send
/// `Referer` instead of `Origin`.
fn foreign_origin(request: &HttpRequest) -> Option<(&'static str, &HeaderValue)> {
    let headers = request.headers();
    let is_own_site = |site: &&HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    if let Some(site) = headers.get_all("sec-fetch-site").find(|site| !is_own_site(site)) {
        return Some(("Sec-Fetch-Site", site));
    }
    let is_own = |origin: &&HeaderValue| origin.to_str().is_ok_and(|origin| is_this_site(request, origin));
    let (name, header) = match headers.contains_key(header::ORIGIN) {
        true => ("Origin", header::ORIGIN),
        false => ("Referer", header::REFERER),
    };
    headers.get_all(header).find(|origin| !is_own(origin)).map(|origin| (name, origin))
}

/// What both sides say, and the setting to change if the browser is right. A `Referer` is cut to its origin: its path
/// may be private.
fn explain(request: &HttpRequest, (name, value): &(&str, &HeaderValue)) -> String {
    let quoted = |text: &str| format!("`{}`", text.chars().take(200).collect::<String>().escape_debug());
    let url = value.to_str().ok().and_then(|value| Url::parse(value).ok()).filter(|url| url.origin().is_tuple());
    let told = match &url {
        Some(url) => quoted(&url.origin().ascii_serialization()),
        None => quoted(&String::from_utf8_lossy(value.as_bytes())),
    };
    let mut line = format!("{name} is {told}; Host is {}", quoted(&host(request).unwrap_or_default()));
    if let Some(public) = public_origin(request) {
        line += &format!("; PUBLIC_URL is `{public}`");
    }
    let Some(url) = url else { return line };
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical().to_string()).unwrap_or_default();
    if forwarded_hosts(request).is_empty() && claimed_hosts(request).iter().any(|host| is_host_of(request, &url, host))
    {
        line += &format!(". A proxy has forwarded that host: if {peer} is yours, add it to TRUSTED_PROXIES");
    } else {
        line += &format!(". If browsers know this site as {told}, set PUBLIC_URL to that");
    }
    line
}

/// Whether a URL is of PUBLIC_URL, or of a host that the request itself names.
pub fn is_this_site(request: &HttpRequest, address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let is_public = public_origin(request).is_some_and(|public| url.origin().ascii_serialization() == public);
    is_public || host(request).into_iter().chain(forwarded_hosts(request)).any(|host| is_host_of(request, &url, &host))
}

fn public_origin(request: &HttpRequest) -> Option<&str> {
    request.app_data::<web::Data<PublicOrigin>>()?.0.as_deref()
}

/// Compares host and port. Only a proxy knows whether the browser uses TLS; if none says so, any scheme is accepted.
fn is_host_of(request: &HttpRequest, url: &Url, host: &str) -> bool {
    let is_scheme = url.scheme() == "https" || (url.scheme() == "http" && !is_behind_tls(request.headers()));
    let is_host = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    let own = Url::parse(&format!("{}://{host}", url.scheme())).ok();
    is_scheme && is_host && own.is_some_and(|own| own.origin() == url.origin())
}

/// With the port. A host in the request target takes precedence over the header.
pub fn host(request: &HttpRequest) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_owned());
    }
    request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned)
}
