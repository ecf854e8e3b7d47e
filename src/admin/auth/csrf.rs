//! Requests that another site has a browser send (<https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html>):
//! whatever changes something needs a token that only our pages know, and must not come from elsewhere as far
//! as the browser tells.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, web};

use super::staff::StaffUser;
use crate::crypto::{equal, random_token};
use crate::error::Error;
use crate::http::cookies::{self, Cookies};
use crate::http::edge::is_behind_tls;

/// The field of a form with the token; Django's name.
pub const FIELD: &str = "csrfmiddlewaretoken";
/// The header with the token, for scripts; Django's name.
pub const HEADER: &str = "x-csrftoken";

/// Refuses what a browser says to come from another site.
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

/// Whether what the browser tells of a request's origin, if anything, is this site. `Referer` has the answer
/// where an old browser sends no `Origin`.
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

/// Whether an address is one of this site: its host and port are those that the request names. Only a proxy
/// knows whether the browser speaks TLS; where none says so, both schemes will do.
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

/// The host that a request names, with its port. A target that has one counts more than the header.
fn host(request: &HttpRequest) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_owned());
    }
    request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned)
}

/// Fails unless the token that was sent is that of the session, or before sign-in that of the cookie.
/// A form has it in the field [`FIELD`], a script in the header [`HEADER`].
pub fn check_token(request: &HttpRequest, field: Option<&str>) -> Result<(), Error> {
    let expected = match StaffUser::of(request) {
        Some(staff) => Some(staff.csrf_token),
        None => cookie_token(request),
    };
    let expected = expected.ok_or(Error::CsrfFailed("the browser has sent no cookie with it"))?;
    let sent = field.or_else(|| header_token(request.headers()));
    let sent = sent.ok_or(Error::CsrfFailed("its token is missing"))?;
    if equal(sent, &expected) { Ok(()) } else { Err(Error::CsrfFailed("its token is not that of your session")) }
}

/// The token that a script sends.
pub fn header_token(headers: &HeaderMap) -> Option<&str> {
    headers.get(HEADER).map(HeaderValue::to_str)?.ok()
}

fn settings(request: &HttpRequest) -> Option<Cookies> {
    request.app_data::<web::Data<Cookies>>().map(|cookies| *cookies.get_ref())
}

/// A token as [`random_token`] makes it; whatever else is in the cookie was not set by us.
fn cookie_token(request: &HttpRequest) -> Option<String> {
    let token = settings(request)?.get(request, cookies::CSRF)?;
    (token.len() == 43).then_some(token)
}

/// For a page with a form for who is not signed in: the token, of the cookie that is there or of a new one.
pub fn anonymous_token(request: &HttpRequest) -> Result<String, Error> {
    cookie_token(request).map_or_else(random_token, Ok)
}

/// Has the answer set the cookie with the token of [`anonymous_token`].
pub fn keep_token(request: &HttpRequest, response: &mut HttpResponse, token: &str) -> Result<(), Error> {
    let cookies = settings(request).ok_or_else(|| Error::Internal("there are no settings of cookies".to_owned()))?;
    cookies.set(response, cookies::CSRF, token, None)
}
