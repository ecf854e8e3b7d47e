//! The largest id that each table has ever assigned.

use std::collections::HashMap;

use diesel::QueryResult;

use super::connection::Connection;
use super::rows::{self, Sql};

fn sequences(conn: &Connection) -> (&'static [&'static str; 2], &'static str) {
    match conn {
        Connection::Sqlite(_) => (&["name", "seq"], "FROM sqlite_sequence WHERE 1 = 1"),
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => (
            &["tables.relname", "coalesce(pg_sequence_last_value(sequences.oid), 0)"],
            "FROM pg_class AS sequences JOIN pg_depend AS owned ON owned.classid = 'pg_class'::regclass \
             AND owned.objid = sequences.oid AND owned.deptype IN ('i', 'a') \
             JOIN pg_class AS tables ON tables.oid = owned.refobjid \
             WHERE sequences.relkind = 'S' AND tables.relnamespace = current_schema()::regnamespace",
        ),
    }
}

pub fn last_ids(conn: &mut Connection) -> QueryResult<HashMap<String, i64>> {
    let (columns, rest) = sequences(conn);
    let rows = rows::select(conn, columns, Sql::new(rest))?;
    let last_id = |row: &Vec<rows::Value>| Some((row.first()?.as_str()?.to_owned(), row.get(1)?.as_i64()?));
    Ok(rows.iter().filter_map(last_id).filter(|(_, id)| *id > 0).collect())
}

/// Later rows get larger ids. Call this last: PostgreSQL does not roll it back.
pub fn set_last_id(conn: &mut Connection, table: &str, id: i64) -> QueryResult<()> {
    let mut statement = match conn {
        Connection::Sqlite(_) => {
            // The inserts may already have created an entry with a smaller id.
            let mut known = Sql::new("DELETE FROM sqlite_sequence WHERE seq < ? AND name = ?");
            known.bind(id).bind(table);
            rows::execute(conn, known)?;
            Sql::new(
                "INSERT INTO sqlite_sequence (seq, name) SELECT id, name FROM (SELECT ? AS id, ? AS name) \
                      WHERE name NOT IN (SELECT name FROM sqlite_sequence)",
            )
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => {
            let (columns, rest) = sequences(conn);
            Sql::new(format!("SELECT setval(sequences.oid, ?) {rest} AND {} = ?", columns[0]))
        }
    };
    statement.bind(id).bind(table);
    rows::execute(conn, statement).map(drop)
}
