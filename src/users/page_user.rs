//! [`PageUser`]: the signed-in user behind a page of the browsable API.

use std::sync::Arc;

use actix_web::{HttpMessage, HttpRequest};

use super::models::User;

/// Signed in to the admin. Stored in the request's extensions before the extractor runs.
#[derive(Clone)]
pub struct PageUser {
    pub user: Arc<User>,
    /// The page's script sends it with every request.
    pub csrf_token: String,
}

impl PageUser {
    pub fn of(request: &HttpRequest) -> Option<PageUser> {
        request.extensions().get::<PageUser>().cloned()
    }
}
