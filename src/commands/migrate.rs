//! `migrate`: applies migrations without starting the server.

use super::output::{CommandError, say};
use crate::config::Basics;
use crate::db::Db;

pub fn run(config: &Basics) -> Result<(), CommandError> {
    let (_, applied) = Db::open(&config.database)?;
    match applied {
        0 => say!("{} is up to date.", config.database),
        applied => say!("{applied} migrations applied to {}.", config.database),
    }
}
