//! `changepassword`: like Django's command.

use super::output::{CommandError, say};
use super::prompt::{attributes_of, new_password};
use super::user::Username;
use crate::config::Basics;
use crate::db::Db;
use crate::history::{Actor, Source};
use crate::users::{models, password};

pub fn run(config: &Basics, username: &Username) -> Result<(), CommandError> {
    let (db, _) = Db::open(&config.database)?;
    let user = username.user(&db)?;
    say!("Changing the password of {}.", user.username)?;
    let hash = password::hash(&new_password(&attributes_of(&user))?)?;
    let actor = Actor::system(Source::CommandLine);
    db.write_blocking(move |conn| Ok(models::set_password(conn, &user, Some(hash), None, &actor)?))?;
    say!("Password changed. The sessions in the admin have ended.")
}
