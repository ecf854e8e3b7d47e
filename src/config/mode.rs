//! The mode of the program, and the source of its tokens.

use std::fmt;

use crate::cognito::user_pool::UserPool;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Uses a local user pool if none is configured, and creates a first superuser.
    Development,
    /// Requires a configured user pool.
    Production,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Development => "development",
            Mode::Production => "production",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pool {
    Cognito(UserPool),
    Local,
}
