//! What refers to a row, as the database's foreign keys say it.

use diesel::QueryResult;
use serde_json::{Map, Value};

use super::Connection;
use super::rows::{self, Bind, Sql};

/// What becomes of a row when the one it refers to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// It is deleted, too.
    Cascade,
    /// It stays, without the reference.
    SetNull,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The table that refers.
    pub table: String,
    /// The column with the reference.
    pub column: String,
    /// The table that is referred to.
    pub target_table: String,
    /// The column that is referred to.
    pub target_column: String,
    /// What becomes of the rows that refer.
    pub on_delete: OnDelete,
}

impl Reference {
    /// The condition on the rows of [`Reference::table`] that refer to this value.
    pub fn to(&self, value: Bind) -> Sql {
        let mut rest = Sql::new(format!("FROM \"{}\" WHERE \"{}\" = ?", self.table, self.column));
        rest.bind(value);
        rest
    }
}

const FOREIGN_KEYS: &str =
    "FROM sqlite_schema AS tables, pragma_foreign_key_list(tables.name) AS keys WHERE tables.type = 'table'";

/// The foreign keys that lead to a table. Those that neither cascade nor clear do not matter here: they make
/// the deletion fail.
pub fn to(conn: &mut Connection, table: &str) -> QueryResult<Vec<Reference>> {
    let mut rest = Sql::new(FOREIGN_KEYS);
    rest.push(" AND keys.\"table\" = ? ORDER BY tables.name").bind(table);
    load(conn, rest)
}

/// The foreign keys that a table has.
pub fn of(conn: &mut Connection, table: &str) -> QueryResult<Vec<Reference>> {
    let mut rest = Sql::new(FOREIGN_KEYS);
    rest.push(" AND tables.name = ?").bind(table);
    load(conn, rest)
}

fn load(conn: &mut Connection, rest: Sql) -> QueryResult<Vec<Reference>> {
    let columns = ["tables.name", "keys.\"from\"", "keys.\"table\"", "COALESCE(keys.\"to\", 'id')", "keys.on_delete"];
    let rows = rows::select(conn, &columns, rest)?;
    let reference = |row: Vec<Value>| {
        let mut texts = row.into_iter().map(|value| value.as_str().unwrap_or_default().to_owned());
        let mut next = || texts.next().unwrap_or_default();
        let (table, column, target_table, target_column) = (next(), next(), next(), next());
        let on_delete = match next().as_str() {
            "CASCADE" => OnDelete::Cascade,
            "SET NULL" => OnDelete::SetNull,
            _ => return None,
        };
        Some(Reference { table, column, target_table, target_column, on_delete })
    };
    Ok(rows.into_iter().filter_map(reference).collect())
}

/// The columns of a table.
pub fn columns(conn: &mut Connection, table: &str) -> QueryResult<Vec<String>> {
    let mut rest = Sql::new("FROM pragma_table_info(?)");
    rest.bind(table);
    let rows = rows::select(conn, &["name"], rest)?;
    Ok(rows.iter().filter_map(|row| row.first()?.as_str()).map(str::to_owned).collect())
}

/// Whole rows, with all columns by name. `rest` is what follows the columns: FROM, WHERE.
pub fn whole_rows(conn: &mut Connection, table: &str, rest: Sql) -> QueryResult<Vec<Map<String, Value>>> {
    let names = columns(conn, table)?;
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
    let rows = rows::select(conn, &quoted, rest)?;
    Ok(rows.into_iter().map(|row| names.iter().cloned().zip(row).collect()).collect())
}

/// A value of a row as a parameter; `None` for NULL.
pub fn bind(value: &Value) -> Option<Bind> {
    match value {
        Value::String(text) => Some(text.clone().into()),
        Value::Number(number) => number.as_i64().map(Bind::Integer),
        _ => None,
    }
}
