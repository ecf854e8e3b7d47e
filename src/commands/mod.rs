//! The command line's commands, Django's where Django has them.

pub mod backup;
pub mod changepassword;
pub mod check;
pub mod check_token;
pub mod copy_database;
pub mod createsuperuser;
pub mod health;
pub mod migrate;
pub mod openapi;
pub mod serve;
pub mod token;

/// Writes a line for the person who typed the command. Whoever closed the pipe wants no more, and that is no
/// error: `println!` would panic.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
use say;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use crate::error::Error;
use crate::users::models::User;
use crate::users::validators;

/// Why a command failed: a line for the person who typed it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CommandError(String);

impl CommandError {
    fn new(problem: impl ToString) -> CommandError {
        CommandError(problem.to_string())
    }
}

/// Unlike a caller of the API, whoever types a command may see the cause.
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

/// Says what went wrong, on standard error, and gives the exit code for it.
pub fn fail(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("gatepost: {error}");
    ExitCode::FAILURE
}

fn prompt(question: &str) -> std::io::Result<String> {
    print!("{question}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        return Err(std::io::Error::other("the input ended before all questions were answered"));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads a password without showing it; from a script, a line of standard input.
fn prompt_password(question: &str) -> std::io::Result<String> {
    if std::io::stdin().is_terminal() { rpassword::prompt_password(question) } else { prompt(question) }
}

/// Asks for a password until both entries are the same and the rules are kept, or kept no more on
/// purpose.
fn new_password(attributes: &[(&str, &str)]) -> Result<String, CommandError> {
    loop {
        let password = prompt_password("Password: ")?;
        if password != prompt_password("Password (again): ")? {
            eprintln!("Error: Your passwords didn't match.");
        } else if password.is_empty() {
            eprintln!("Error: Blank passwords aren't allowed.");
        } else {
            let errors = validators::password(&password, attributes);
            if errors.is_empty() {
                return Ok(password);
            }
            eprintln!("{}", errors.join("\n"));
            if prompt("Use this password all the same? [y/N]: ")?.eq_ignore_ascii_case("y") {
                return Ok(password);
            }
        }
        // Nobody is there to correct what a script passed.
        if !std::io::stdin().is_terminal() {
            return Err(CommandError::new("no usable password was given"));
        }
    }
}

/// What a password must not resemble.
fn attributes<'a>(username: &'a str, email: &'a str) -> [(&'static str, &'a str); 2] {
    [("username", username), ("e-mail address", email)]
}

fn attributes_of(user: &User) -> Vec<(&'static str, &str)> {
    let names = [("first name", user.first_name.as_str()), ("last name", user.last_name.as_str())];
    attributes(&user.username, &user.email).into_iter().chain(names).collect()
}
