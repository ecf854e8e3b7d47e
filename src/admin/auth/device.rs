//! The device cookie proves that a user has signed in with this browser before. It grants no access: it tells the
//! throttle the owner of an account from strangers, and encrypts forms that came after the session's end.

use actix_web::cookie::time::Duration;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;

use crate::crypto::{fingerprint, random_token};
use crate::error::Error;

pub const AGE: Duration = Duration::days(180);

#[derive(Clone)]
pub struct Devices(hmac::Key);

impl Devices {
    pub fn new(key: &[u8]) -> Devices {
        Devices(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// `<user id>.<unix seconds>.<random>.<what it is bound to>.<signature>`. The random part is that of an earlier cookie of
    /// the user in this browser, if there is one.
    pub fn issue(&self, user_id: i64, bound_to: &str, earlier: Option<String>) -> Result<String, Error> {
        let random = earlier.map_or_else(random_token, Ok)?;
        let content = format!("{user_id}.{}.{random}.{}", Utc::now().timestamp(), binding(&random, bound_to));
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, content.as_bytes()));
        Ok(format!("{content}.{tag}"))
    }

    /// Whether the user has signed in with this browser, and what the cookie is bound to is the same.
    pub fn is_known(&self, cookie: &str, user_id: i64, bound_to: &str) -> bool {
        let Some((owner, random)) = self.owner(cookie) else { return false };
        owner == user_id && cookie.split('.').nth(3).is_some_and(|bound| bound == binding(&random, bound_to))
    }

    /// The user who has signed in with this browser, and the random part, which only the browser has.
    pub fn owner(&self, cookie: &str) -> Option<(i64, String)> {
        let (content, tag) = cookie.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.0, content.as_bytes(), &tag).ok()?;
        let [owner, issued_at, random, _] = content.split('.').collect::<Vec<_>>()[..] else { return None };
        let age = Utc::now().timestamp() - issued_at.parse::<i64>().ok()?;
        owner.parse().ok().filter(|_| age < AGE.whole_seconds()).map(|owner| (owner, random.to_owned()))
    }
}

/// The random part keeps two cookies from being compared.
fn binding(random: &str, bound_to: &str) -> String {
    fingerprint(&format!("{random}.{bound_to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "a hash";

    #[test]
    fn a_cookie_counts_for_its_user_and_password_alone_and_only_as_it_was_issued() {
        let devices = Devices::new(&[7; 64]);
        let cookie = devices.issue(42, PASSWORD, None).expect("a cookie");
        assert!(devices.is_known(&cookie, 42, PASSWORD));
        assert!(!devices.is_known(&cookie, 4, PASSWORD) && !devices.is_known(&cookie, 43, PASSWORD));
        assert!(!Devices::new(&[8; 64]).is_known(&cookie, 42, PASSWORD), "signed with another key");
        assert!(!devices.is_known(&cookie, 42, "another hash") && !devices.is_known(&cookie, 42, ""));
        let (_, random) = devices.owner(&cookie).expect("its user");
        let later = devices.issue(42, "another hash", Some(random.clone())).expect("a cookie");
        assert_eq!(devices.owner(&later), Some((42, random)), "the same browser");
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
