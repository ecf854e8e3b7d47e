//! The admin's cookies: `HttpOnly`, `SameSite=Lax`, and valid for the whole site. Outside development they are `Secure`
//! and prefixed with `__Host-`, so that no other host of the domain can set them (RFC 6265bis, section 4.1.3.2).

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Error;

pub const SESSION: &str = "gatepost_sessionid";
/// Of visitors who are not signed in.
pub const CSRF: &str = "gatepost_csrftoken";
/// Proves that someone has signed in with this browser before.
pub const DEVICE: &str = "gatepost_device";
/// Of a sign-in whose password was right and that waits for a code.
pub const SECOND_FACTOR: &str = "gatepost_second_factor";
pub const THEME: &str = "gatepost_theme";
/// How a list is shown; its name follows.
pub const LIST: &str = "gatepost_list_";
/// Each sign-in with an account elsewhere has a cookie whose name begins so.
pub const SIGN_IN: &str = "gatepost_sign_in_";

#[derive(Clone, Copy)]
pub struct Cookies {
    pub secure: bool,
}

impl Cookies {
    pub fn name(self, name: &str) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        format!("{prefix}{name}")
    }

    /// Without an age, it is a session cookie.
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

    /// A browser sends several cookies of one name if they are set for different paths or domains.
    pub fn get(self, request: &HttpRequest, name: &str) -> Vec<String> {
        let name = self.name(name);
        let found = named(request.headers(), |known| known == name);
        found.map(|cookie| cookie.value().to_owned()).collect()
    }

    /// The names of the cookies that begin with a name, without the prefix of all.
    pub fn names(self, request: &HttpRequest, begin: &str) -> Vec<String> {
        let (prefix, begin) = (self.name(""), self.name(begin));
        let found = named(request.headers(), |known| known.starts_with(&begin));
        found.map(|cookie| cookie.name()[prefix.len()..].to_owned()).collect()
    }

    /// With their signatures.
    pub fn sessions(self, request: &HttpRequest) -> Vec<Cookie<'static>> {
        let name = self.name(SESSION);
        named(request.headers(), |known| known == name).map(Cookie::into_owned).collect()
    }

    /// Removes all cookies but Gatepost's own, and of the session cookies all but `session`.
    pub fn keep(self, headers: &mut HeaderMap, session: Option<&Cookie>) {
        let own = [CSRF, DEVICE, SECOND_FACTOR, THEME].map(|name| self.name(name));
        let starts = [SIGN_IN, LIST].map(|start| self.name(start));
        let is_own =
            |name: &str| starts.iter().any(|start| name.starts_with(start)) || own.iter().any(|own| own == name);
        let kept: Vec<_> =
            named(headers, is_own).chain(session.cloned()).map(|cookie| cookie.encoded().to_string()).collect();
        headers.remove(COOKIE);
        if let Ok(value) = HeaderValue::try_from(kept.join("; "))
            && !kept.is_empty()
        {
            headers.insert(COOKIE, value);
        }
    }
}

/// The cookies with such a name among the headers of a request, read as RFC 6265, section 5 has browsers read them: what
/// is none is skipped and spoils no other.
fn named<'a>(headers: &'a HeaderMap, is_it: impl Fn(&str) -> bool) -> impl Iterator<Item = Cookie<'a>> {
    let pairs = headers.get_all(COOKIE).flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let pair = str::from_utf8(pair).ok()?.trim();
        // A browser sends many others, and decoding them takes longer than anything else here.
        let (name, _) = pair.split_once('=')?;
        if !name.contains('%') && !is_it(name.trim_end()) {
            return None;
        }
        let mut cookie = Cookie::parse_encoded(pair).ok().filter(|cookie| is_it(cookie.name()))?;
        let quoted = cookie.value().strip_prefix('"').and_then(|value| value.strip_suffix('"')).map(str::to_owned);
        if let Some(value) = quoted {
            cookie.set_value(value);
        }
        Some(cookie)
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    const COOKIES: Cookies = Cookies { secure: false };

    fn themes(header: &[u8]) -> Vec<String> {
        let value = HeaderValue::from_bytes(header).expect("a header's value");
        COOKIES.get(&TestRequest::get().insert_header((COOKIE, value)).to_http_request(), THEME)
    }

    #[test]
    fn an_odd_cookie_spoils_no_other() {
        for (header, expected) in [
            (&b"gatepost_theme=dark"[..], &["dark"][..]),
            (b"a=\xff; gatepost_theme=dark", &["dark"]),
            (b"gatepost_theme=dark; b=\xe9; c", &["dark"]),
            (b"=; ;; =x; a; a=%ff; a b=c; gatepost_theme=dark;", &["dark"]),
            (b"x=\"; gatepost_theme=dark", &["dark"]),
            (b"gatepost_theme=\"dark\"", &["dark"]),
            (b"gatepost_theme=%64ark", &["dark"]),
            (b"gatepost_theme=dark;gatepost_theme=light", &["dark", "light"]),
            (b"a={\"b\": [1, 2]}; gatepost_theme=dark", &["dark"]),
            (b"Gatepost_theme=dark; gatepost_themes=dark; theme=dark", &[]),
            (b"gatepost_theme=\xff", &[]),
            (b"", &[]),
        ] {
            assert_eq!(themes(header), expected, "{}", header.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn between_any_other_cookies_ours_is_found(before in "[ -:<-~\u{80}-\u{ff}]{0,20}", after in "[ -:<-~\u{80}-\u{ff}]{0,20}") {
            let header = format!("x{before}; gatepost_theme=dark;y{after}");
            prop_assert_eq!(themes(header.as_bytes()), ["dark"]);
            let latin1: Vec<u8> = header.chars().map(|character| character as u8).collect();
            prop_assert_eq!(themes(&latin1), ["dark"]);
        }
    }
}
