//! Output of commands.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use crate::error::Error;

macro_rules! say {
    ($($text:tt)*) => { crate::commands::output::write_line(format_args!($($text)*)) };
}
pub(super) use say;

/// Prints a line to standard error. There is nowhere left to report that this fails.
macro_rules! say_error {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}
pub(super) use say_error;

/// Fails if the line is lost, for example on a full disk. A reader that has closed its pipe has seen enough.
pub(super) fn write_line(line: std::fmt::Arguments) -> Result<(), CommandError> {
    seen(writeln!(std::io::stdout(), "{line}"))
}

/// A line of text that others have written: a terminal must not obey it.
pub(super) fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// The outcome of writing to standard output.
pub fn seen(written: std::io::Result<()>) -> Result<(), CommandError> {
    match written.and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CommandError::new(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct CommandError {
    problem: String,
    code: u8,
}

impl CommandError {
    pub(super) fn new(problem: impl ToString) -> CommandError {
        CommandError { problem: problem.to_string(), code: 1 }
    }

    /// The input is refused, and nothing has failed: exit code 2.
    pub(super) fn refused(problem: impl ToString) -> CommandError {
        CommandError { problem: problem.to_string(), code: 2 }
    }

    /// An exit code that tells a script what happened.
    pub(super) fn with_code(problem: impl ToString, code: u8) -> CommandError {
        CommandError { problem: problem.to_string(), code }
    }

    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// Unlike API clients, users of the command line may see the cause.
impl From<Error> for CommandError {
    fn from(error: Error) -> CommandError {
        CommandError::new(error.cause().map_or_else(|| error.to_string(), str::to_owned))
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
command_error_from!(
    std::io::Error,
    crate::config::ConfigError,
    crate::db::OpenError,
    crate::server::StartError,
    crate::cognito::sync::SyncError,
    crate::aws::AwsError,
    crate::django::ImportError
);

pub fn fail(error: &CommandError) -> ExitCode {
    say_error!("gatepost: {error}");
    error.code()
}
