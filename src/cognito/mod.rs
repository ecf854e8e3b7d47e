//! AWS Cognito: whose token is this, is it genuine, and which local user does it stand for?
//!
//! A token's way: [`authentication`] takes it from the header, [`verifier`] checks it with [`token`] and
//! the keys of [`jwks`], [`linking`] finds the local user. Each refusal is a [`Refusal`]. [`jwk`] says which published
//! keys are used, and `signatures` is what jsonwebtoken verifies and signs with. A sign-up arrives by
//! [`post_confirmation`] even before its first token, and takes the same way through [`linking`].
//! [`inspector`] tells which of the checks a token fails.

pub mod authentication;
pub mod inspector;
pub mod inspector_page;
pub mod jwk;
pub mod jwks;
pub mod linking;
pub mod local_pool;
pub mod post_confirmation;
mod signatures;
pub mod token;
pub mod user_pool;
pub mod verifier;

pub use crate::error::Refusal;
pub use authentication::{Authenticator, CognitoUser};
