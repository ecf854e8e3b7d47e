//! The device cookie proves that a user has signed in with this browser before. It grants no access: it tells the
//! throttle the owner of an account from strangers, and encrypts forms that came after the session's end.

use actix_web::cookie::time::Duration;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;

use super::session::auth_hash;
use crate::crypto::{fingerprint, random_token};
use crate::error::Error;

pub const AGE: Duration = Duration::days(180);

#[derive(Clone)]
pub struct Devices(hmac::Key);

impl Devices {
    pub fn new(key: &[u8]) -> Devices {
        Devices(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// `<user id>.<unix seconds>.<random>.<binding to the password>.<signature>`
    pub fn issue(&self, user_id: i64, password: Option<&str>) -> Result<String, Error> {
        let random = random_token()?;
        let content = format!("{user_id}.{}.{random}.{}", Utc::now().timestamp(), binding(&random, password));
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, content.as_bytes()));
        Ok(format!("{content}.{tag}"))
    }

    pub fn is_known(&self, cookie: &str, user_id: i64, password: Option<&str>) -> bool {
        let is_bound = |cookie: &str| {
            let mut parts = cookie.split('.').skip(2);
            parts.next().zip(parts.next()).is_some_and(|(random, bound)| bound == binding(random, password))
        };
        self.user(cookie) == Some(user_id) && is_bound(cookie)
    }

    /// The user who has signed in with this browser.
    pub fn user(&self, cookie: &str) -> Option<i64> {
        let (content, tag) = cookie.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.0, content.as_bytes(), &tag).ok()?;
        let mut parts = content.split('.').map(|part| part.parse::<i64>().ok());
        let (owner, issued_at) = (parts.next().flatten(), parts.next().flatten());
        let age = issued_at.map(|issued_at| Utc::now().timestamp() - issued_at);
        owner.filter(|_| age.is_some_and(|age| age < AGE.whole_seconds()))
    }
}

/// With another password, no browser from before is known. The random part keeps two cookies from being compared.
fn binding(random: &str, password: Option<&str>) -> String {
    fingerprint(&format!("{random}.{}", auth_hash(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: Option<&str> = Some("a hash");

    #[test]
    fn a_cookie_counts_for_its_user_and_password_alone_and_only_as_it_was_issued() {
        let devices = Devices::new(&[7; 64]);
        let cookie = devices.issue(42, PASSWORD).expect("a cookie");
        assert!(devices.is_known(&cookie, 42, PASSWORD));
        assert!(!devices.is_known(&cookie, 4, PASSWORD) && !devices.is_known(&cookie, 43, PASSWORD));
        assert!(!Devices::new(&[8; 64]).is_known(&cookie, 42, PASSWORD), "signed with another key");
        assert!(!devices.is_known(&cookie, 42, Some("another hash")) && !devices.is_known(&cookie, 42, None));
        let stolen = cookie.replacen("42.", "43.", 1);
        let cut = &cookie[..cookie.len() - 1];
        for bad in ["", ".", "42", "42.1.x.", &stolen, cut] {
            assert!(!devices.is_known(bad, 42, PASSWORD) && !devices.is_known(bad, 43, PASSWORD), "{bad}");
        }
    }

    #[test]
    fn a_cookie_ends_after_180_days() {
        let devices = Devices::new(&[7; 64]);
        for (days, expected) in [(179, true), (181, false)] {
            let issued_at = Utc::now().timestamp() - days * 86_400;
            let content = format!("42.{issued_at}.nonce.{}", binding("nonce", PASSWORD));
            let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&devices.0, content.as_bytes()));
            assert_eq!(devices.is_known(&format!("{content}.{tag}"), 42, PASSWORD), expected, "{days}");
        }
    }
}
