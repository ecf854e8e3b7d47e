//! [`PageUser`]: the signed-in user behind a page of the browsable API.

use std::sync::Arc;

use actix_web::{HttpMessage, HttpRequest};

use super::models::User;

/// Whom a page stands for that was asked for without a token: who is signed in to the admin. Left in the
/// request before the guard runs.
#[derive(Clone)]
pub struct PageUser {
    /// The user.
    pub user: Arc<User>,
    /// Goes with whatever the page's script sends.
    pub csrf_token: String,
}

impl PageUser {
    /// Who was found for this request.
    pub fn of(request: &HttpRequest) -> Option<PageUser> {
        request.extensions().get::<PageUser>().cloned()
    }
}
