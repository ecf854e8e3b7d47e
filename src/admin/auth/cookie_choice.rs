//! [`CookieChoice`]: which of a request's session cookies counts.

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::{Cookie, Key};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use super::session::{DatabaseSessions, signed_key};
use crate::http::cookies::Cookies;

/// Leaves the session's middleware one cookie of the right form: it looks at the first alone, and reads none where one
/// of somebody else is malformed.
#[derive(Clone)]
pub struct CookieChoice {
    pub sessions: DatabaseSessions,
    pub cookies: Cookies,
    pub key: Key,
}

impl CookieChoice {
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
}
