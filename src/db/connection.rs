//! What a connection is and what it is for.

use super::any_connection::AnyConnection;

pub type Connection = AnyConnection;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The database refuses writes on it.
    Reader,
    Writer,
    /// For a database that may belong to another program: changes nothing.
    Probe,
}

pub fn one_line(error: &impl ToString) -> String {
    error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
