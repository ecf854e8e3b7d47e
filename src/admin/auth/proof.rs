//! [`Proof`]: how a session began.

use serde::{Deserialize, Serialize};

use crate::users::second_factor::SecondFactor;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// With a password alone.
    #[default]
    Password,
    /// With a password and the second factor with this fingerprint.
    SecondFactor(String),
    /// With an account elsewhere, at this time in Unix seconds. Who needs a second factor is decided there.
    External(i64),
}

impl Proof {
    /// Whether a session that began so is still good: a factor that came, went or was replaced ends it.
    pub fn is_enough(&self, factor: Option<&SecondFactor>) -> bool {
        match self {
            Proof::Password => factor.is_none(),
            Proof::SecondFactor(used) => factor.is_some_and(|factor| factor.fingerprint() == *used),
            Proof::External(_) => true,
        }
    }

    /// After the user has turned a second factor on or off.
    pub fn with_factor(&self, factor: Option<&SecondFactor>) -> Proof {
        match (self, factor) {
            (Proof::External(at), _) => Proof::External(*at),
            (_, Some(factor)) => Proof::SecondFactor(factor.fingerprint()),
            (_, None) => Proof::Password,
        }
    }

    /// When an account elsewhere was used, in Unix seconds.
    pub fn external_since(&self) -> Option<i64> {
        match self {
            Proof::External(at) => Some(*at),
            _ => None,
        }
    }
}
