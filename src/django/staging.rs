//! [`Staging`]: the rows of a source in a temporary SQLite database, so that sets of rows can be compared with SQL and
//! the memory stays flat. It has no name, and is gone when the program ends, however it ends.

use std::collections::HashMap;

use diesel::QueryResult;
use diesel::connection::SimpleConnection;

use super::error::ImportError;
use super::options::{Options, Outcome};
use crate::db::bulk;
use crate::db::rows::{self, Sql, Value};
use crate::db::{self, Connection};

/// Rows that wait to be inserted together.
const BATCH: usize = 1000;

/// The states of a row: it is new, was imported before, or is refused.
pub const NEW: i64 = 0;
pub const KNOWN: i64 = 1;
pub const REFUSED: i64 = 2;

/// `natural` is the natural key of a dump, as JSON. `shown` is the row's name in reports. `joined` is when a user joined,
/// as far as every kind of source knows it: to the millisecond, and NULL if it does not say.
const TABLES: &str = "
    CREATE TABLE users (
        row INTEGER PRIMARY KEY, key TEXT, natural TEXT, source_id INTEGER, shown TEXT, username TEXT,
        is_normal INTEGER, email TEXT, email_key TEXT, first_name TEXT, last_name TEXT, password TEXT,
        is_active INTEGER, is_staff INTEGER, is_superuser INTEGER, last_login TEXT, date_joined TEXT,
        joined TEXT, state INTEGER, local_id INTEGER);
    CREATE TABLE groups (
        row INTEGER PRIMARY KEY, key TEXT, natural TEXT, source_id INTEGER, shown TEXT, name TEXT,
        state INTEGER, local_id INTEGER);
    CREATE TABLE articles (
        row INTEGER PRIMARY KEY, key TEXT, source_id INTEGER, shown TEXT, name TEXT,
        state INTEGER, local_id INTEGER);
    CREATE TABLE pairs (
        row INTEGER PRIMARY KEY, key TEXT, kind TEXT, owner TEXT, other TEXT, owner_row INTEGER, other_row INTEGER);
    CREATE TABLE content_types (key TEXT, app TEXT, model TEXT);
    CREATE TABLE permissions (
        row INTEGER PRIMARY KEY, key TEXT, content_type TEXT, codename TEXT, shown TEXT, name TEXT);
    CREATE TABLE kinds (ref TEXT PRIMARY KEY, app TEXT, model TEXT, kind TEXT) WITHOUT ROWID;
    CREATE TABLE log (
        row INTEGER PRIMARY KEY, key TEXT, at TEXT, user TEXT, content_type TEXT, object_id INTEGER, object TEXT,
        action INTEGER, message TEXT, state INTEGER, reason TEXT, model TEXT, local_object INTEGER);
    CREATE TABLE last_ids (model TEXT, id INTEGER);
    CREATE TABLE reported (
        row INTEGER PRIMARY KEY, outcome TEXT, model TEXT, place INTEGER, key TEXT, shown TEXT, code TEXT, text TEXT);
    CREATE TABLE keys (model TEXT, ref TEXT, row INTEGER, PRIMARY KEY (model, ref)) WITHOUT ROWID;
    CREATE TABLE known (
        model TEXT, key TEXT, joined TEXT, local_id INTEGER, PRIMARY KEY (model, key)) WITHOUT ROWID;
    CREATE TABLE here (kind TEXT, name TEXT, id INTEGER, PRIMARY KEY (kind, name, id)) WITHOUT ROWID;
    CREATE TABLE additions (id INTEGER PRIMARY KEY, at TEXT);
";

pub struct Staging {
    /// The name of the users' table in the source.
    pub user_table: String,
    conn: Connection,
    waiting: HashMap<&'static str, (Vec<String>, Vec<Vec<Value>>)>,
}

impl Staging {
    pub fn open() -> Result<Staging, ImportError> {
        let conn = db::open_temporary().map_err(ImportError::source)?;
        let mut staging = Staging { user_table: "auth_user".to_owned(), conn, waiting: HashMap::new() };
        staging.run(TABLES)?;
        Ok(staging)
    }

    /// Other columns are NULL. The row is there after [`flush`](Staging::flush).
    pub fn insert(&mut self, table: &'static str, row: &[(&str, Value)]) -> QueryResult<()> {
        let columns = || (row.iter().map(|(column, _)| (*column).to_owned()).collect(), Vec::new());
        let (columns, waiting) = self.waiting.entry(table).or_insert_with(columns);
        waiting.push(row.iter().map(|(_, value)| value.clone()).collect());
        if waiting.len() < BATCH { Ok(()) } else { bulk::insert(&mut self.conn, table, columns, waiting.drain(..)) }
    }

    pub fn flush(&mut self) -> QueryResult<()> {
        for (table, (columns, waiting)) in &mut self.waiting {
            bulk::insert(&mut self.conn, table, columns, waiting.drain(..))?;
        }
        Ok(())
    }

    pub fn run(&mut self, statements: &str) -> QueryResult<()> {
        self.conn.batch_execute(statements)
    }

    pub fn execute(&mut self, statement: Sql) -> QueryResult<usize> {
        rows::execute(&mut self.conn, statement)
    }

    /// `query` follows SELECT.
    pub fn number(&mut self, query: &str) -> QueryResult<i64> {
        rows::number(&mut self.conn, query, Sql::new(""))
    }

    pub fn is_any(&mut self, rows: &str) -> QueryResult<bool> {
        Ok(self.number(&format!("EXISTS (SELECT 1 FROM {rows})"))? == 1)
    }

    pub fn rows(&mut self, query: &str) -> QueryResult<Vec<Vec<Value>>> {
        rows::load(&mut self.conn, Sql::new(query))
    }

    pub fn stream<E>(
        &mut self,
        query: &str,
        each: impl FnMut(QueryResult<Vec<Value>>) -> Result<(), E>,
    ) -> Result<(), E> {
        bulk::stream(&mut self.conn, query.to_owned(), each)
    }

    /// What happens now that each row has been judged.
    pub fn outcome(&mut self, options: &Options) -> QueryResult<Outcome> {
        let any = |state: i64| {
            ["users", "groups", "articles"]
                .map(|table| format!("SELECT 1 FROM {table} WHERE state = {state}"))
                .join(" UNION ALL ")
        };
        let new_entries = format!("SELECT 1 FROM log WHERE state = {NEW} AND reason IS NULL");
        let is_refused = self.is_any(&format!("({})", any(REFUSED)))?;
        let is_new = self.is_any(&format!("({})", any(NEW)))?
            || (options.history && self.is_any(&format!("({new_entries})"))?);
        Ok(match (is_refused && !options.skip_refused, options.dry_run, is_new) {
            (true, ..) => Outcome::Refused,
            (_, _, false) => Outcome::NothingToDo,
            (_, true, _) => Outcome::DryRun,
            _ => Outcome::Imported,
        })
    }
}

/// The text of a row's column.
pub fn text(row: &[Value], at: usize) -> Option<&str> {
    row.get(at).and_then(Value::as_str)
}

/// [`text`], or nothing.
pub fn owned(row: &[Value], at: usize) -> String {
    text(row, at).unwrap_or_default().to_owned()
}

pub fn integer(row: &[Value], at: usize) -> Option<i64> {
    row.get(at).and_then(Value::as_i64)
}
