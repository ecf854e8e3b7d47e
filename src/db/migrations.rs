//! The migrations, which are embedded in the program and applied at start.

use std::collections::HashSet;
use std::path::Path;

use diesel::RunQueryDsl;
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{self, Connection, Role};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// What the database has and what this program has.
#[derive(Debug, PartialEq, Eq)]
pub struct Status {
    /// Migrations that are applied.
    pub applied: usize,
    /// Migrations of this program that are not applied yet.
    pub pending: usize,
    /// The newest applied migration that this program does not know, if any.
    pub unknown: Option<String>,
}

/// Compares the database with this program. Changes nothing.
pub fn status(connection: &mut Connection) -> Result<Status, String> {
    let ours: Vec<Box<dyn Migration<Sqlite>>> = MIGRATIONS.migrations().map_err(|error| error.to_string())?;
    let ours: HashSet<String> = ours.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = applied(connection).map_err(|error| error.to_string())?;
    let known = applied.iter().filter(|version| ours.contains(*version)).count();
    Ok(Status {
        applied: applied.len(),
        pending: ours.len() - known,
        unknown: applied.iter().filter(|version| !ours.contains(*version)).max().cloned(),
    })
}

/// The versions of the applied migrations. Diesel would create its table where it is missing.
fn applied(connection: &mut Connection) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations'";
    if diesel::dsl::sql::<BigInt>(tables).get_result::<i64>(connection)? == 0 {
        return Ok(Vec::new());
    }
    Ok(connection.applied_migrations()?.iter().map(|version| version.to_string()).collect())
}

/// [`status`] of a file.
pub fn status_of(path: &Path) -> Result<Status, String> {
    let mut connection = connection::open(path, Role::Probe).map_err(|error| error.to_string())?;
    status(&mut connection)
}

/// Applies what is pending and returns how many migrations that were. Refuses a database that a newer
/// program has migrated: this one would misread it.
pub fn apply(connection: &mut Connection) -> Result<usize, String> {
    let status = status(connection)?;
    if let Some(unknown) = status.unknown {
        return Err(format!(
            "it has the migration {unknown}, which this version of Gatepost does not know; use the version that wrote it, or a newer one"
        ));
    }
    if status.pending == 0 {
        return Ok(0);
    }
    // Two programs that start at once must not both apply: the second waits for the lock, then finds
    // nothing to do.
    let mut applied = Ok(0);
    let outcome = connection.immediate_transaction(|connection| {
        applied =
            connection.run_pending_migrations(MIGRATIONS).map(|done| done.len()).map_err(|error| error.to_string());
        if applied.is_ok() { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) }
    });
    applied.and_then(|count| outcome.map(|()| count).map_err(|error| error.to_string()))
}
