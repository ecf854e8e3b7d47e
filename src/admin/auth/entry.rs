//! The end of a sign-in with a password or a code.

use actix_session::SessionExt;
use actix_web::{HttpRequest, HttpResponse};

use super::credentials::Credentials;
use super::device;
use super::proof::Proof;
use super::session::{self, auth_hash};
use crate::admin::pages::see_other;
use crate::error::Error;
use crate::http::cookies::{self, Cookies};
use crate::users::models::User;

/// The cookie by which this browser is known for the user, with the present password and second factor.
pub fn known_device(
    request: &HttpRequest,
    (credentials, cookies): (&Credentials, &Cookies),
    user: &User,
    factor: Option<&str>,
) -> Option<String> {
    let bound_to = bound_to(user, factor);
    let is_known = |device: &String| credentials.devices.is_known(device, user.id, &bound_to);
    cookies.get(request, cookies::DEVICE).into_iter().find(is_known)
}

/// With another password or second factor, no browser from before is known.
fn bound_to(user: &User, factor: Option<&str>) -> String {
    format!("{}.{}", auth_hash(user.password.as_deref()), factor.unwrap_or_default())
}

/// Makes this browser known for the user.
pub fn know_device(
    request: &HttpRequest,
    response: &mut HttpResponse,
    (credentials, cookies): (&Credentials, &Cookies),
    user: &User,
    factor: Option<&str>,
) -> Result<(), Error> {
    let device = match known_device(request, (credentials, cookies), user, factor) {
        Some(known) => known,
        None => {
            let earlier = cookies.get(request, cookies::DEVICE);
            let mut earlier = earlier.iter().filter_map(|cookie| credentials.devices.owner(cookie));
            let earlier = earlier.find(|(owner, _)| *owner == user.id).map(|(_, random)| random);
            credentials.devices.issue(user.id, &bound_to(user, factor), earlier)?
        }
    };
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
    let mut response = see_other(next);
    know_device(request, &mut response, (credentials, cookies), user, proof.factor.as_deref())?;
    session::begin(&request.get_session(), user, request, proof)?;
    Ok(response)
}
