//! Moving in from a Django project: its users, groups, permissions, articles and admin log.
//!
//! [`database`] and [`dump`] read a source and hand its rows to [`intake`], which checks each row by itself with [`rules`]
//! and keeps it in a [`staging`] database. [`conflicts`] holds the rows against each other and against the target. [`writer`] writes
//! what is left. [`report`] says what became of the rows that did not come as they were.

mod cell;
mod conflicts;
mod database;
mod dump;
mod intake;
mod log;
mod permissions;
mod report;
mod rules;
mod staging;
mod time;
mod user_table;
mod writer;
mod zone;

use std::path::PathBuf;

pub use intake::Passwords;
pub use report::{Count, Outcome, Report, ReportedRow};
pub use user_table::{FIELDS, UserTable};
pub use zone::Zone;

use crate::db::{DatabaseUrl, Exclusive, OpenError};
use crate::error::Error;
use staging::Staging;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepEmail {
    FirstJoined,
    LastLogin,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{0}")]
    Source(String),
    #[error("{0}")]
    Target(#[from] OpenError),
    #[error("{}", .0.cause().map_or_else(|| .0.to_string(), str::to_owned))]
    Failed(#[from] Error),
}

impl From<diesel::result::Error> for ImportError {
    fn from(error: diesel::result::Error) -> ImportError {
        ImportError::Failed(error.into())
    }
}

impl ImportError {
    fn source(problem: impl ToString) -> ImportError {
        ImportError::Source(problem.to_string())
    }
}

/// Called with what is being read or written, and how many rows so far.
pub type Progress<'a> = &'a mut dyn FnMut(&str, u64);

/// Imports everything or nothing.
pub fn import(
    source: &Source,
    target: &DatabaseUrl,
    options: &Options,
    progress: Progress,
) -> Result<Report, ImportError> {
    let mut staging = Staging::open()?;
    read(source, &mut staging, options, progress)?;
    let mut target = if options.dry_run { Exclusive::rehearse(target)? } else { Exclusive::begin(target)? };
    target.with(|conn| conflicts::find(&mut staging, conn, options))?;
    let outcome = staging.outcome(options)?;
    if outcome == Outcome::Imported {
        target.with(|conn| writer::write(&mut staging, conn, options.history, progress))?;
    }
    let advice = target.with(|conn| report::advice(&mut staging, conn, outcome))?;
    if outcome == Outcome::Imported {
        target.commit()?;
    }
    Ok(Report::new(staging, outcome, options.history, advice)?)
}

fn read(source: &Source, staging: &mut Staging, options: &Options, progress: Progress) -> Result<(), ImportError> {
    let mut intake = intake::Intake::new(staging, options, progress);
    match source {
        Source::Database(url) => database::read(url, &options.users, &mut intake)?,
        Source::Dump(file) => dump::read(file, &options.users, &mut intake)?,
    }
    intake.finish()
}
