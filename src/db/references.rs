//! Tables, columns and foreign keys from the database catalog.

use std::collections::HashMap;
use std::rc::Rc;

use diesel::QueryResult;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use serde_json::{Map, Value};

use super::connection::Connection;
use super::rows::{self, Bind, Sql};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    Cascade,
    SetNull,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub table: String,
    pub column: String,
    pub target_table: String,
    pub target_column: String,
    pub on_delete: OnDelete,
}

impl Reference {
    /// `FROM … WHERE …` for the rows of [`Reference::table`] that refer to this value.
    pub fn to(&self, value: Bind) -> Sql {
        let mut rest = Sql::new(format!("FROM \"{}\" WHERE \"{}\" = ?", self.table, self.column));
        rest.bind(value);
        rest
    }
}

fn foreign_keys(conn: &Connection) -> (&'static [&'static str; 5], &'static str) {
    match conn {
        Connection::Sqlite(_) => (
            &["tables.name", "keys.\"from\"", "keys.\"table\"", "COALESCE(keys.\"to\", 'id')", "keys.on_delete"],
            "FROM sqlite_schema AS tables, pragma_foreign_key_list(tables.name) AS keys WHERE tables.type = 'table'",
        ),
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => (
            &[
                "tables.relname",
                "\"column\".attname",
                "targets.relname",
                "target_column.attname",
                "CASE keys.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE '' END",
            ],
            "FROM pg_constraint AS keys \
             JOIN pg_class AS tables ON tables.oid = keys.conrelid \
             JOIN pg_class AS targets ON targets.oid = keys.confrelid \
             JOIN pg_attribute AS \"column\" \
             ON \"column\".attrelid = keys.conrelid AND \"column\".attnum = keys.conkey[1] \
             JOIN pg_attribute AS target_column \
             ON target_column.attrelid = keys.confrelid AND target_column.attnum = keys.confkey[1] \
             WHERE keys.contype = 'f' AND tables.relnamespace = current_schema()::regnamespace",
        ),
    }
}

/// Foreign keys to a table. Lists only CASCADE and SET NULL: any other action makes the deletion fail.
pub fn to(conn: &mut Connection, table: &str) -> QueryResult<Vec<Reference>> {
    let (columns, _) = foreign_keys(conn);
    load(conn, &format!("{} = ? ORDER BY {}", columns[2], columns[0]), table)
}

fn of(conn: &mut Connection, table: &str) -> QueryResult<Vec<Reference>> {
    let (columns, _) = foreign_keys(conn);
    load(conn, &format!("{} = ?", columns[0]), table)
}

fn load(conn: &mut Connection, condition: &str, table: &str) -> QueryResult<Vec<Reference>> {
    let (columns, tables) = foreign_keys(conn);
    let mut rest = Sql::new(format!("{tables} AND {condition}"));
    rest.bind(table);
    let rows = rows::select(conn, columns, rest)?;
    let reference = |row: Vec<rows::Value>| {
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

/// The table and column that a column refers to, whatever happens at a deletion.
pub fn target(conn: &mut Connection, table: &str, column: &str) -> QueryResult<Option<(String, String)>> {
    let (columns, tables) = foreign_keys(conn);
    let mut rest = Sql::new(format!("{tables} AND {} = ? AND {} = ?", columns[0], columns[1]));
    rest.bind(table).bind(column);
    let rows = rows::select(conn, &columns[2..4], rest)?;
    let text = |row: &[rows::Value], at: usize| row.get(at).and_then(|value| value.as_str()).map(str::to_owned);
    Ok(rows.first().and_then(|row| Some((text(row, 0)?, text(row, 1)?))))
}

pub fn tables(conn: &mut Connection) -> QueryResult<Vec<String>> {
    let rest = Sql::new(match conn {
        // The names of SQLite's own tables begin with `sqlite_`.
        Connection::Sqlite(_) => {
            "FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            "FROM (SELECT relname AS name FROM pg_class WHERE relkind = 'r' \
             AND relnamespace = current_schema()::regnamespace) AS tables ORDER BY name COLLATE \"C\""
        }
    });
    names(conn, rest)
}

pub fn columns(conn: &mut Connection, table: &str) -> QueryResult<Vec<String>> {
    let mut rest = Sql::new(match conn {
        Connection::Sqlite(_) => "FROM (SELECT name, cid FROM pragma_table_info(?)) AS columns ORDER BY cid",
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            "FROM (SELECT attname AS name, attnum AS cid FROM pg_attribute \
             WHERE attrelid = to_regclass(quote_ident(?)) AND attnum > 0 AND NOT attisdropped) AS columns ORDER BY cid"
        }
    });
    rest.bind(table);
    names(conn, rest)
}

fn names(conn: &mut Connection, rest: Sql) -> QueryResult<Vec<String>> {
    let rows = rows::select(conn, &["name"], rest)?;
    Ok(rows.iter().filter_map(|row| row.first()?.as_str()).map(str::to_owned).collect())
}

/// PostgreSQL's JSON functions format timestamps unlike everything else. Empty on SQLite.
fn times(conn: &mut Connection, table: &str) -> QueryResult<Vec<String>> {
    let mut rest = Sql::new(match conn {
        Connection::Sqlite(_) => "FROM pragma_table_info(?) WHERE 1 = 0",
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            "FROM (SELECT attname AS name FROM pg_attribute \
             WHERE attrelid = to_regclass(quote_ident(?)) AND atttypid = CAST('timestamp' AS regtype)) AS times"
        }
    });
    rest.bind(table);
    names(conn, rest)
}

/// What the database catalog says of a table.
pub struct Table {
    pub columns: Vec<String>,
    /// How to select them, in the same order.
    selected: Vec<String>,
    pub referring: Vec<Reference>,
}

impl Table {
    fn read(conn: &mut Connection, name: &str) -> QueryResult<Table> {
        let (columns, times) = (columns(conn, name)?, times(conn, name)?);
        let select = |column: &String| match times.contains(column) {
            true => format!("CAST(\"{column}\" AS TEXT)"),
            false => format!("\"{column}\""),
        };
        let selected = columns.iter().map(select).collect();
        Ok(Table { columns, selected, referring: to(conn, name)? })
    }
}

/// Tables by name, each read once. Reading all foreign keys takes longer than changing a row.
#[derive(Default)]
pub struct Catalog {
    tables: HashMap<String, Rc<Table>>,
    references: HashMap<String, Rc<[Reference]>>,
}

impl Catalog {
    pub fn table(&mut self, conn: &mut Connection, name: &str) -> QueryResult<Rc<Table>> {
        if let Some(known) = self.tables.get(name) {
            return Ok(known.clone());
        }
        let table = Rc::new(Table::read(conn, name)?);
        self.tables.insert(name.to_owned(), table.clone());
        Ok(table)
    }

    /// The foreign keys of a table.
    pub fn references(&mut self, conn: &mut Connection, name: &str) -> QueryResult<Rc<[Reference]>> {
        if let Some(known) = self.references.get(name) {
            return Ok(known.clone());
        }
        let references: Rc<[Reference]> = of(conn, name)?.into();
        self.references.insert(name.to_owned(), references.clone());
        Ok(references)
    }

    /// Maps from column name to value. `rest` follows the column list: FROM, WHERE.
    pub fn whole_rows(
        &mut self,
        conn: &mut Connection,
        table: &str,
        rest: Sql,
    ) -> QueryResult<Vec<Map<String, Value>>> {
        let table = self.table(conn, table)?;
        let selected: Vec<&str> = table.selected.iter().map(String::as_str).collect();
        let rows = rows::select_json(conn, &selected, rest)?;
        Ok(rows.into_iter().map(|row| table.columns.iter().cloned().zip(row).collect()).collect())
    }
}

pub fn bind(value: &Value) -> Option<Bind> {
    match value {
        Value::String(text) => Some(text.clone().into()),
        Value::Number(number) => number.as_i64().map(Bind::Integer),
        _ => None,
    }
}

pub fn insert(conn: &mut Connection, table: &str, row: Map<String, Value>) -> QueryResult<usize> {
    let columns: Vec<String> = row.keys().map(|column| format!("\"{column}\"")).collect();
    let columns = columns.join(", ");
    let mut statement = Sql::new(format!("INSERT INTO \"{table}\" ({columns}) "));
    match conn {
        Connection::Sqlite(_) => {
            let values: Vec<String> =
                row.keys().map(|column| format!("json_extract(content, '$.\"{column}\"')")).collect();
            statement.push(&format!("SELECT {} FROM (SELECT ? AS content)", values.join(", ")));
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            let values = format!("SELECT {columns} FROM json_populate_record(NULL::\"{table}\", CAST(? AS json))");
            statement.push(&values);
        }
    }
    statement.bind(Value::Object(row).to_string());
    rows::execute(conn, statement)
}

/// A column's value in a bound JSON object.
#[cfg_attr(not(feature = "postgres"), expect(unused_variables))]
fn column_of(conn: &Connection, table: &str, column: &str) -> String {
    match conn {
        Connection::Sqlite(_) => format!("json_extract(?, '$.\"{column}\"')"),
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            format!("(json_populate_record(NULL::\"{table}\", CAST(? AS json))).\"{column}\"")
        }
    }
}

/// Sets columns of the row with this id.
pub fn update(conn: &mut Connection, table: &str, id: i64, columns: &Map<String, Value>) -> QueryResult<usize> {
    let row = Value::Object(columns.clone()).to_string();
    let mut statement = Sql::new(format!("UPDATE \"{table}\" SET "));
    for (number, column) in columns.keys().enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        statement.push(&format!("{comma}\"{column}\" = {}", column_of(conn, table, column))).bind(row.as_str());
    }
    statement.push(" WHERE id = ?").bind(id);
    rows::execute(conn, statement)
}

/// Deletes the rows that have all of these values.
pub fn delete(conn: &mut Connection, table: &str, row: &Map<String, Value>) -> QueryResult<usize> {
    let text = Value::Object(row.clone()).to_string();
    let mut statement = Sql::new(format!("DELETE FROM \"{table}\" WHERE 1 = 1"));
    for column in row.keys() {
        let value = column_of(conn, table, column);
        statement.push(&format!(" AND \"{column}\" IS NOT DISTINCT FROM {value}")).bind(text.as_str());
    }
    rows::execute(conn, statement)
}

/// The last column if the constraint has several; `None` for other errors.
pub fn unique_column(error: &Error) -> Option<String> {
    let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else { return None };
    let column = match (info.constraint_name(), info.table_name()) {
        // PostgreSQL calls the constraint `table_column_key`.
        (Some(constraint), Some(table)) => {
            let name = constraint.strip_suffix("_key").unwrap_or(constraint);
            name.strip_prefix(table).unwrap_or(name).trim_start_matches('_')
        }
        // SQLite says `UNIQUE constraint failed: table.column`.
        _ => info.message().rsplit('.').next().unwrap_or_default(),
    };
    Some(column.to_owned())
}

/// The name of the constraint, for [`DatabaseErrorKind::CheckViolation`]. `None` if it has none.
pub fn violated_check(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> Option<&str> {
    // SQLite says `CHECK constraint failed: name`, or shows the expression in place of a name.
    let name = info.constraint_name().or_else(|| info.message().strip_prefix("CHECK constraint failed: "));
    name.filter(|name| name.chars().all(|char| char.is_alphanumeric() || char == '_'))
}

pub fn has_check(conn: &mut Connection, table: &str, name: &str) -> QueryResult<bool> {
    match conn {
        Connection::Sqlite(_) => {
            let mut rest = Sql::new("FROM sqlite_schema WHERE type = 'table' AND name = ?");
            rest.bind(table);
            let text =
                rows::select(conn, &["sql"], rest)?.pop().and_then(|row| row.first()?.as_str().map(str::to_owned));
            // SQLite has no list of its constraints.
            let text = text.unwrap_or_default().to_lowercase().replace(['(', '"'], " ");
            let words: Vec<&str> = text.split_whitespace().collect();
            Ok(words.windows(3).any(|three| three == ["constraint", &name.to_lowercase(), "check"]))
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            let mut rest = Sql::new(
                "FROM pg_constraint WHERE contype = 'c' AND conrelid = to_regclass(quote_ident(?)) \
                 AND lower(conname) = lower(?)",
            );
            rest.bind(table).bind(name);
            Ok(rows::number(conn, "count(*)", rest)? > 0)
        }
    }
}

/// Whether an index has the rows in the order of this column and the id. On PostgreSQL, the index may have another
/// direction or collation, which is not noticed.
pub fn has_order(conn: &mut Connection, table: &str, column: &str) -> QueryResult<bool> {
    // Of unique values, no two need the id.
    let mut rest = Sql::new(match conn {
        Connection::Sqlite(_) => {
            "FROM pragma_index_list(?) AS indexes \
             JOIN pragma_index_xinfo(indexes.name) AS first ON first.seqno = 0 AND first.coll = 'BINARY' \
             JOIN pragma_index_xinfo(indexes.name) AS second ON second.seqno = 1 \
             WHERE NOT partial AND first.name = ? COLLATE NOCASE AND CASE second.key \
             WHEN 1 THEN second.name = 'id' COLLATE NOCASE AND second.\"desc\" = first.\"desc\" ELSE \"unique\" END"
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            "FROM pg_index JOIN pg_attribute AS first ON first.attrelid = indrelid AND first.attnum = indkey[0] \
             LEFT JOIN pg_attribute AS second \
             ON second.attrelid = indrelid AND second.attnum = indkey[1] AND indnkeyatts > 1 \
             WHERE indrelid = to_regclass(quote_ident(?)) AND indpred IS NULL AND indisvalid AND first.attname = ? \
             AND CASE WHEN indisunique AND indnkeyatts = 1 THEN 'id' ELSE second.attname END = 'id'"
        }
    });
    rest.bind(table).bind(column);
    Ok(rows::number(conn, "count(*)", rest)? > 0)
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;
    use crate::db::connection::Role;
    use crate::db::sqlite;

    #[test]
    fn a_check_is_found_by_its_whole_name_in_any_spelling() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut conn = sqlite::open(&folder.path().join("checks.sqlite3"), Role::Writer).expect("a database");
        let table =
            "CREATE TABLE things (a, b, constraint things_b\n  Check(b > a), CONSTRAINT \"things_a\" UNIQUE (a))";
        conn.batch_execute(table).expect("a table");
        let mut has = |name| has_check(&mut conn, "things", name).expect("an answer");
        assert!(has("things_b") && has("Things_B"));
        assert!(!has("things_") && !has("things_a") && !has("b"));
    }

    #[test]
    fn an_order_is_found_in_whole_indexes_on_the_column_and_the_id() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut conn = sqlite::open(&folder.path().join("orders.sqlite3"), Role::Writer).expect("a database");
        let table = "CREATE TABLE things (ID INTEGER PRIMARY KEY, a UNIQUE, B, c, d, e, f, g, h);
            CREATE INDEX things_b ON things (b, id, c);
            CREATE INDEX things_c ON things (c, b);
            CREATE INDEX things_d ON things (d, id) WHERE c IS NULL;
            CREATE INDEX things_e ON things (e);
            CREATE UNIQUE INDEX things_f ON things (f, lower(c));
            CREATE INDEX things_g ON things (g DESC, id);
            CREATE INDEX things_h ON things (h COLLATE NOCASE, id)";
        conn.batch_execute(table).expect("a table");
        let mut has = |column| has_order(&mut conn, "things", column).expect("an answer");
        assert!(has("a") && has("b"));
        assert!(["c", "d", "e", "f", "g", "h", "id"].into_iter().all(|column| !has(column)));
    }
}
