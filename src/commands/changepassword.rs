//! `changepassword`: like Django's command.

use clap::Args;

use super::output::{CommandError, say};
use super::prompt::{attributes_of, new_password};
use crate::config::Basics;
use crate::db::Db;
use crate::history::{Actor, Source};
use crate::users::{models, password, validators};

#[derive(Args)]
pub struct Arguments {
    /// The user's name
    username: String,
}

pub fn run(config: &Basics, arguments: &Arguments) -> Result<(), CommandError> {
    let (db, _) = Db::open(&config.database)?;
    let username = validators::normalize_username(&arguments.username);
    let user = db.read_blocking(move |conn| Ok(models::find_by_username(conn, &username)?))?;
    let user =
        user.ok_or_else(|| CommandError::new(format!("there is no user `{}`", arguments.username.escape_debug())))?;
    say!("Changing the password of {}.", user.username)?;
    let hash = password::hash(&new_password(&attributes_of(&user))?)?;
    let actor = Actor::system(Source::CommandLine);
    db.write_blocking(move |conn| Ok(models::set_password(conn, &user, Some(hash), None, &actor)?))?;
    say!("Password changed.")?;
    Ok(())
}
