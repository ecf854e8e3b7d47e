//! Staff sign in to the admin with Cognito: authorization code with PKCE (RFC 6749, RFC 7636, OpenID Connect Core 1.0).
//!
//! [`pages`] begins a [`flow`], and `callback` receives its end or a `failure`. [`local_pages`] is the local pool's own
//! provider, for development.

mod callback;
mod failure;
pub mod flow;
pub mod local_pages;
pub mod pages;

use std::sync::Arc;
use std::time::Duration;

use actix_web::cookie::Key;

use crate::cognito::linking::{Creation, Rules};
use crate::cognito::provider::Provider;
use crate::cognito::verifier::Verifier;
use crate::users::models::Origin;

/// What it takes to sign staff in; part of the application data.
pub struct SignIn {
    pub provider: Provider,
    /// Accepts the ID tokens of the admin's own app client alone.
    pub verifier: Verifier,
    pub rules: Arc<Rules>,
    /// The origin that browsers see; `None`: the one that a request names.
    pub public_origin: Option<String>,
    /// How long after `auth_time` a session may last.
    pub max_age: Duration,
    pub flow_key: Key,
    /// Whether the provider is the local pool's.
    pub is_local: bool,
}

impl SignIn {
    /// A sign-in never creates its user, and links only verified addresses: in many pools, users can set any address.
    pub fn rules(issuer: String, staff_group: Option<Arc<str>>) -> Rules {
        let (creation, origin) = (Creation::Never, Origin::FirstToken);
        Rules { issuer, staff_group, link_unverified_email: false, creation, origin }
    }
}
