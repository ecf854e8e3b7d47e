//! What a connection is and what it is for.

use super::any_connection::AnyConnection;

/// A connection to the database: what model functions take.
pub type Connection = AnyConnection;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads only; the database refuses anything else on it.
    Reader,
    /// Writes.
    Writer,
    /// Looks at a database that may be anybody's, and leaves it as it is.
    Probe,
}

/// An error's text without line breaks.
pub fn one_line(error: &impl ToString) -> String {
    error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
