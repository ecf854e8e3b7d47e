//! AWS Cognito. [`extractors`] let a handler ask for the caller: [`authentication`] takes a token from the header,
//! [`verifier`] checks it with [`token`] and the keys of [`jwks`], and [`linking`] finds the local user or
//! [`service_accounts`] the machine client. Each failure is a [`Refusal`]. [`post_confirmation`] receives sign-ups before
//! their first token, and [`user_migration`] users who move to the pool with their password. [`inspector`] shows which
//! check a token fails. [`sync`] compares the users of the pool with the local ones, and [`pool_actions`] changes them
//! there.

pub mod authentication;
pub mod caller;
pub mod extractors;
pub mod inspector;
pub mod inspector_page;
pub mod jwk;
pub mod jwks;
pub mod linking;
pub mod local_pool;
pub mod pool_actions;
pub mod pool_api;
pub mod post_confirmation;
pub mod provider;
pub mod sample_tokens;
pub mod service_accounts;
pub mod sign_in;
mod signatures;
pub mod sync;
pub mod token;
pub mod trigger;
pub mod user_migration;
pub mod user_pool;
pub mod verifier;

pub use crate::error::Refusal;
pub use authentication::Authenticator;
pub use caller::Caller;
pub use extractors::{CognitoCaller, CognitoUser};
