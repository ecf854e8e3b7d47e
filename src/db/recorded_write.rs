//! [`RecordedWrite`]: a write of one row together with the entry that records it in the history.

use diesel::QueryResult;

use super::connection::Connection;
use super::rows::{self, Sql, Value};

/// The values of the row as it was saved, its `id` first. `None` if nothing was written.
pub type SavedRow = Option<Vec<Value>>;

/// Connections keep its statements prepared, so their texts have to be few.
pub struct RecordedWrite {
    /// An INSERT or UPDATE of one row that returns it, its `id` first.
    pub write: Sql,
    /// `INSERT INTO` with table and columns.
    pub entry_into: String,
    /// `SELECT` with the values of the entry, without FROM. `saved_row.id` is the id of the row; NULL needs a type.
    pub entry: Sql,
}

/// PostgreSQL takes both as one statement.
pub fn run(conn: &mut Connection, recorded: RecordedWrite) -> QueryResult<SavedRow> {
    match conn {
        Connection::Sqlite(_) => {
            let RecordedWrite { write, entry_into, entry } = recorded;
            let mut insert = Sql::new(format!("WITH saved_row (id) AS (SELECT ?) {entry_into} ")).kept();
            let Some(row) = rows::load(conn, write.kept())?.pop() else { return Ok(None) };
            insert.bind(row.first().cloned().unwrap_or(Value::Null)).append(entry).push(" FROM saved_row");
            rows::execute(conn, insert)?;
            Ok(Some(row))
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => Ok(run_all(conn, vec![Some(recorded)])?.pop().flatten()),
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
    pub fn run_all(conn: &mut Connection, all: Vec<Option<RecordedWrite>>) -> QueryResult<Vec<SavedRow>> {
        let mut saved = vec![None; all.len()];
        for (places, statement) in statements(all) {
            for mut row in rows::load(conn, statement)? {
                let number = row.remove(0).as_i64().and_then(|number| usize::try_from(number).ok());
                let place = number.and_then(|number| places.get(number)).and_then(|place| saved.get_mut(*place));
                *place.ok_or_else(|| Error::DeserializationError("a row has no place in its group".into()))? =
                    Some(row);
            }
        }
        Ok(saved)
    }

    /// Each with the places of its rows.
    fn statements(all: Vec<Option<RecordedWrite>>) -> Vec<(Vec<usize>, Sql)> {
        let mut forms: Vec<Vec<(usize, RecordedWrite)>> = Vec::new();
        for (place, write) in all.into_iter().enumerate() {
            let Some(write) = write else { continue };
            match forms.iter_mut().find(|form| form.first().is_some_and(|(_, first)| first.has_form_of(&write))) {
                Some(form) => form.push((place, write)),
                None => forms.push(vec![(place, write)]),
            }
        }
        let statement = |form: Vec<(usize, RecordedWrite)>| {
            let (places, group) = form.into_iter().unzip();
            (places, joined(group))
        };
        forms.into_iter().map(statement).collect()
    }

    /// Returns each row after its number in the group. The entries are one INSERT, which takes them in this order;
    /// PostgreSQL would run INSERTs of their own from the last to the first.
    fn joined(group: Vec<RecordedWrite>) -> Sql {
        let mut statement = Sql::new("WITH ").kept();
        let (mut entries, mut results) = (Sql::default(), Vec::new());
        for (number, RecordedWrite { write, entry_into, entry }) in group.into_iter().enumerate() {
            statement.push(&format!("saved_row_{number} AS (")).append(write).push("), ");
            entries.push(&if number > 0 { " UNION ALL ".to_owned() } else { format!("entries AS ({entry_into} ") });
            entries.append(entry).push(&format!(" FROM saved_row_{number} AS saved_row"));
            results.push(format!("SELECT {number}, * FROM saved_row_{number}"));
        }
        statement.append(entries).push(") ").push(&results.join(" UNION ALL "));
        statement
    }

    impl RecordedWrite {
        fn has_form_of(&self, other: &RecordedWrite) -> bool {
            self.write.has_form_of(&other.write)
                && self.entry_into == other.entry_into
                && self.entry.has_form_of(&other.entry)
        }
    }

    #[cfg(test)]
    mod tests {
        use std::collections::HashSet;

        use super::*;

        fn recorded(value: Option<i64>, other: Option<i64>) -> RecordedWrite {
            let mut write = Sql::new("INSERT INTO things (value, other) SELECT ?, ? RETURNING id");
            for value in [value, other] {
                write.bind(value);
            }
            RecordedWrite {
                write,
                entry_into: "INSERT INTO entries (id)".to_owned(),
                entry: Sql::new("SELECT saved_row.id"),
            }
        }

        #[test]
        fn rows_with_and_without_optional_values_need_few_statements() {
            let mut texts = HashSet::new();
            let mut bits = 0x9e37_79b9_u32;
            for _ in 0..500 {
                let mut batch = Vec::new();
                for at in 0..16_i64 {
                    bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let optional = |bit: u32| ((bits >> bit) & 1 == 0).then_some(at);
                    batch.push(Some(recorded(optional(20), optional(25))).filter(|_| (bits >> 28) & 3 > 0));
                }
                let expected: Vec<usize> = (0..16).filter(|at| batch[*at].is_some()).collect();
                let statements = statements(batch);
                let mut places: Vec<usize> = statements.iter().flat_map(|(places, _)| places.clone()).collect();
                places.sort_unstable();
                assert_eq!(places, expected);
                assert!(statements.len() <= 4, "one for each form");
                texts.extend(statements.into_iter().map(|(_, statement)| statement.prepared_text()));
            }
            assert!(texts.len() <= 4 * 16, "{}", texts.len());
        }
    }
}
