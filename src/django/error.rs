//! [`ImportError`].

use crate::db::OpenError;
use crate::error::Error;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{0}")]
    Source(String),
    #[error("{0}")]
    Target(#[from] OpenError),
    #[error("{}", .0.cause().map_or_else(|| .0.to_string(), str::to_owned))]
    Failed(#[from] Error),
}

impl From<diesel::result::Error> for ImportError {
    fn from(error: diesel::result::Error) -> ImportError {
        ImportError::Failed(error.into())
    }
}

impl ImportError {
    pub fn source(problem: impl ToString) -> ImportError {
        ImportError::Source(problem.to_string())
    }
}
