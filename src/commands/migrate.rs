//! `migrate`: brings the database up to date without serving.

use super::CommandError;
use crate::config::Basics;
use crate::db::Db;

/// Applies pending migrations; says how many there were.
pub fn run(config: &Basics) -> Result<(), CommandError> {
    let (_, applied) = Db::open(&config.database)?;
    match applied {
        0 => println!("{} is up to date.", config.database.display()),
        applied => println!("{applied} migrations applied to {}.", config.database.display()),
    }
    Ok(())
}
