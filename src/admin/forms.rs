//! What a form of ours sends: [`PostForm`], which is read only after its CSRF token has been checked.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::LocalBoxFuture;

use crate::error::Error;

/// The fields of a form, in the order of the page; a name may be there more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormData(pub Vec<(String, String)>);

impl FormData {
    /// The fields of a query string or of a form's body.
    pub fn parse(text: &[u8]) -> FormData {
        FormData(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The last field with this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All fields with this name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// The form that a page of ours has sent.
pub struct PostForm(pub FormData);

impl FromRequest for PostForm {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<PostForm, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(async { Err(Error::PermissionDenied) })
    }
}
