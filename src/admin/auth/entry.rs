//! The end of a sign-in with a password or a code.

use actix_session::SessionExt;
use actix_web::{HttpRequest, HttpResponse};

use super::credentials::Credentials;
use super::device;
use super::proof::Proof;
use super::session;
use crate::admin::pages::see_other;
use crate::error::Error;
use crate::http::cookies::{self, Cookies};
use crate::users::models::User;

/// The cookie by which this browser is known for the user.
pub fn known_device(
    request: &HttpRequest,
    credentials: &Credentials,
    cookies: &Cookies,
    user: Option<&User>,
) -> Option<String> {
    let is_known = |device: &String| {
        user.is_some_and(|user| credentials.devices.is_known(device, user.id, user.password.as_deref()))
    };
    cookies.get(request, cookies::DEVICE).into_iter().find(is_known)
}

/// Makes this browser known for the user.
pub fn know_device(
    request: &HttpRequest,
    response: &mut HttpResponse,
    (credentials, cookies): (&Credentials, &Cookies),
    user: &User,
) -> Result<(), Error> {
    let known = known_device(request, credentials, cookies, Some(user));
    let device = known.map_or_else(|| credentials.devices.issue(user.id, user.password.as_deref()), Ok)?;
    cookies.set(response, cookies::DEVICE, &device, Some(device::AGE))
}

/// Begins a session, and leads on.
pub async fn enter(
    request: &HttpRequest,
    (credentials, cookies): (&Credentials, &Cookies),
    user: &User,
    proof: Proof,
    next: &str,
) -> Result<HttpResponse, Error> {
    credentials.note_login(user.id).await?;
    session::begin(&request.get_session(), user, request, proof)?;
    let mut response = see_other(next);
    know_device(request, &mut response, (credentials, cookies), user)?;
    Ok(response)
}
