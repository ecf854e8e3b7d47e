//! `createsuperuser`: like Django's command.

use clap::Args;

use super::output::{CommandError, say};
use super::prompt::{attributes, new_password, prompt};
use crate::config::{Basics, Superuser};
use crate::db::{Connection, Db};
use crate::error::Error;
use crate::history::{Actor, Source};
use crate::users::models::{self, NewUser, Origin, User};
use crate::users::{password, validators};

#[derive(Args)]
pub struct Arguments {
    /// The username
    #[arg(long)]
    username: Option<String>,
    /// The e-mail address
    #[arg(long)]
    email: Option<String>,
    /// Do not prompt; read DJANGO_SUPERUSER_USERNAME, _EMAIL and _PASSWORD from the environment
    #[arg(long)]
    noinput: bool,
}

pub fn run(config: &Basics, arguments: Arguments) -> Result<(), CommandError> {
    let (db, _) = Db::open(&config.database)?;
    let (username, email, password) =
        if arguments.noinput { from_environment(arguments)? } else { ask(&db, arguments)? };
    let hash = password.map(|password| password::hash(&password)).transpose()?;
    let user = db.write_blocking(move |conn| create(conn, &username, &email, hash))?;
    say!("Superuser {} created.", user.username);
    Ok(())
}

pub fn create(conn: &mut Connection, username: &str, email: &str, password: Option<String>) -> Result<User, Error> {
    let user = NewUser {
        username: username.to_owned(),
        email: email.to_owned(),
        password,
        is_staff: true,
        is_superuser: true,
        ..NewUser::new(Origin::CommandLine)
    };
    models::create(conn, user, &Actor::system(Source::CommandLine))
}

type Answers = (String, String, Option<String>);

fn from_environment(arguments: Arguments) -> Result<Answers, CommandError> {
    let given = Superuser::from_env();
    let missing = |option: &str, name: &str| CommandError::new(format!("--noinput needs {option} or {name}"));
    let username =
        arguments.username.or(given.username).ok_or_else(|| missing("--username", "DJANGO_SUPERUSER_USERNAME"))?;
    let email = arguments.email.or(given.email).unwrap_or_default();
    match &given.password {
        // Like Django's, the command accepts any password from a script, but this one warns.
        Some(password) => {
            for problem in validators::password(password, &attributes(&username, &email)) {
                eprintln!("Warning: {problem}");
            }
        }
        None => eprintln!(
            "Warning: DJANGO_SUPERUSER_PASSWORD is not set, so {username} has no password. Set one with changepassword."
        ),
    }
    Ok((username, email, given.password))
}

fn ask(db: &Db, arguments: Arguments) -> Result<Answers, CommandError> {
    let username = match arguments.username {
        Some(username) => username,
        None => ask_until("Username: ", |answer| username_problems(db, answer))?,
    };
    let email = match arguments.email {
        Some(email) => email,
        None => ask_until("E-mail address (may be empty): ", |answer| email_problems(db, answer))?,
    };
    let password = new_password(&attributes(&username, &email))?;
    Ok((username, email, Some(password)))
}

/// Repeats only this question, so that no other answer has to be typed again.
fn ask_until(
    question: &str,
    problems: impl Fn(&str) -> Result<Vec<String>, CommandError>,
) -> Result<String, CommandError> {
    loop {
        let answer = prompt(question)?;
        match problems(&answer)? {
            problems if problems.is_empty() => return Ok(answer),
            problems => eprintln!("Error: {}", problems.join(" ")),
        }
    }
}

fn username_problems(db: &Db, username: &str) -> Result<Vec<String>, CommandError> {
    let username = validators::normalize_username(username);
    let mut problems = validators::username(&username);
    if !username.is_empty() && db.read_blocking(|conn| Ok(models::find_by_username(conn, &username)?))?.is_some() {
        problems.push("That username is already taken.".to_owned());
    }
    Ok(problems)
}

fn email_problems(db: &Db, email: &str) -> Result<Vec<String>, CommandError> {
    if email.is_empty() {
        return Ok(Vec::new());
    }
    let mut problems = validators::email(email);
    if db.read_blocking(|conn| Ok(models::find_by_email(conn, email)?))?.is_some() {
        problems.push("That email is already taken.".to_owned());
    }
    Ok(problems)
}
