//! The admin's cookies: all of them `HttpOnly`, `SameSite=Lax` and for the whole site, and outside
//! development `Secure` with the prefix `__Host-`, so that no other host of the domain can set them
//! (RFC 6265bis, section 4.1.3.2).

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Error;

/// The session's key.
pub const SESSION: &str = "sessionid";
/// The CSRF token of who has not signed in.
pub const CSRF: &str = "csrftoken";
/// Proves that somebody has signed in with this browser before.
pub const DEVICE: &str = "device";
/// The theme that was chosen.
pub const THEME: &str = "theme";

/// How cookies are set; part of the application's data.
#[derive(Clone, Copy)]
pub struct Cookies {
    /// Whether browsers may send them by TLS only.
    pub secure: bool,
}

impl Cookies {
    /// The name under which a browser keeps a cookie.
    pub fn name(self, name: &str) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        format!("{prefix}{name}")
    }

    /// Has an answer set a cookie; without an age, the browser forgets it when it ends.
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

    /// The value that a request brings.
    pub fn get(self, request: &HttpRequest, name: &str) -> Option<String> {
        request.cookie(&self.name(name)).map(|cookie| cookie.value().to_owned())
    }
}
