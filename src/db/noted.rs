//! A write of one row together with a statement that notes it, such as the entry in the history.

use diesel::QueryResult;

use super::connection::Connection;
use super::rows::{self, Sql, Value};

/// A row as it was written, its `id` first. `None` if nothing was written.
pub type Written = Option<Vec<Value>>;

pub struct Noted {
    /// An INSERT or UPDATE of one row that returns it, its `id` first.
    pub write: Sql,
    /// Reads the row from a table `written`.
    pub note: Sql,
}

/// PostgreSQL takes both as one statement.
pub fn write(conn: &mut Connection, noted: Noted) -> QueryResult<Written> {
    match conn {
        Connection::Sqlite(_) => {
            let Noted { write, note } = noted;
            let mut statement = Sql::new("WITH written (id) AS (SELECT ?) ").kept_if(write.is_kept());
            let Some(row) = rows::load(conn, write)?.pop() else { return Ok(None) };
            statement.bind(row.first().cloned().unwrap_or(Value::Null)).append(note);
            rows::execute(conn, statement)?;
            Ok(Some(row))
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => Ok(insert_all(conn, vec![Some(noted)])?.pop().flatten()),
    }
}

/// Those with the same text are one statement: most of what PostgreSQL does for an INSERT, it does once for each
/// statement. All see the database as it was before, so no two may write the same row.
#[cfg(feature = "postgres")]
pub fn insert_all(conn: &mut Connection, all: Vec<Option<Noted>>) -> QueryResult<Vec<Written>> {
    let mut written = vec![None; all.len()];
    let mut alike: Vec<Vec<(usize, Noted)>> = Vec::new();
    for (place, noted) in all.into_iter().enumerate() {
        let Some(noted) = noted else { continue };
        let has_its_text = |group: &&mut Vec<(usize, Noted)>| {
            group.first().is_some_and(|(_, first)| {
                (first.write.text(), first.note.text()) == (noted.write.text(), noted.note.text())
            })
        };
        match alike.iter_mut().find(has_its_text) {
            Some(group) => group.push((place, noted)),
            None => alike.push(vec![(place, noted)]),
        }
    }
    for group in alike {
        let (places, group): (Vec<usize>, Vec<Noted>) = group.into_iter().unzip();
        for mut row in rows::load(conn, joined(group))? {
            let number = row.remove(0).as_i64().and_then(|number| usize::try_from(number).ok());
            if let Some(place) = number.and_then(|number| places.get(number)).and_then(|place| written.get_mut(*place))
            {
                *place = Some(row);
            }
        }
    }
    Ok(written)
}

/// Returns each row after its place in the group.
#[cfg(feature = "postgres")]
fn joined(group: Vec<Noted>) -> Sql {
    let mut statement = Sql::new("WITH ").kept_if(group.iter().all(|noted| noted.write.is_kept()));
    let mut results = Vec::new();
    for (number, Noted { write, note }) in group.into_iter().enumerate() {
        statement.push(if number > 0 { ", " } else { "" }).push(&format!("written_{number} AS (")).append(write);
        statement.push(&format!("), noted_{number} AS (WITH written AS (SELECT * FROM written_{number}) "));
        statement.append(note).push(")");
        results.push(format!("SELECT {number}, * FROM written_{number}"));
    }
    statement.push(" ").push(&results.join(" UNION ALL "));
    statement
}
