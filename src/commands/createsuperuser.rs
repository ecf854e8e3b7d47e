//! `createsuperuser`: like Django's command.

use clap::Args;

use super::output::{CommandError, say, say_error};
use super::prompt::{attributes, new_password, prompt};
use super::user::find;
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
    /// Change nothing and succeed if there is a user with this username already, for scripts that run at each start
    #[arg(long, requires = "noinput")]
    if_missing: bool,
}

pub fn run(config: &Basics, arguments: Arguments) -> Result<(), CommandError> {
    let (db, _) = Db::open(&config.database)?;
    if !arguments.noinput {
        let (username, email, password) = ask(&db, arguments)?;
        let hash = password::hash(&password)?;
        let user = db.write_blocking(move |conn| create(conn, &username, &email, Some(hash)))?;
        return say!("Superuser {} created.", user.username);
    }
    let given = Superuser::from_env()?;
    let missing = || CommandError::new("--noinput needs --username or DJANGO_SUPERUSER_USERNAME");
    let username = arguments.username.or(given.username).ok_or_else(missing)?;
    if arguments.if_missing
        && let Some(user) = find(&db, &username)?
    {
        return keep(&user);
    }
    let email = arguments.email.or(given.email).unwrap_or_default();
    warn_of_password(given.password.as_deref(), &username, &email);
    let hash = given.password.map(|password| password::hash(&password)).transpose()?;
    let (if_missing, name) = (arguments.if_missing, username.clone());
    let create = move |conn: &mut Connection| {
        // Another process may have created it since.
        let found = models::find_by_username(conn, &validators::normalize_username(&username))?;
        if if_missing && found.is_some() { Ok(None) } else { create(conn, &username, &email, hash).map(Some) }
    };
    match (db.write_blocking(create)?, find(&db, &name)?) {
        (None, Some(user)) => keep(&user),
        _ => say!("Superuser {} created.", validators::normalize_username(&name)),
    }
}

/// Says that the user is there. Somebody may have taken rights away on purpose, so they are not given back.
fn keep(user: &User) -> Result<(), CommandError> {
    if !(user.is_superuser && user.is_staff && user.is_active) {
        say_error!("Warning: {} is not an active superuser, and stays as it is.", user.username);
    }
    say!("User {} exists already.", user.username)
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

/// Like Django's, the command accepts any password from a script, but this one warns.
fn warn_of_password(password: Option<&str>, username: &str, email: &str) {
    match password {
        Some(password) => {
            // What is too long is refused at hashing.
            let is_usable = validators::normalized_password(password).is_ok();
            for problem in validators::password(password, &attributes(username, email)).iter().filter(|_| is_usable) {
                say_error!("Warning: {problem}");
            }
        }
        None => say_error!(
            "Warning: DJANGO_SUPERUSER_PASSWORD is not set, so {username} has no password. Set one with changepassword."
        ),
    }
}

fn ask(db: &Db, arguments: Arguments) -> Result<(String, String, String), CommandError> {
    let username = match arguments.username {
        Some(username) => username,
        None => ask_until("Username: ", |answer| username_problems(db, answer))?,
    };
    let email = match arguments.email {
        Some(email) => email,
        None => ask_until("E-mail address (may be empty): ", |answer| email_problems(db, answer))?,
    };
    let password = new_password(&attributes(&username, &email))?;
    Ok((username, email, password))
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
            problems => say_error!("Error: {}", problems.join(" ")),
        }
    }
}

fn username_problems(db: &Db, username: &str) -> Result<Vec<String>, CommandError> {
    let username = validators::normalize_username(username);
    let mut problems = validators::username(&username);
    if !username.is_empty() && find(db, &username)?.is_some() {
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
