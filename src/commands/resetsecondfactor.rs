//! `resetsecondfactor`: for a user who has lost the app and the recovery codes.

use clap::Args;

use super::output::{CommandError, say};
use super::user;
use crate::config::Basics;
use crate::db::Db;
use crate::history::{Actor, Source};
use crate::users::second_factor;

#[derive(Args)]
pub struct Arguments {
    /// The user's name
    username: String,
}

/// Ends the user's sessions. Needs no key.
pub fn run(config: &Basics, arguments: &Arguments) -> Result<(), CommandError> {
    let (db, _) = Db::open(&config.database)?;
    let user = user::named(&db, &arguments.username)?;
    let name = user.username.clone();
    let actor = Actor::system(Source::CommandLine);
    match db.write_blocking(move |conn| Ok(second_factor::remove(conn, &user, None, &actor)?))? {
        true => say!("{name} has no second factor any more, and is signed out."),
        false => say!("{name} has no second factor."),
    }
}
