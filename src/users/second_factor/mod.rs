//! The second factor of a password: a secret in an authenticator app, whose codes count once each, and recovery codes
//! for when the app is lost.

mod code;
mod factor;
mod key;
mod recovery;
mod required;

pub use code::Code;
pub use factor::{Checked, Proven, SecondFactor, check, count_unreadable, enrol, exists, find, open, remove, seal};
pub use key::{FactorKey, KeyError, KeySource};
pub use recovery::{count as count_recovery_codes, in_fours, replace as replace_recovery_codes};
pub use required::Required;
