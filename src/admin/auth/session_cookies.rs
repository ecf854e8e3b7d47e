//! [`SessionCookies`]: which of a request's session cookies counts.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::{Cookie, Key};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use super::session::{DatabaseSessions, SignedIn, signed_key};
use crate::error::Error;
use crate::http::cookies::Cookies;

#[derive(Clone)]
pub struct SessionCookies {
    pub sessions: DatabaseSessions,
    pub cookies: Cookies,
    pub key: Key,
}

impl SessionCookies {
    /// Leaves the session's middleware one cookie of the right form: it looks at the first alone, and reads none where one
    /// of somebody else is malformed.
    pub async fn apply(
        self,
        mut request: ServiceRequest,
        next: Next<impl MessageBody + 'static>,
    ) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
        let chosen = self.choose(request.request()).await;
        self.cookies.keep(request.headers_mut(), chosen.as_ref());
        Ok(next.call(request).await?.map_into_boxed_body())
    }

    /// The first cookie whose session signs somebody in. Of one alone, the session's middleware judges.
    async fn choose(&self, request: &HttpRequest) -> Option<Cookie<'static>> {
        let mut candidates = self.cookies.sessions(request);
        for (at, cookie) in candidates.iter().enumerate().filter(|_| candidates.len() > 1) {
            let Some(key) = signed_key(cookie.clone(), &self.key) else { continue };
            // What cannot be read now fails in the session's middleware, too.
            if self.sessions.is_signed_in(&key).await.unwrap_or(true) {
                return Some(candidates.swap_remove(at));
            }
        }
        candidates.into_iter().next()
    }

    /// For requests outside of the session's middleware.
    pub async fn signed_in(&self, request: &HttpRequest) -> Result<Option<Arc<SignedIn>>, Error> {
        for key in self.cookies.sessions(request).into_iter().filter_map(|cookie| signed_key(cookie, &self.key)) {
            if let Some(signed_in) = self.sessions.signed_in_by(&key).await? {
                return Ok(Some(signed_in));
            }
        }
        Ok(None)
    }
}
