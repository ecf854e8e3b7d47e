//! Random tokens, comparisons that tell nothing, and secrets that no log shows.

mod compare;
mod random;
mod secret;

pub use compare::{equal, fingerprint};
pub use random::{random, random_token};
pub use secret::Secret;
