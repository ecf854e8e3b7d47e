//! Creates, changes and deletes rows (Django's `save` and `delete`), and writes the history in the same transaction.

use chrono::Utc;
use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use serde_json::{Value as Json, json};

use super::clean::{CleanedData, no_such_key};
use super::model::{Check, Default, Field, Kind, Model};
use super::row::Row;
use super::value::{Value, to_json, to_text};
use super::words::{capitalized, with_article};
use crate::db::Connection;
use crate::db::recorded_write::{self, RecordedWrite, SavedRow};
use crate::db::references::{self, Catalog};
use crate::db::rows::Sql;
use crate::error::{Error, FieldErrors, NON_FIELD_ERRORS};
use crate::history::{Action, Actor, Changes, NewEntry, deleted_rows};

impl Model {
    /// Fields missing from `data` get their defaults.
    pub fn create(&'static self, conn: &mut Connection, data: &CleanedData, actor: &Actor) -> Result<Row, Error> {
        let values = self.new_values(data, actor)?;
        let changes = self.changes(conn, None, Some(&values))?;
        let insert = self.insert(values, changes, actor, Sql::all([]));
        Ok(self.saved_row(recorded_write::run(conn, insert))?.ok_or(DieselError::NotFound)?)
    }

    /// [`Model::create`] as a statement for [`Db::insert`](crate::db::Db::insert), if an SQL condition holds. `None` if
    /// `data` lacks a required field or refers to another row than the caller, whose title the history needs.
    pub fn insertion(&'static self, data: &CleanedData, actor: &Actor, condition: Sql) -> Option<RecordedWrite> {
        let values = self.new_values(data, actor).ok()?;
        let is_caller = |field: &Field, id| field.default == Some(Default::Caller) && actor.user_id() == Some(id);
        let mut editable = self.fields.iter().zip(&values).filter(|(field, _)| field.is_editable);
        let is_known = |(field, value): (&Field, &Value)| match (field.kind, value) {
            (Kind::ForeignKey(_), Value::Integer(id)) => is_caller(field, *id),
            _ => true,
        };
        if !editable.all(is_known) {
            return None;
        }
        let changes = self.changes_with(|_, _| Ok(Some(actor.name().to_owned())), None, Some(&values)).ok()?;
        Some(self.insert(values, changes, actor, condition))
    }

    /// What became of an [`insertion`](Model::insertion). `None` if it wrote nothing.
    pub fn saved_row(&'static self, outcome: QueryResult<SavedRow>) -> Result<Option<Row>, Error> {
        let values = outcome.map_err(|error| self.refused(error))?;
        Ok(values.map(|values| self.row(values)))
    }

    fn new_values(&self, data: &CleanedData, actor: &Actor) -> Result<Vec<Value>, Error> {
        let now = Value::DateTime(Utc::now().naive_utc());
        let (mut values, mut errors) = (Vec::new(), FieldErrors::default());
        for field in self.fields {
            match data.get(field.name).filter(|_| field.is_editable).cloned().or_else(|| default(field, &now, actor)) {
                Some(value) => values.push(value),
                None => errors.add(field.name, vec!["This field is required.".to_owned()]),
            }
        }
        errors.into_result()?;
        Ok(values)
    }

    fn insert(&'static self, values: Vec<Value>, changes: Changes, actor: &Actor, condition: Sql) -> RecordedWrite {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
        let places = vec!["?"; names.len()].join(", ");
        let title = self.title_among(&values);
        let mut insert = Sql::new(format!("INSERT INTO {} ({}) SELECT {places} WHERE ", self.plural, names.join(", ")));
        values.into_iter().for_each(|value| _ = insert.bind(value));
        insert.append(condition);
        self.recorded(insert, NewEntry { actor, action: Action::Created, model: self.name, title, changes })
    }

    /// An INSERT or UPDATE of one row, with its entry in the history.
    fn recorded(&self, mut write: Sql, entry: NewEntry) -> RecordedWrite {
        write.push(&format!(" RETURNING {}", self.columns().join(", ")));
        entry.recorded(write)
    }

    /// `None` if a row's title is its id.
    fn title_among(&self, values: &[Value]) -> Option<String> {
        let at = self.fields.iter().position(|field| field.name == self.title)?;
        values.get(at).map(to_text)
    }

    /// Turns a constraint violation into validation errors.
    fn refused(&self, error: DieselError) -> Error {
        let field = references::unique_column(&error).and_then(|column| self.field(&column));
        match (field, &error) {
            (Some(field), _) => FieldErrors::one(field.name, self.taken(field)).into(),
            // Another transaction has deleted the referenced row since it was checked. A retry will find it missing.
            (None, DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {
                Error::Collision(error.to_string())
            }
            (None, DieselError::DatabaseError(DatabaseErrorKind::CheckViolation, info)) => {
                self.broken(references::violated_check(&**info)).into()
            }
            _ => error.into(),
        }
    }

    /// For a CHECK by its name: what the field says that names it.
    fn broken(&self, constraint: Option<&str>) -> FieldErrors {
        let mut checks = self.fields.iter().filter_map(|field| Some((field.name, field.check?)));
        // PostgreSQL changes names to lower case unless they are quoted.
        let is_broken = |check: &Check| constraint.is_some_and(|name| name.eq_ignore_ascii_case(check.constraint));
        if let Some((field, check)) = checks.find(|(_, check)| is_broken(check)) {
            return FieldErrors::one(field, check.message);
        }
        let rule = constraint.map_or_else(String::new, |name| format!(": {name}"));
        FieldErrors::one(NON_FIELD_ERRORS, format!("The values break a rule of the database{rule}."))
    }

    fn taken(&self, field: &Field) -> String {
        let (one, label) = (capitalized(&with_article(&self.verbose_name())), field.verbose_name().to_lowercase());
        format!("{one} with this {label} already exists.")
    }

    /// `None` stands for a row that does not exist.
    pub(super) fn changes(
        &self,
        conn: &mut Connection,
        old: Option<&[Value]>,
        new: Option<&[Value]>,
    ) -> Result<Changes, Error> {
        self.changes_with(|model, id| model.title_of(conn, id), old, new)
    }

    fn changes_with(
        &self,
        mut title: impl FnMut(&Model, i64) -> QueryResult<Option<String>>,
        old: Option<&[Value]>,
        new: Option<&[Value]>,
    ) -> Result<Changes, Error> {
        let (mut changes, mut errors) = (Changes::default(), FieldErrors::default());
        for (at, field) in self.fields.iter().enumerate().filter(|(_, field)| field.is_editable) {
            let [old, new] = [old, new].map(|values| values.and_then(|values| values.get(at)).unwrap_or(&Value::Null));
            if old == new {
                continue;
            }
            match [shown(&mut title, field, old)?, shown(&mut title, field, new)?] {
                [old, Some(new)] => changes = changes.field(field.name, old.unwrap_or_default(), new),
                [_, None] => errors.add(field.name, vec![no_such_key(to_text(new))]),
            }
        }
        errors.into_result()?;
        Ok(changes)
    }
}

impl Row {
    /// Values that stay the same are not recorded as changes.
    pub fn update(&self, conn: &mut Connection, data: &CleanedData, actor: &Actor) -> Result<Row, Error> {
        let new =
            |(field, old): (&Field, &Value)| data.get(field.name).filter(|_| field.is_editable).unwrap_or(old).clone();
        let values: Vec<Value> = self.values().map(new).collect();
        let changes = self.model.changes(conn, Some(&self.values), Some(&values))?;
        if changes.is_empty() {
            return Ok(self.clone());
        }
        let title = self.model.title_among(&values);
        let mut update = Sql::new(format!("UPDATE {} SET ", self.model.plural));
        let mut separator = "";
        for (field, value) in self.model.fields.iter().zip(values) {
            let value = match field.default {
                Some(Default::NowAtEachChange) => Value::DateTime(Utc::now().naive_utc()),
                _ if field.is_editable => value,
                _ => continue,
            };
            update.push(separator).push(field.name).push(" = ?").bind(value);
            separator = ", ";
        }
        update.push(" WHERE id = ?").bind(self.id);
        let entry = NewEntry { actor, action: Action::Changed, model: self.model.name, title, changes };
        let update = self.model.recorded(update, entry);
        Ok(self.model.saved_row(recorded_write::run(conn, update))?.ok_or(DieselError::NotFound)?)
    }

    /// The deletion can be undone, see [`deleted_rows`].
    pub fn delete(&self, conn: &mut Connection, catalog: &mut Catalog, actor: &Actor) -> Result<(), Error> {
        let changes = self.model.changes(conn, Some(&self.values), None)?;
        deleted_rows::delete(conn, catalog, actor, self.as_object(&self.title()), self.model.plural, &changes)
    }
}

fn default(field: &Field, now: &Value, actor: &Actor) -> Option<Value> {
    Some(match field.default? {
        Default::Null => Value::Null,
        Default::Text(text) => text.into(),
        Default::Integer(number) => number.into(),
        Default::Boolean(flag) => flag.into(),
        Default::Now | Default::NowAtEachChange => now.clone(),
        Default::Caller => actor.user_id().into(),
    })
}

/// A value for the history; for a foreign key, with the row's title. `None` if that row does not exist.
fn shown(
    title: &mut impl FnMut(&Model, i64) -> QueryResult<Option<String>>,
    field: &Field,
    value: &Value,
) -> QueryResult<Option<Json>> {
    match (field.kind, value) {
        (Kind::ForeignKey(model), Value::Integer(id)) => {
            let name = title(model, *id)?;
            Ok(name.map(|name| json!({ "id": id, "name": name })))
        }
        _ => Ok(Some(to_json(value))),
    }
}
