//! Creates many rows at once.

use super::model::Model;
use super::value::{Value, to_text};
use crate::db::{Connection, bulk};
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
        let rows = rows.into_iter().map(|(id, values)| [id.into()].into_iter().chain(values).collect());
        bulk::insert(conn, self.plural, &self.columns(), rows)?;
        let objects = entries
            .iter_mut()
            .map(|(id, name, changes)| (Object { model: self.name, id: *id, name }, std::mem::take(changes)));
        Ok(history::record_all(conn, actor, Action::Created, objects)?)
    }
}
