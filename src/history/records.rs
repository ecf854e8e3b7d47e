//! The history: one row per change, written by the model functions in the change's own transaction.

use std::collections::HashMap;

use chrono::{NaiveDateTime, SubsecRound, Utc};
use diesel::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::actor::Actor;
use crate::db::recorded_write::RecordedWrite;
use crate::db::rows::{self, Sql, Value};
use crate::db::{Connection, bulk};
use crate::schema::history;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Created,
    Changed,
    Deleted,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Action::Created => "created",
            Action::Changed => "changed",
            Action::Deleted => "deleted",
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Changes(Map<String, Json>);

impl Changes {
    /// Ignored if the value has not changed.
    pub fn field(mut self, name: &str, old: impl Into<Json>, new: impl Into<Json>) -> Changes {
        let (old, new) = (old.into(), new.into());
        if old != new {
            self.0.insert(name.to_owned(), json!([old, new]));
        }
        self
    }

    /// Without values, for passwords.
    pub fn secret(mut self, name: &str) -> Changes {
        self.0.insert(name.to_owned(), json!("changed"));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What takes an entry's changes back, without some of its fields.
    pub fn reverse(entry: &str, without: &[&str]) -> Changes {
        let changes: Map<String, Json> = serde_json::from_str(entry).unwrap_or_default();
        let reverse = |value: Json| match value.as_array().map(Vec::as_slice) {
            Some([old, new]) => json!([new, old]),
            _ => value,
        };
        let kept = changes.into_iter().filter(|(field, _)| !without.contains(&field.as_str()));
        Changes(kept.map(|(field, value)| (field, reverse(value))).collect())
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    pub model: &'a str,
    pub id: i64,
    /// The row's title.
    pub name: &'a str,
}

pub fn record(
    conn: &mut Connection,
    actor: &Actor,
    action: Action,
    object: Object,
    changes: &Changes,
) -> QueryResult<()> {
    let values = values(Utc::now().naive_utc(), actor, action, object, changes);
    rows::execute(conn, bulk::insertion("history", &COLUMNS, values).kept()).map(drop)
}

/// The entry for a row that is being written.
pub struct NewEntry<'a> {
    pub actor: &'a Actor,
    pub action: Action,
    pub model: &'a str,
    /// `None`: its id.
    pub title: Option<String>,
    pub changes: Changes,
}

impl NewEntry<'_> {
    /// The entry for what a statement writes: an INSERT or UPDATE of one row that returns the row, its id first.
    pub fn recorded(self, write: Sql) -> RecordedWrite {
        let NewEntry { actor, action, model, title, changes } = self;
        let mut entry = Sql::new("SELECT ?, ");
        entry.bind(Utc::now().naive_utc());
        match actor.user_id {
            Some(id) => entry.push("?").bind(id),
            None => entry.push("CAST(NULL AS BIGINT)"),
        };
        entry.push(", ?, ?, ?, ?, saved_row.id, ");
        for text in [&actor.name, actor.source.as_str(), action.as_str(), model] {
            entry.bind(text);
        }
        match title {
            Some(title) => entry.push("?").bind(title),
            None => entry.push("CAST(saved_row.id AS TEXT)"),
        };
        entry.push(", ?, ?").bind(Json::Object(changes.0).to_string());
        entry.bind(actor.batch.clone());
        RecordedWrite { write, entry_into: format!("INSERT INTO history ({})", COLUMNS.join(", ")), entry }
    }
}

/// [`record`] for many objects at once.
pub fn record_all<'a>(
    conn: &mut Connection,
    actor: &Actor,
    action: Action,
    objects: impl IntoIterator<Item = (Object<'a>, Changes)>,
) -> QueryResult<()> {
    let at = Utc::now().naive_utc().trunc_subsecs(6);
    let rows = objects.into_iter().map(|(object, changes)| values(at, actor, action, object, &changes));
    bulk::insert(conn, "history", &COLUMNS, rows)
}

/// An entry of another program's history. The ids of entries have to be in the order of time.
pub struct PastEntry {
    pub id: i64,
    pub at: NaiveDateTime,
    pub actor: Actor,
    pub action: Action,
    pub model: &'static str,
    pub object_id: i64,
    pub object: String,
    pub changes: Changes,
}

pub fn record_past(conn: &mut Connection, entries: &[PastEntry]) -> QueryResult<()> {
    let columns: Vec<&str> = ["id"].into_iter().chain(COLUMNS).collect();
    let row = |entry: &PastEntry| {
        let object = Object { model: entry.model, id: entry.object_id, name: &entry.object };
        let values = values(entry.at, &entry.actor, entry.action, object, &entry.changes);
        [entry.id.into()].into_iter().chain(values).collect()
    };
    bulk::insert(conn, "history", &columns, entries.iter().map(row))
}

const COLUMNS: [&str; 10] =
    ["at", "actor_id", "actor", "source", "action", "model", "object_id", "object", "changes", "batch"];

fn values(at: NaiveDateTime, actor: &Actor, action: Action, object: Object, changes: &Changes) -> Vec<Value> {
    vec![
        at.into(),
        actor.user_id.into(),
        actor.name.as_str().into(),
        actor.source.as_str().into(),
        action.as_str().into(),
        object.model.into(),
        object.id.into(),
        object.name.into(),
        Json::Object(changes.0.clone()).to_string().into(),
        actor.batch.clone().into(),
    ]
}

/// A change of an object, as shown to a user whose edit conflicts with it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = history)]
pub struct Entry {
    pub at: NaiveDateTime,
    pub actor: String,
    pub source: String,
}

/// The id of the latest change; 0 if there is none.
pub fn version(conn: &mut Connection, model: &str, id: i64) -> QueryResult<i64> {
    let of_object = history::table.filter(history::model.eq(model).and(history::object_id.eq(id)));
    Ok(of_object.select(diesel::dsl::max(history::id)).get_result::<Option<i64>>(conn)?.unwrap_or(0))
}

/// The id of the latest entry of all; 0 if there is none.
pub fn newest_id(conn: &mut Connection) -> QueryResult<i64> {
    Ok(history::table.select(diesel::dsl::max(history::id)).get_result::<Option<i64>>(conn)?.unwrap_or(0))
}

/// The ids of the latest entries of objects, by object, if they are later than `since`.
pub fn newest_of(conn: &mut Connection, model: &str, ids: &[i64], since: i64) -> QueryResult<HashMap<i64, i64>> {
    let of_objects = history::table.filter(history::model.eq(model).and(history::object_id.eq_any(ids)));
    let newest = of_objects.filter(history::id.gt(since)).order(history::id).select((history::object_id, history::id));
    Ok(newest.load::<(i64, i64)>(conn)?.into_iter().collect())
}

pub fn newest_since(conn: &mut Connection, model: &str, id: i64, version: i64) -> QueryResult<Option<Entry>> {
    history::table
        .filter(history::model.eq(model).and(history::object_id.eq(id)).and(history::id.gt(version)))
        .order(history::id.desc())
        .select(Entry::as_select())
        .first(conn)
        .optional()
}
