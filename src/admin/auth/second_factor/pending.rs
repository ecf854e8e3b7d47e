//! [`Pending`]: a sign-in whose password or account elsewhere was right and that waits for a code. It gives no access to
//! anything. It lives in an encrypted cookie, so nothing is stored for it; its key is not in the database.

use actix_web::cookie::time::Duration;
use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::admin::auth::proof::{ExternalAccount, Proof};
use crate::admin::auth::session::auth_hash;
use crate::crypto::{Seal, equal};
use crate::error::Error;
use crate::users::models::User;

pub const AGE: Duration = Duration::minutes(5);
/// For the cookie that ends it.
pub const OVER: Duration = Duration::ZERO;
const PURPOSE: &str = "sign-in that waits for a code";

#[derive(Serialize, Deserialize)]
pub struct Pending {
    pub user_id: i64,
    pub external: Option<ExternalAccount>,
    /// Another password makes it void.
    auth_hash: String,
    /// In Unix seconds.
    begun: i64,
}

impl Pending {
    pub fn begin(user: &User, external: Option<ExternalAccount>) -> Pending {
        let auth_hash = auth_hash(user.password.as_deref());
        Pending { user_id: user.id, external, auth_hash, begun: Utc::now().timestamp() }
    }

    pub fn proof(self, factor: String) -> Proof {
        Proof { external: self.external, factor: Some(factor) }
    }

    pub fn seal(&self, key: &Seal) -> Result<String, Error> {
        let text = serde_json::to_string(self).map_err(|error| Error::Internal(error.to_string()))?;
        key.seal(PURPOSE, text.as_bytes())
    }

    /// `None` if it is over.
    pub fn open(sealed: &str, key: &Seal) -> Option<Pending> {
        let pending: Pending = serde_json::from_slice(&key.open(PURPOSE, sealed)?).ok()?;
        let age = Utc::now().timestamp() - pending.begun;
        (0..AGE.whole_seconds()).contains(&age).then_some(pending)
    }

    pub fn is_of(&self, user: &User) -> bool {
        user.id == self.user_id
            && user.is_active
            && user.is_staff
            && equal(&self.auth_hash, &auth_hash(user.password.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_after_five_minutes_and_opens_under_its_own_key_alone() {
        let key = || Seal::from_base64(&Seal::generate().expect("a key")).expect("a key");
        let (own, other) = (key(), key());
        for (age, is_open) in [(0, true), (290, true), (301, false), (-60, false)] {
            let pending =
                Pending { user_id: 1, external: None, auth_hash: String::new(), begun: Utc::now().timestamp() - age };
            let sealed = pending.seal(&own).expect("it is sealed");
            assert_eq!(Pending::open(&sealed, &own).is_some(), is_open, "{age}");
            assert!(Pending::open(&sealed, &other).is_none(), "{age}");
        }
        let text = r#"{"user_id":1,"external":null,"auth_hash":"","begun":9999999999}"#;
        let foreign = own.seal("second factor of user 1", text.as_bytes()).expect("it is sealed");
        assert!(Pending::open(&foreign, &own).is_none(), "sealed for another purpose");
    }
}
