//! A row of a model (an instance, in Django).

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::model::{Field, Model};
use super::value::{Value, to_text};
use crate::history::Object;

#[derive(Clone)]
pub struct Row {
    pub model: &'static Model,
    pub id: i64,
    pub(super) values: Vec<Value>,
}

impl Row {
    /// NULL if the model has no such field.
    pub fn get(&self, name: &str) -> &Value {
        let at = self.model.fields.iter().position(|field| field.name == name);
        at.and_then(|at| self.values.get(at)).unwrap_or(&Value::Null)
    }

    pub fn values(&self) -> impl Iterator<Item = (&'static Field, &Value)> {
        self.model.fields.iter().zip(&self.values)
    }

    pub fn title(&self) -> String {
        if self.model.title == "id" { self.id.to_string() } else { to_text(self.get(self.model.title)) }
    }

    pub(super) fn as_object<'a>(&self, title: &'a str) -> Object<'a> {
        Object { model: self.model.name, id: self.id, name: title }
    }

    pub fn serialized<'a>(&'a self, fields: &'a [&'static str]) -> Serialized<'a> {
        Serialized { row: self, fields }
    }
}

/// The id and some fields, as the API shows them.
pub struct Serialized<'a> {
    row: &'a Row,
    fields: &'a [&'static str],
}

impl Serialize for Serialized<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.fields.len() + 1))?;
        object.serialize_entry("id", &self.row.id)?;
        for name in self.fields {
            object.serialize_entry(name, self.row.get(name))?;
        }
        object.end()
    }
}
