//! The browsable API for staff: who is signed in to the admin may use it without a token.
//!
//! Cookies come with whatever a browser is made to send. So the session counts for pages alone, never for
//! JSON; only where the browser says that one of our own pages asks, or the person; and for what changes
//! something, only with the session's CSRF token in a header, which no page of another site can send.

use std::sync::Arc;

use actix_web::cookie::Key;
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpMessage, HttpRequest, web};

use super::session::{DatabaseSessions, SignedIn, session_key};
use super::{csrf, origin};
use crate::admin::site::Site;
use crate::crypto::equal;
use crate::error::Error;
use crate::http::cookies::Cookies;
use crate::users::page_user::PageUser;
use crate::users::permissions::{Rights, Verb};

/// What it takes to know a session outside of the admin; part of the application's data.
pub struct Browsing {
    sessions: DatabaseSessions,
    cookies: Cookies,
    key: Key,
}

impl Browsing {
    /// For the sessions of the admin, whose cookies are signed with `key`.
    pub fn new(sessions: DatabaseSessions, cookies: Cookies, key: Key) -> Browsing {
        Browsing { sessions, cookies, key }
    }

    async fn find(&self, request: &HttpRequest) -> Result<Option<Arc<SignedIn>>, Error> {
        match session_key(request, self.cookies, &self.key) {
            Some(key) => self.sessions.signed_in_by(&key).await,
            None => Ok(None),
        }
    }
}

/// Leaves in a request for a page whom the session stands for. A request with a token needs none, and is not
/// looked at any further.
pub async fn authenticate(request: &HttpRequest) -> Result<(), Error> {
    if request.headers().contains_key(AUTHORIZATION) || !comes_from_here(request) {
        return Ok(());
    }
    let Some(browsing) = request.app_data::<web::Data<Browsing>>() else { return Ok(()) };
    let Some(signed_in) = browsing.find(request).await? else { return Ok(()) };
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

/// Whether the browser says that a page of ours asks, or the person. One that does not tell has no say here.
fn comes_from_here(request: &HttpRequest) -> bool {
    request.headers().contains_key("sec-fetch-site") && origin::is_same_origin(request)
}

fn has_token(request: &HttpRequest, signed_in: &SignedIn) -> bool {
    csrf::header_token(request.headers()).is_some_and(|token| equal(token, &signed_in.csrf_token))
}

/// Whether a session may do by the API what it asks for: no more than it may do in the admin.
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
