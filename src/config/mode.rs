//! The mode the program runs in, and where its tokens come from.

use std::fmt;

use crate::cognito::user_pool::UserPool;

/// The mode the program runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Local work: a local user pool where none is configured, a first superuser.
    Development,
    /// Everything has to be configured.
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

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pool {
    /// A user pool in AWS, or an emulator of one.
    Cognito(UserPool),
    /// The built-in pool of development mode.
    Local,
}
