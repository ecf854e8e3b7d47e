//! [`Proof`]: how a session began.

use serde::{Deserialize, Serialize};

use crate::users::models::User;
use crate::users::second_factor::SecondFactor;

/// By default, a password alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// In place of the password.
    pub external: Option<ExternalAccount>,
    /// The fingerprint of the second factor whose code was right.
    pub factor: Option<String>,
}

/// An account elsewhere that the user is linked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalAccount {
    pub sub: String,
    /// When the user signed in there, in Unix seconds.
    pub since: i64,
}

impl Proof {
    pub fn with_factor(&self, fingerprint: Option<String>) -> Proof {
        Proof { factor: fingerprint, ..self.clone() }
    }

    /// Whether a session that began so is still good. A second factor that came, went or was replaced ends it, and so
    /// does the end of the link to the account elsewhere.
    pub fn is_enough(&self, user: &User, factor: Option<&SecondFactor>) -> bool {
        let is_linked = |account: &ExternalAccount| user.cognito_sub.as_ref() == Some(&account.sub);
        self.external.as_ref().is_none_or(is_linked) && self.factor == factor.map(SecondFactor::fingerprint)
    }

    pub fn is_password_alone(&self) -> bool {
        *self == Proof::default()
    }
}
