//! The browsable API for staff: who is signed in to the admin may use it without a token.
//!
//! Cookies come with whatever a browser is made to send. So the session counts for pages alone, never for
//! JSON; only where the browser says that one of our own pages asks, or the person; and for what changes
//! something, only with the session's CSRF token in a header, which no page of another site can send.

use std::sync::Arc;

use actix_web::cookie::Key;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, web};

use super::cookies::Cookies;
use super::csrf;
use super::session::{DatabaseSessions, SignedIn, session_key};
use crate::cognito::authentication::PageUser;
use crate::crypto::equal;
use crate::db::Db;
use crate::error::Error;
use crate::users::models;
use crate::users::sessions::Limits;

/// What it takes to know a session outside of the admin; part of the application's data.
pub struct Browsing {
    db: Db,
    sessions: DatabaseSessions,
    cookies: Cookies,
    key: Key,
}

impl Browsing {
    /// For the sessions of the admin, whose cookies are signed with `key`.
    pub fn new(db: Db, limits: Limits, cookies: Cookies, key: Key) -> Browsing {
        Browsing { sessions: DatabaseSessions::new(db.clone(), limits), db, cookies, key }
    }

    async fn find(&self, request: &HttpRequest) -> Result<Option<PageUser>, Error> {
        let Some(key) = session_key(request, self.cookies, &self.key) else { return Ok(None) };
        let Some(state) = self.sessions.find(&key).await? else { return Ok(None) };
        let Some(signed_in) = SignedIn::find(&state) else { return Ok(None) };
        let user = self.db.read(move |conn| Ok(models::find(conn, signed_in.user_id)?)).await?;
        let user = user.filter(|user| signed_in.is_good(user));
        Ok(user.map(|user| PageUser { user: Arc::new(user), csrf_token: signed_in.csrf_token }))
    }
}

/// Leaves in a request for a page whom the session stands for. A request with a token needs none, and is not
/// looked at any further.
pub async fn authenticate(request: &HttpRequest) -> Result<(), Error> {
    if request.headers().contains_key(AUTHORIZATION) || !comes_from_here(request) {
        return Ok(());
    }
    let Some(browsing) = request.app_data::<web::Data<Browsing>>() else { return Ok(()) };
    let found = browsing.find(request).await?;
    if let Some(user) = found.filter(|user| may_do(request, user)) {
        request.extensions_mut().insert(user);
    }
    Ok(())
}

/// Whether the browser says that a page of ours asks, or the person. One that does not tell has no say here.
fn comes_from_here(request: &HttpRequest) -> bool {
    request.headers().contains_key("sec-fetch-site") && csrf::is_same_origin(request)
}

fn may_do(request: &HttpRequest, user: &PageUser) -> bool {
    let token = request.headers().get(csrf::HEADER).and_then(|token| HeaderValue::to_str(token).ok());
    matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        || token.is_some_and(|token| equal(token, &user.csrf_token))
}
