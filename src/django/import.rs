//! The import, from the source to the report.

use super::error::ImportError;
use super::intake::Intake;
use super::options::{Options, Outcome, Progress, Source};
use super::report::{self, Report};
use super::staging::Staging;
use super::{conflicts, database, dump, writer};
use crate::db::{DatabaseUrl, Exclusive};

/// Imports everything or nothing.
pub fn import(
    source: &Source,
    target: &DatabaseUrl,
    options: &Options,
    progress: Progress,
) -> Result<Report, ImportError> {
    if is_same(source, target) {
        return Err(ImportError::source("the source is Gatepost's own database; set DATABASE_URL to another one"));
    }
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
    let mut intake = Intake::new(staging, options, progress);
    match source {
        Source::Database(url) => database::read(url, &options.users, &mut intake)?,
        Source::Dump(file) => dump::read(file, &options.users, &mut intake)?,
    }
    intake.finish()
}

fn is_same(source: &Source, target: &DatabaseUrl) -> bool {
    match (source, target) {
        (Source::Database(DatabaseUrl::Sqlite(source)), DatabaseUrl::Sqlite(target)) => {
            source.canonicalize().is_ok_and(|source| target.canonicalize().is_ok_and(|target| source == target))
        }
        #[cfg(feature = "postgres")]
        (Source::Database(source), target) => source == target,
        (Source::Dump(_), _) => false,
    }
}
