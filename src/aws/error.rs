//! Why a call of AWS failed.

use super::credentials::CredentialsError;

/// No variant holds a secret, and all texts of AWS are escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    #[error("{0}")]
    Settings(String),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error("AWS cannot be reached: {0}")]
    Unreachable(String),
    #[error("AWS is not available at the moment: {0}")]
    Unavailable(String),
    #[error("AWS keeps asking for fewer requests ({0}); try again later")]
    Throttled(String),
    #[error("the clock of this machine is wrong: {0}")]
    ClockSkew(String),
    #[error("the AWS credentials have expired: {0}")]
    CredentialsExpired(String),
    /// Code and message.
    #[error("AWS refuses the call: {0}: {1}")]
    Refused(String, String),
    #[error("the answer of AWS cannot be used: {0}")]
    Unusable(String),
}

impl AwsError {
    /// Whether the same call may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self, AwsError::Unreachable(_) | AwsError::Unavailable(_) | AwsError::Throttled(_))
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self, AwsError::Refused(code, _) if code == "ResourceNotFoundException")
    }
}
