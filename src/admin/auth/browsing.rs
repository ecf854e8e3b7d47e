//! The browsable API for staff: the session of the admin replaces the token.
//!
//! Browsers send cookies with requests that another site causes. The session therefore counts only for pages, never for
//! JSON; only if the browser says that the request comes from our pages or from the user; and for writes only with the
//! session's CSRF token in a header, which no other site's page can send.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpMessage, HttpRequest, web};

use super::session::SignedIn;
use super::session_cookies::SessionCookies;
use super::{csrf, origin};
use crate::admin::site::Site;
use crate::crypto::equal;
use crate::error::Error;
use crate::users::page_user::PageUser;
use crate::users::permissions::{Rights, Verb};

/// Stores the session's user in a request for a page. Ignores requests with a token.
pub async fn authenticate(request: &HttpRequest) -> Result<(), Error> {
    if request.headers().contains_key(AUTHORIZATION) || !comes_from_here(request) {
        return Ok(());
    }
    let Some(cookies) = request.app_data::<web::Data<SessionCookies>>() else { return Ok(()) };
    let signed_in = cookies.signed_in(request).await?.filter(|signed_in| !signed_in.must_enrol);
    let Some(signed_in) = signed_in else { return Ok(()) };
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !is_read {
        if !has_token(request, &signed_in) {
            return Ok(());
        }
        if !has_permission(request, &signed_in.staff.rights) {
            return Err(Error::PermissionDenied);
        }
    }
    let user = Arc::new(signed_in.staff.user()?.clone());
    request.extensions_mut().insert(PageUser { user, csrf_token: signed_in.csrf_token.clone() });
    Ok(())
}

/// Whether the browser says that the request comes from our pages or from the user. No answer counts as no.
fn comes_from_here(request: &HttpRequest) -> bool {
    request.headers().contains_key("sec-fetch-site") && origin::is_same_origin(request)
}

fn has_token(request: &HttpRequest, signed_in: &SignedIn) -> bool {
    csrf::header_token(request.headers()).is_some_and(|token| equal(token, &signed_in.csrf_token))
}

/// A session may do no more here than in the admin.
fn has_permission(request: &HttpRequest, rights: &Rights) -> bool {
    let verb = match *request.method() {
        Method::POST => Verb::Add,
        Method::DELETE => Verb::Delete,
        _ => Verb::Change,
    };
    let slug = request.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    let site = request.app_data::<web::Data<Site>>();
    site.and_then(|site| site.find(slug)).is_some_and(|model| model.options().has_permission(rights, verb))
}
