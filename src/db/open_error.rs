//! [`OpenError`]: why a database cannot be used.

use super::connection::one_line;
use super::url::DatabaseUrl;

#[derive(Debug, thiserror::Error)]
#[error("database {url}: {problem}")]
pub struct OpenError {
    url: String,
    problem: String,
}

impl OpenError {
    pub(super) fn new(url: &DatabaseUrl, problem: impl ToString) -> OpenError {
        OpenError { url: url.to_string(), problem: one_line(&problem) }
    }

    pub fn problem(&self) -> &str {
        &self.problem
    }
}
