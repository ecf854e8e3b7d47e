//! [`OpenError`]: why a database cannot be used.

use super::connection::one_line;
use super::url::DatabaseUrl;

/// A database that cannot be opened, migrated, backed up or copied. Its message is one line.
#[derive(Debug, thiserror::Error)]
#[error("database {url}: {problem}")]
pub struct OpenError {
    url: String,
    problem: String,
}

impl OpenError {
    /// Joins the lines of `problem` into one.
    pub(super) fn new(url: &DatabaseUrl, problem: impl ToString) -> OpenError {
        OpenError { url: url.to_string(), problem: one_line(&problem) }
    }

    /// The message without the URL.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}
