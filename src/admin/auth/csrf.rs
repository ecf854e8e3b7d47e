//! Cross-site request forgery
//! (<https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html>): a change
//! needs a token that only our pages know, and must not come from another site ([`super::origin`]).

use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::staff::StaffUser;
use crate::crypto::{equal, random_token};
use crate::error::Error;
use crate::http::cookies::{self, Cookies};
use crate::http::edge::request_id;

/// Django's names.
pub const FIELD: &str = "csrfmiddlewaretoken";
pub const HEADER: &str = "x-csrftoken";

const NO_COOKIE: &str = "the browser did not send its cookie";

/// The token must be the session's or, before sign-in, a cookie's. Scripts send it in [`HEADER`] instead of a field.
pub fn check_token(request: &HttpRequest, field: Option<&str>) -> Result<(), Error> {
    compare_tokens(request, field).map_err(|reason| {
        let is_tls_needed = reason == NO_COOKIE && settings(request).is_some_and(|cookies| cookies.secure);
        let hint = if is_tls_needed { "; in production, browsers send it over HTTPS only" } else { "" };
        log::warn!(request_id = request_id(request); "refused a form: {reason}{hint}");
        Error::CsrfFailed(reason)
    })
}

fn compare_tokens(request: &HttpRequest, field: Option<&str>) -> Result<(), &'static str> {
    let expected = match StaffUser::of(request) {
        Some(staff) => vec![staff.csrf_token],
        None => cookie_tokens(request),
    };
    if expected.is_empty() {
        return Err(NO_COOKIE);
    }
    let sent = field.or_else(|| header_token(request.headers()));
    let sent = sent.ok_or("its token is missing")?;
    match expected.iter().any(|expected| equal(sent, expected)) {
        true => Ok(()),
        false => Err("its token does not belong to your session"),
    }
}

pub fn header_token(headers: &HeaderMap) -> Option<&str> {
    headers.get(HEADER).map(HeaderValue::to_str)?.ok()
}

fn settings(request: &HttpRequest) -> Option<Cookies> {
    request.app_data::<web::Data<Cookies>>().map(|cookies| *cookies.get_ref())
}

/// A cookie that [`random_token`] cannot have made was not set by us.
fn cookie_tokens(request: &HttpRequest) -> Vec<String> {
    let mut tokens = settings(request).map(|cookies| cookies.get(request, cookies::CSRF)).unwrap_or_default();
    tokens.retain(|token| token.len() == 43);
    tokens
}

/// For a form before sign-in: the cookie's token, or a new one.
pub fn anonymous_token(request: &HttpRequest) -> Result<String, Error> {
    cookie_tokens(request).into_iter().next().map_or_else(random_token, Ok)
}

pub fn keep_token(request: &HttpRequest, response: &mut HttpResponse, token: &str) -> Result<(), Error> {
    let cookies = settings(request).ok_or_else(|| Error::Internal("there are no settings of cookies".to_owned()))?;
    cookies.set(response, cookies::CSRF, token, None)
}
