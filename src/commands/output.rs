//! Output of commands.

use std::process::ExitCode;

use crate::error::Error;

/// Unlike `println!`, this does not panic if the reader has closed the pipe.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
pub(super) use say;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CommandError(String);

impl CommandError {
    pub(super) fn new(problem: impl ToString) -> CommandError {
        CommandError(problem.to_string())
    }
}

/// Unlike API clients, users of the command line may see the cause.
impl From<Error> for CommandError {
    fn from(error: Error) -> CommandError {
        CommandError(error.cause().map_or_else(|| error.to_string(), str::to_owned))
    }
}

macro_rules! command_error_from {
    ($($error:ty),*) => {
        $(impl From<$error> for CommandError {
            fn from(error: $error) -> CommandError {
                CommandError::new(error)
            }
        })*
    };
}
command_error_from!(std::io::Error, crate::config::ConfigError, crate::db::OpenError, crate::server::StartError);

pub fn fail(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("gatepost: {error}");
    ExitCode::FAILURE
}
