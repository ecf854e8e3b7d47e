//! The mode of the program, and the source of its tokens.

use std::fmt;

use crate::cognito::user_pool::UserPool;

/// The mode of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For local work: uses a local user pool if none is configured, and creates a first superuser.
    Development,
    /// For deployments: requires a configured user pool.
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

/// The source of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pool {
    /// A user pool in AWS, or an emulator of one.
    Cognito(UserPool),
    /// The built-in pool for development.
    Local,
}
