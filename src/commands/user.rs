//! The user whom a command names.

use super::output::CommandError;
use crate::db::Db;
use crate::users::models::{self, User};
use crate::users::validators;

pub fn named(db: &Db, username: &str) -> Result<User, CommandError> {
    let normalized = validators::normalize_username(username);
    let user = db.read_blocking(move |conn| Ok(models::find_by_username(conn, &normalized)?))?;
    user.ok_or_else(|| CommandError::new(format!("there is no user `{}`", username.escape_debug())))
}
