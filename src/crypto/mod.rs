//! Random tokens, constant-time comparison, encryption, one-time passwords, and secrets that are never logged.

mod compare;
mod hex;
pub mod key_file;
mod random;
mod seal;
mod secret;
pub mod totp;

pub use compare::{equal, fingerprint};
pub use hex::hex;
pub use random::{random, random_token};
pub use seal::Seal;
pub use secret::Secret;
