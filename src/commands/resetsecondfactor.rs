//! `resetsecondfactor`: for a user who has lost the app and the recovery codes.

use clap::Args;

use super::output::{CommandError, say};
use crate::config::Basics;
use crate::db::Db;
use crate::history::{Actor, Source};
use crate::users::{models, second_factor, validators};

#[derive(Args)]
pub struct Arguments {
    /// The user's name
    username: String,
}

/// Ends the user's sessions. Needs no key.
pub fn run(config: &Basics, arguments: &Arguments) -> Result<(), CommandError> {
    let (db, _) = Db::open(&config.database)?;
    let username = validators::normalize_username(&arguments.username);
    let user = db.read_blocking(move |conn| Ok(models::find_by_username(conn, &username)?))?;
    let user =
        user.ok_or_else(|| CommandError::new(format!("there is no user `{}`", arguments.username.escape_debug())))?;
    let name = user.username.clone();
    let actor = Actor::system(Source::CommandLine);
    match db.write_blocking(move |conn| Ok(second_factor::remove(conn, &user, None, &actor)?))? {
        true => say!("{name} has no second factor any more, and is signed out."),
        false => say!("{name} has no second factor."),
    }
}
