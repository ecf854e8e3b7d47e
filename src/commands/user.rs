//! The user whom a command names.

use clap::Args;

use super::output::CommandError;
use crate::db::Db;
use crate::users::models::{self, User};
use crate::users::validators;

#[derive(Args)]
pub struct Username {
    /// The user's name
    username: String,
}

impl Username {
    pub(super) fn user(&self, db: &Db) -> Result<User, CommandError> {
        let unknown = || CommandError::new(format!("there is no user `{}`", self.username.escape_debug()));
        find(db, &self.username)?.ok_or_else(unknown)
    }
}

pub fn find(db: &Db, username: &str) -> Result<Option<User>, CommandError> {
    let username = validators::normalize_username(username);
    Ok(db.read_blocking(move |conn| Ok(models::find_by_username(conn, &username)?))?)
}
