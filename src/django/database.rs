//! Reads the database of a Django project: SQLite or PostgreSQL. All columns that are needed are named.

use diesel::QueryResult;

use super::cell::Cell;
use super::error::ImportError;
use super::intake::{Intake, RawEntry, RawUser};
use super::user_table::UserTable;
use crate::db::bulk;
use crate::db::rows::{self, Sql};
use crate::db::{self, Connection, DatabaseUrl, ids, references};

const USERS: &str = "auth_user";
const LOG: &str = "django_admin_log";

pub fn read(url: &DatabaseUrl, users: &UserTable, intake: &mut Intake) -> Result<(), ImportError> {
    let mut conn = db::open_foreign(url).map_err(ImportError::source)?;
    let fail = |error: diesel::result::Error| ImportError::Source(format!("{url}: {error}"));
    check_encoding(&mut conn).map_err(fail)?;
    let tables = references::tables(&mut conn).map_err(fail)?;
    let mut reader = Reader { conn, tables, fail: &fail };
    reader.read(users, intake)
}

struct Reader<'a> {
    conn: Connection,
    tables: Vec<String>,
    fail: &'a dyn Fn(diesel::result::Error) -> ImportError,
}

impl Reader<'_> {
    fn read(&mut self, users: &UserTable, intake: &mut Intake) -> Result<(), ImportError> {
        let (table, key) = self.user_table(users)?;
        intake.set_user_table(&table);
        self.users(&table, &key, users, intake)?;
        self.each("auth_group", &["id", "name"], |row| intake.group(&row[0], None, &row[1]))?;
        self.each("django_content_type", &["id", "app_label", "model"], |row| {
            intake.content_type(&row[0], &row[1], &row[2])
        })?;
        self.each("auth_permission", &["id", "content_type_id", "codename"], |row| {
            intake.permission(&row[0], &row[1], &row[2])
        })?;
        self.pairs(&format!("{table}_groups"), "group_id", "membership", intake)?;
        self.pairs(&format!("{table}_user_permissions"), "permission_id", "user_permission", intake)?;
        self.pairs("auth_group_permissions", "permission_id", "group_permission", intake)?;
        self.each("articles_article", &["id", "name"], |row| intake.article(&row[0], &row[1]))?;
        self.log(intake)?;
        self.last_ids(&table, intake)
    }

    /// The one that the admin log refers to, unless it is named.
    fn user_table(&mut self, users: &UserTable) -> Result<(String, String), ImportError> {
        let target = references::target(&mut self.conn, LOG, "user_id").map_err(self.fail)?;
        let name = users.table.clone().or_else(|| target.as_ref().map(|(table, _)| table.clone()));
        let name = name.unwrap_or_else(|| USERS.to_owned());
        if !self.tables.contains(&name) {
            let name = name.escape_debug();
            return Err(ImportError::Source(format!(
                "the source has no table {name}; name that of the users with --user-table"
            )));
        }
        let key = target.filter(|(table, _)| *table == name).map_or_else(|| "id".to_owned(), |(_, key)| key);
        Ok((name, key))
    }

    fn users(&mut self, table: &str, key: &str, users: &UserTable, intake: &mut Intake) -> Result<(), ImportError> {
        let existing = references::columns(&mut self.conn, table).map_err(self.fail)?;
        let columns = users.columns(&existing)?;
        let mut names = vec![key];
        names.extend(columns.iter().flatten().map(String::as_str));
        self.each(table, &names, |row| {
            let mut values = row.iter().skip(1).cloned();
            let cells = columns.each_ref().map(|column| match column {
                Some(_) => values.next().unwrap_or(Cell::Missing),
                None => Cell::Missing,
            });
            intake.user(&RawUser { key: row[0].clone(), natural: None, cells })
        })
    }

    /// The owner's column is named after the user model, whatever that is.
    fn pairs(&mut self, table: &str, other: &str, kind: &str, intake: &mut Intake) -> Result<(), ImportError> {
        let columns = references::columns(&mut self.conn, table).map_err(self.fail)?;
        let Some(owner) = columns.iter().find(|column| *column != "id" && *column != other) else { return Ok(()) };
        self.each(table, &["id", owner, other], |row| intake.pair(kind, &row[0], &row[1], &row[2]))
    }

    fn log(&mut self, intake: &mut Intake) -> Result<(), ImportError> {
        let columns = [
            "id",
            "action_time",
            "user_id",
            "content_type_id",
            "object_id",
            "object_repr",
            "action_flag",
            "change_message",
        ];
        self.each(LOG, &columns, |row| {
            let cell = |at: usize| row[at].clone();
            intake.entry(&RawEntry {
                key: cell(0),
                at: cell(1),
                user: cell(2),
                content_type: cell(3),
                object_id: cell(4),
                object: cell(5),
                action: cell(6),
                message: cell(7),
            })
        })
    }

    /// SQLite has sequences only of tables that Django made with AUTOINCREMENT.
    fn last_ids(&mut self, users: &str, intake: &mut Intake) -> Result<(), ImportError> {
        let has_sequences = match &self.conn {
            Connection::Sqlite(_) => {
                let rest = Sql::new("FROM sqlite_schema WHERE name = 'sqlite_sequence'");
                rows::number(&mut self.conn, "count(*)", rest).map_err(self.fail)? > 0
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => true,
        };
        if !has_sequences {
            return Ok(());
        }
        let last_ids = ids::last_ids(&mut self.conn).map_err(self.fail)?;
        for (model, table) in [("user", users), ("group", "auth_group"), ("article", "articles_article")] {
            if let Some(id) = last_ids.get(table) {
                intake.last_id(model, *id)?;
            }
        }
        Ok(())
    }

    /// Rows of a table, in the order of the first column. A table that the project does not have is empty.
    fn each(
        &mut self,
        table: &str,
        columns: &[&str],
        mut each: impl FnMut(&[Cell]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        if !self.tables.iter().any(|existing| existing == table) {
            return Ok(());
        }
        let expressions: Vec<String> = columns.iter().map(|column| expression(&self.conn, column)).collect();
        let query = format!("SELECT {} FROM {} ORDER BY {}", expressions.join(", "), quoted(table), quoted(columns[0]));
        let fail = self.fail;
        bulk::stream(&mut self.conn, query, |row| {
            let cells: Vec<Cell> = row.map_err(fail)?.into_iter().map(Cell::from).collect();
            each(&cells)
        })
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// On SQLite, text is read as bytes: it may be no UTF-8, and the driver would replace what is not. A BLOB, which is no
/// text either, becomes bytes that are no UTF-8. PostgreSQL gives all types as text.
fn expression(conn: &Connection, column: &str) -> String {
    let column = quoted(column);
    match conn {
        Connection::Sqlite(_) => {
            format!(
                "CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) WHEN 'blob' THEN x'ff' ELSE {column} END"
            )
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => format!("{column}::text"),
    }
}

fn check_encoding(conn: &mut Connection) -> QueryResult<()> {
    match conn {
        Connection::Sqlite(_) => {
            let rest = Sql::new("FROM pragma_encoding WHERE encoding = 'UTF-8'");
            match rows::number(conn, "count(*)", rest)? {
                0 => Err(diesel::result::Error::DeserializationError("its encoding is not UTF-8".into())),
                _ => Ok(()),
            }
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => Ok(()),
    }
}
