//! Copies everything from one database to another, of the same kind or not. One transaction reads the source, so later
//! commits are not copied. Another fills the target with all rows or none.

use diesel::QueryResult;
use diesel::connection::SimpleConnection;

use super::bulk::{self, Inserter};
use super::connection::{Connection, Role};
use super::exclusive::{self, open_migrated};
use super::ids::{last_ids, set_last_id};
use super::open_error::OpenError;
use super::references;
use super::rows::{self, Sql};
use super::transaction::begin_on;
use super::url::DatabaseUrl;
use super::{migrations, pool};

/// Migrations and triggers fill these tables.
const FILLED: [&str; 2] = ["__diesel_schema_migrations", "row_counts"];

#[derive(Debug, PartialEq, Eq)]
pub struct Copied {
    pub table: String,
    pub rows: i64,
    /// The largest id ever assigned, if the table has a sequence: later rows get larger ids.
    pub last_id: Option<i64>,
}

/// Called with the table, its rows copied so far, and its rows in total.
pub type Progress<'a> = &'a mut dyn FnMut(&str, i64, i64);

struct Side<'a> {
    url: &'a DatabaseUrl,
    connection: Connection,
}

impl Side<'_> {
    fn fail(&self, problem: impl ToString) -> OpenError {
        OpenError::new(self.url, problem)
    }

    fn run<T>(&mut self, queries: impl FnOnce(&mut Connection) -> QueryResult<T>) -> Result<T, OpenError> {
        queries(&mut self.connection).map_err(|error| OpenError::new(self.url, error))
    }
}

/// Migrates the target, which must be empty and stays empty if anything fails.
pub fn copy(from: &DatabaseUrl, to: &DatabaseUrl, progress: Progress) -> Result<Vec<Copied>, OpenError> {
    let mut source = open_source(from)?;
    let tables = source.run(tables)?;
    let mut target = open_target(to, &tables)?;
    let deferred = target.run(defer_foreign_keys)?;
    let mut copied = Vec::new();
    for table in tables {
        let rows = copy_table(&mut source, &mut target, &table, progress)?;
        copied.push(Copied { table, rows, last_id: None });
    }
    target.run(|conn| check_foreign_keys(conn, &deferred))?;
    copy_last_ids(&mut source, &mut target, &mut copied)?;
    target.run(|conn| conn.batch_execute("COMMIT"))?;
    Ok(copied)
}

fn open_source(url: &DatabaseUrl) -> Result<Side<'_>, OpenError> {
    let fail = |problem: String| OpenError::new(url, problem);
    if url.is_missing() {
        return Err(fail("it does not exist".to_owned()));
    }
    let connection = pool::open(url, Role::Reader).map_err(|error| fail(error.to_string()))?;
    let mut source = Side { url, connection };
    source.run(|conn| begin_on(conn, Role::Reader))?;
    if !migrations::status(&mut source.connection).map_err(fail)?.is_current() {
        let problem = "its migrations differ from this version of Gatepost; first run `gatepost migrate` with the version that makes the copy";
        return Err(source.fail(problem));
    }
    Ok(source)
}

/// Locks other writers out of the target. Fails unless it has these tables and no rows.
fn open_target<'a>(url: &'a DatabaseUrl, tables: &[String]) -> Result<Side<'a>, OpenError> {
    let connection = open_migrated(url).map_err(|problem| OpenError::new(url, problem))?;
    let mut target = Side { url, connection };
    let in_target = target.run(self::tables)?;
    if let Some(table) = tables.iter().find(|table| !in_target.contains(table)) {
        return Err(target.fail(format!("the source has a table {table}, which no migration of Gatepost creates")));
    }
    target.run(exclusive::begin)?;
    for table in &in_target {
        if target.run(|conn| count(conn, table))? > 0 {
            return Err(target.fail(format!("it is not empty: {table} has rows")));
        }
    }
    Ok(target)
}

fn tables(conn: &mut Connection) -> QueryResult<Vec<String>> {
    let tables = references::tables(conn)?;
    Ok(tables.into_iter().filter(|table| !FILLED.contains(&table.as_str())).collect())
}

fn count(conn: &mut Connection, table: &str) -> QueryResult<i64> {
    rows::number(conn, "count(*)", Sql::new(format!("FROM \"{table}\"")))
}

fn copy_table(source: &mut Side, target: &mut Side, table: &str, progress: Progress) -> Result<i64, OpenError> {
    let total = source.run(|conn| count(conn, table))?;
    let columns = target.run(|conn| references::columns(conn, table))?;
    let in_target = |error| OpenError::new(target.url, error);
    let mut inserter = Inserter::new(&mut target.connection, table, &columns).map_err(in_target)?;
    let mut copied = 0;
    // In key order, so that the target's indexes are filled sequentially.
    let query = format!("SELECT {} FROM \"{table}\" ORDER BY 1", bulk::quoted(&columns));
    bulk::stream(&mut source.connection, query, |row| {
        progress(table, copied, total);
        copied += 1;
        inserter.add(row.map_err(|error| OpenError::new(source.url, error))?).map_err(in_target)
    })?;
    inserter.flush().map_err(in_target)?;
    progress(table, copied, total);
    let found = target.run(|conn| count(conn, table))?;
    let kept = target.run(|conn| rows::kept_count(conn, table))?.unwrap_or(found);
    if found != total || kept != total {
        return Err(target.fail(format!(
            "{table} has {total} rows in the source, {found} in the target, and a stored count of {kept}"
        )));
    }
    Ok(total)
}

/// Rows may refer to later rows. Returns `ALTER TABLE` prefixes with which [`check_foreign_keys`] restores the checks.
fn defer_foreign_keys(conn: &mut Connection) -> QueryResult<Vec<String>> {
    match conn {
        Connection::Sqlite(_) => conn.batch_execute("PRAGMA defer_foreign_keys = ON").map(|()| Vec::new()),
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            let alter = "format('ALTER TABLE %s ALTER CONSTRAINT %I', conrelid::regclass, conname)";
            let rest = "FROM pg_constraint WHERE contype = 'f' AND NOT condeferrable \
                        AND connamespace = current_schema()::regnamespace";
            let keys = rows::select(conn, &[alter], Sql::new(rest))?;
            let keys: Vec<String> = keys.iter().filter_map(|row| row.first()?.as_str()).map(str::to_owned).collect();
            keys.iter().try_for_each(|key| conn.batch_execute(&format!("{key} DEFERRABLE")))?;
            conn.batch_execute("SET CONSTRAINTS ALL DEFERRED")?;
            Ok(keys)
        }
    }
}

/// SQLite runs the deferred checks at the commit.
fn check_foreign_keys(conn: &mut Connection, deferred: &[String]) -> QueryResult<()> {
    if matches!(conn, Connection::Sqlite(_)) {
        return Ok(());
    }
    conn.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")?;
    deferred.iter().try_for_each(|key| conn.batch_execute(&format!("{key} NOT DEFERRABLE")))
}

fn copy_last_ids(source: &mut Side, target: &mut Side, tables: &mut [Copied]) -> Result<(), OpenError> {
    let given = source.run(last_ids)?;
    for (table, id) in &given {
        target.run(|conn| set_last_id(conn, table, *id))?;
    }
    let arrived = target.run(last_ids)?;
    for copied in tables {
        copied.last_id = arrived.get(&copied.table).copied();
        if copied.last_id < given.get(&copied.table).copied() {
            return Err(
                target.fail(format!("the last id of {} was not copied, so ids could be assigned again", copied.table))
            );
        }
    }
    Ok(())
}
