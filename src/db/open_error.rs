//! [`OpenError`]: why there is no database to work with.

use super::connection::one_line;
use super::url::DatabaseUrl;

/// The database cannot be opened, brought up to date or copied; one line that says why.
#[derive(Debug, thiserror::Error)]
#[error("database {url}: {problem}")]
pub struct OpenError {
    url: String,
    problem: String,
}

impl OpenError {
    /// With what went wrong there.
    pub(super) fn new(url: &DatabaseUrl, problem: impl ToString) -> OpenError {
        OpenError { url: url.to_string(), problem: one_line(&problem) }
    }

    /// What is wrong, without where.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}
