//! Prompts of commands.

use std::io::{ErrorKind, IsTerminal, Write};

use super::output::{CommandError, say_error};
use crate::users::models::User;
use crate::users::validators;

pub fn prompt(question: &str) -> std::io::Result<String> {
    // A closed pipe needs no question.
    let mut stdout = std::io::stdout();
    match write!(stdout, "{question}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error),
        _ => {}
    }
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        return Err(std::io::Error::other("the input ended before all questions were answered"));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn prompt_password(question: &str) -> std::io::Result<String> {
    if std::io::stdin().is_terminal() { rpassword::prompt_password(question) } else { prompt(question) }
}

pub fn new_password(attributes: &[(&str, &str)]) -> Result<String, CommandError> {
    loop {
        let password = prompt_password("Password: ")?;
        if password != prompt_password("Password (again): ")? {
            say_error!("Error: Your passwords didn't match.");
        } else if password.is_empty() {
            say_error!("Error: Blank passwords aren't allowed.");
        } else if let Err(problem) = validators::normalized_password(&password) {
            say_error!("Error: {problem}");
        } else {
            let errors = validators::password(&password, attributes);
            if errors.is_empty() {
                return Ok(password);
            }
            say_error!("{}", errors.join("\n"));
            if prompt("Use this password anyway? [y/N]: ")?.eq_ignore_ascii_case("y") {
                return Ok(password);
            }
        }
        // A script cannot correct its input.
        if !std::io::stdin().is_terminal() {
            return Err(CommandError::new("no usable password was given"));
        }
    }
}

/// The values that a password must not resemble.
pub fn attributes<'a>(username: &'a str, email: &'a str) -> [(&'static str, &'a str); 2] {
    [("username", username), ("e-mail address", email)]
}

pub fn attributes_of(user: &User) -> Vec<(&'static str, &str)> {
    let names = [("first name", user.first_name.as_str()), ("last name", user.last_name.as_str())];
    attributes(&user.username, &user.email).into_iter().chain(names).collect()
}
