//! Random tokens, constant-time comparison, and secrets that are never logged.

mod compare;
mod random;
mod secret;

pub use compare::{equal, fingerprint};
pub use random::{random, random_token};
pub use secret::Secret;
