//! AWS credentials: from the environment, a web identity, the endpoint of a container, or the instance, in the order of
//! AWS's own tools. The first source that is set up counts, even if it fails. Profile files are not read.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>

mod chain;
mod container;
mod fetch;
mod instance;
mod web_identity;

use chrono::{DateTime, Utc};

pub use chain::Chain;

use crate::crypto::Secret;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Option<Secret>,
    /// `None`: never.
    pub expires: Option<DateTime<Utc>>,
}

impl Credentials {
    pub fn last_beyond(&self, time: DateTime<Utc>) -> bool {
        self.expires.is_none_or(|expires| expires > time)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    #[error(
        "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
    )]
    Missing,
    /// The source and what is wrong with it.
    #[error("no AWS credentials from {0}: {1}")]
    Failed(&'static str, String),
}
