//! Migrations, embedded in the program and applied at start.

use std::collections::HashSet;

#[cfg(feature = "postgres")]
use diesel::Connection as _;
use diesel::QueryResult;
#[cfg(feature = "postgres")]
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::any_connection::Backend;
use super::connection::Connection;
use super::rows::{self, Sql};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRESQL: EmbeddedMigrations = embed_migrations!("migrations/postgresql");

#[derive(Debug, PartialEq, Eq)]
pub struct Status {
    pub applied: usize,
    pub pending: usize,
    /// The newest applied migration that this program does not know.
    pub unknown: Option<String>,
}

impl Status {
    /// Whether the database has exactly this program's migrations.
    pub fn is_current(&self) -> bool {
        self.pending == 0 && self.unknown.is_none()
    }
}

fn of(connection: &Connection) -> (EmbeddedMigrations, &'static str) {
    match connection {
        Connection::Sqlite(_) => (SQLITE, "FROM sqlite_schema WHERE name = '__diesel_schema_migrations'"),
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => (POSTGRESQL, "FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')"),
    }
}

pub fn status(connection: &mut Connection) -> Result<Status, String> {
    let (migrations, _) = of(connection);
    let ours: Vec<Box<dyn Migration<Backend>>> = migrations.migrations().map_err(|error| error.to_string())?;
    let ours: HashSet<String> = ours.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = applied(connection).map_err(|error| error.to_string())?;
    let known = applied.iter().filter(|version| ours.contains(*version)).count();
    Ok(Status {
        applied: applied.len(),
        pending: ours.len() - known,
        unknown: applied.iter().filter(|version| !ours.contains(*version)).max().cloned(),
    })
}

/// Diesel's own function would create a missing table.
fn applied(connection: &mut Connection) -> QueryResult<Vec<String>> {
    let (_, tables) = of(connection);
    if rows::number(connection, "count(*)", Sql::new(tables))? == 0 {
        return Ok(Vec::new());
    }
    let applied = rows::select(connection, &["version"], Sql::new("FROM __diesel_schema_migrations"))?;
    Ok(applied.iter().filter_map(|row| row.first()?.as_str()).map(str::to_owned).collect())
}

/// Applies all or none. Fails if a newer version has migrated the database, which this version could misread.
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
    run(connection, true)
}

/// Applies all pending migrations in a transaction that is rolled back.
pub fn rehearse(connection: &mut Connection) -> Result<(), String> {
    run(connection, false).map(drop)
}

fn run(connection: &mut Connection, is_kept: bool) -> Result<usize, String> {
    let mut applied = Ok(0);
    let outcome = match connection {
        // If two processes start at once, the second waits for the lock, then finds nothing to do.
        Connection::Sqlite(sqlite) => sqlite.immediate_transaction(|sqlite| {
            applied = sqlite.run_pending_migrations(SQLITE).map(|done| done.len()).map_err(|error| error.to_string());
            if applied.is_ok() && is_kept { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) }
        }),
        #[cfg(feature = "postgres")]
        Connection::Postgres(postgres) => postgres.transaction(|postgres| {
            postgres.batch_execute("SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = 0")?;
            applied =
                postgres.run_pending_migrations(POSTGRESQL).map(|done| done.len()).map_err(|error| error.to_string());
            if applied.is_ok() && is_kept { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) }
        }),
    };
    match (applied, outcome) {
        (Ok(count), Ok(())) => Ok(count),
        (Ok(count), Err(diesel::result::Error::RollbackTransaction)) if !is_kept => Ok(count),
        (Ok(_), Err(error)) => Err(error.to_string()),
        (Err(problem), _) => Err(problem),
    }
}
