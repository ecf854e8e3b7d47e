//! The device cookie proves that a user has signed in with this browser before. It grants no access: it tells the
//! throttle the owner of an account from strangers, and encrypts forms that came after the session's end.

use actix_web::cookie::time::Duration;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;

use crate::crypto::random_token;
use crate::error::Error;

pub const AGE: Duration = Duration::days(180);

#[derive(Clone)]
pub struct Devices(hmac::Key);

impl Devices {
    pub fn new(key: &[u8]) -> Devices {
        Devices(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// `<user id>.<unix seconds>.<random>.<signature>`
    pub fn issue(&self, user_id: i64) -> Result<String, Error> {
        let content = format!("{user_id}.{}.{}", Utc::now().timestamp(), random_token()?);
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, content.as_bytes()));
        Ok(format!("{content}.{tag}"))
    }

    pub fn is_known(&self, cookie: &str, user_id: i64) -> bool {
        self.user(cookie) == Some(user_id)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_counts_for_its_user_alone_and_only_as_it_was_issued() {
        let devices = Devices::new(&[7; 64]);
        let cookie = devices.issue(42).expect("a cookie");
        assert!(devices.is_known(&cookie, 42));
        assert!(!devices.is_known(&cookie, 4) && !devices.is_known(&cookie, 43));
        assert!(!Devices::new(&[8; 64]).is_known(&cookie, 42), "signed with another key");
        let stolen = cookie.replacen("42.", "43.", 1);
        let cut = &cookie[..cookie.len() - 1];
        for bad in ["", ".", "42", "42.1.x.", &stolen, cut] {
            assert!(!devices.is_known(bad, 42) && !devices.is_known(bad, 43), "{bad}");
        }
    }

    #[test]
    fn a_cookie_ends_after_180_days() {
        let devices = Devices::new(&[7; 64]);
        for (days, expected) in [(179, true), (181, false)] {
            let content = format!("42.{}.nonce", Utc::now().timestamp() - days * 86_400);
            let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&devices.0, content.as_bytes()));
            assert_eq!(devices.is_known(&format!("{content}.{tag}"), 42), expected, "{days}");
        }
    }
}
