//! The admin's cookies. All are `HttpOnly`, `SameSite=Lax` and valid for the whole site. Outside development they are
//! `Secure` and have the prefix `__Host-`, so that no other host of the domain can set them (RFC 6265bis, section
//! 4.1.3.2).

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Error;

/// The session's key.
pub const SESSION: &str = "gatepost_sessionid";
/// The CSRF token of visitors who are not signed in.
pub const CSRF: &str = "gatepost_csrftoken";
/// Proves that someone has signed in with this browser before.
pub const DEVICE: &str = "gatepost_device";
/// The chosen theme.
pub const THEME: &str = "gatepost_theme";

/// Cookie settings; part of the application data.
#[derive(Clone, Copy)]
pub struct Cookies {
    /// Whether browsers send them over TLS only.
    pub secure: bool,
}

impl Cookies {
    /// The name of a cookie in the browser, with its prefix.
    pub fn name(self, name: &str) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        format!("{prefix}{name}")
    }

    /// Sets a cookie on a response. Without an age, it is a session cookie.
    pub fn set(self, response: &mut HttpResponse, name: &str, value: &str, age: Option<Duration>) -> Result<(), Error> {
        let mut cookie = Cookie::build(self.name(name), value)
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .finish();
        cookie.set_max_age(age);
        response.add_cookie(&cookie).map_err(|error| Error::Internal(error.to_string()))
    }

    /// The cookie's value in a request.
    pub fn get(self, request: &HttpRequest, name: &str) -> Option<String> {
        request.cookie(&self.name(name)).map(|cookie| cookie.value().to_owned())
    }
}
