//! Creates many rows at once.

use diesel::QueryResult;

use super::model::Model;
use super::value::{Value, to_text};
use crate::db::Connection;
use crate::db::bulk::{BulkRow, Inserter, Value as Bulk};
use crate::error::Error;
use crate::history::{self, Action, Actor, Object};

impl Model {
    /// [`create`](Model::create) for rows with ids and with a value for each field, which the caller has checked.
    pub fn create_all(
        &'static self,
        conn: &mut Connection,
        rows: Vec<(i64, Vec<Value>)>,
        actor: &Actor,
    ) -> Result<(), Error> {
        let title = self.fields.iter().position(|field| field.name == self.title);
        let mut entries = Vec::new();
        for (id, values) in &rows {
            let name = title.and_then(|title| values.get(title)).map_or_else(|| id.to_string(), to_text);
            entries.push((*id, name, self.changes(conn, None, Some(values))?));
        }
        self.insert_all(conn, rows)?;
        let objects = entries
            .iter_mut()
            .map(|(id, name, changes)| (Object { model: self.name, id: *id, name }, std::mem::take(changes)));
        Ok(history::record_all(conn, actor, Action::Created, objects)?)
    }

    fn insert_all(&'static self, conn: &mut Connection, rows: Vec<(i64, Vec<Value>)>) -> QueryResult<()> {
        let columns: Vec<String> = self.columns().into_iter().map(str::to_owned).collect();
        let mut inserter = Inserter::new(conn, self.plural, &columns)?;
        for (id, values) in rows {
            let values = values.into_iter().map(Bulk::from);
            inserter.add(BulkRow([Bulk::Integer(id)].into_iter().chain(values).collect()))?;
        }
        inserter.flush()
    }
}
