//! A write of one row together with a row that notes it, such as the entry in the history.

use diesel::QueryResult;

use super::connection::Connection;
use super::rows::{self, Sql, Value};

/// The values of the row, its `id` first. `None` if nothing was written.
pub type Written = Option<Vec<Value>>;

pub struct Noted {
    /// An INSERT or UPDATE of one row that returns it, its `id` first.
    pub write: Sql,
    /// `INSERT INTO` with table and columns.
    pub note_into: String,
    /// `SELECT` with the values of the note, without FROM. `written.id` is the id of the row; NULL needs a type.
    pub note: Sql,
}

/// PostgreSQL takes both as one statement.
pub fn run(conn: &mut Connection, noted: Noted) -> QueryResult<Written> {
    match conn {
        Connection::Sqlite(_) => {
            let Noted { write, note_into, note } = noted;
            let mut insert = Sql::new(format!("WITH written (id) AS (SELECT ?) {note_into} ")).kept_if(write.is_kept());
            let Some(row) = rows::load(conn, write)?.pop() else { return Ok(None) };
            insert.bind(row.first().cloned().unwrap_or(Value::Null)).append(note).push(" FROM written");
            rows::execute(conn, insert)?;
            Ok(Some(row))
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => Ok(run_all(conn, vec![Some(noted)])?.pop().flatten()),
    }
}

#[cfg(feature = "postgres")]
pub use postgres::run_all;

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::result::Error;

    use super::*;

    /// Those of the same form are one statement: most of what PostgreSQL does for an INSERT, it does once for each
    /// statement. All see the database as it was before, so no two may write the same row.
    pub fn run_all(conn: &mut Connection, all: Vec<Option<Noted>>) -> QueryResult<Vec<Written>> {
        let mut written = vec![None; all.len()];
        let mut forms: Vec<Vec<(usize, Noted)>> = Vec::new();
        for (place, noted) in all.into_iter().enumerate() {
            let Some(noted) = noted else { continue };
            match forms.iter_mut().find(|form| form.first().is_some_and(|(_, first)| first.has_form_of(&noted))) {
                Some(form) => form.push((place, noted)),
                None => forms.push(vec![(place, noted)]),
            }
        }
        for mut form in forms {
            while !form.is_empty() {
                // Connections keep each of these statements: five of a form for a full batch.
                let power_of_two = 1 << form.len().ilog2();
                let (places, group): (Vec<usize>, Vec<Noted>) = form.drain(..power_of_two).unzip();
                run_group(conn, &places, group, &mut written)?;
            }
        }
        Ok(written)
    }

    fn run_group(
        conn: &mut Connection,
        places: &[usize],
        group: Vec<Noted>,
        written: &mut [Written],
    ) -> QueryResult<()> {
        for mut row in rows::load(conn, joined(group))? {
            let number = row.remove(0).as_i64().and_then(|number| usize::try_from(number).ok());
            let place = number.and_then(|number| places.get(number)).and_then(|place| written.get_mut(*place));
            *place.ok_or_else(|| Error::DeserializationError("a row has no place in its group".into()))? = Some(row);
        }
        Ok(())
    }

    /// Returns each row after its number in the group. The notes are one INSERT, which takes them in this order;
    /// PostgreSQL would run INSERTs of their own from the last to the first.
    fn joined(group: Vec<Noted>) -> Sql {
        let mut statement = Sql::new("WITH ").kept_if(group.iter().all(|noted| noted.write.is_kept()));
        let (mut notes, mut results) = (Sql::default(), Vec::new());
        for (number, Noted { write, note_into, note }) in group.into_iter().enumerate() {
            statement.push(&format!("written_{number} AS (")).append(write).push("), ");
            notes.push(&if number > 0 { " UNION ALL ".to_owned() } else { format!("noted AS ({note_into} ") });
            notes.append(note).push(&format!(" FROM written_{number} AS written"));
            results.push(format!("SELECT {number}, * FROM written_{number}"));
        }
        statement.append(notes).push(") ").push(&results.join(" UNION ALL "));
        statement
    }

    impl Noted {
        fn has_form_of(&self, other: &Noted) -> bool {
            self.write.has_form_of(&other.write)
                && self.note_into == other.note_into
                && self.note.has_form_of(&other.note)
        }
    }
}
