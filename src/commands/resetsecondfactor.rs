//! `resetsecondfactor`: for a user who has lost the app and the recovery codes.

use super::output::{CommandError, say};
use super::user::Username;
use crate::config::Basics;
use crate::db::Db;
use crate::history::{Actor, Source};
use crate::users::second_factor;

/// Ends the user's sessions. Needs no key.
pub fn run(config: &Basics, username: &Username) -> Result<(), CommandError> {
    let (db, _) = Db::open(&config.database)?;
    let user = username.user(&db)?;
    let name = user.username.clone();
    let actor = Actor::system(Source::CommandLine);
    match db.write_blocking(move |conn| Ok(second_factor::remove(conn, &user, None, &actor)?))? {
        true => say!("{name} has no second factor any more, and is signed out."),
        false => say!("{name} has no second factor."),
    }
}
