//! What the command line asks for, and what came of it.

use std::path::PathBuf;

use clap::ValueEnum;

use super::time::Zone;
use super::user_table::UserTable;
use crate::db::DatabaseUrl;

/// Where the rows come from.
pub enum Source {
    Database(DatabaseUrl),
    /// The output of `dumpdata`.
    Dump(PathBuf),
}

pub struct Options {
    pub users: UserTable,
    pub passwords: Passwords,
    pub keep_email: Option<KeepEmail>,
    /// Of times without a zone.
    pub zone: Zone,
    pub history: bool,
    pub dry_run: bool,
    pub skip_refused: bool,
}

/// Who keeps an e-mail that several users have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeepEmail {
    FirstJoined,
    LastLogin,
}

/// Whose password hashes come along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Passwords {
    All,
    Staff,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Imported,
    DryRun,
    NothingToDo,
    /// Rows are refused, so nothing was written.
    Refused,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Imported => "imported",
            Outcome::DryRun => "dry_run",
            Outcome::NothingToDo => "nothing_to_do",
            Outcome::Refused => "refused",
        }
    }
}

/// Called with what is being read or written, and how many rows so far.
pub type Progress<'a> = &'a mut dyn FnMut(&str, u64);
