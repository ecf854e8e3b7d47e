//! Who changed what: a row for every change, written by the model function in the change's own
//! transaction, whoever calls it.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;
use serde_json::{Map, Value, json};

use crate::db::Connection;
use crate::schema::history;

/// The way by which a change came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The admin.
    Admin,
    /// A request to the API.
    Api,
    /// A command on the server.
    CommandLine,
    /// A user's first token.
    FirstToken,
    /// The pool's trigger, after a sign-up.
    PostConfirmation,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Source::Admin => "admin",
            Source::Api => "api",
            Source::CommandLine => "command_line",
            Source::FirstToken => "first_token",
            Source::PostConfirmation => "post_confirmation",
        }
    }
}

/// Who makes a change, and how.
#[derive(Clone, Debug)]
pub struct Actor {
    user_id: Option<i64>,
    name: String,
    source: Source,
    /// What is deleted under one name comes back together; `None`: each row has a name of its own.
    batch: Option<String>,
}

impl Actor {
    /// A user, by id and name.
    pub fn user(id: i64, name: &str, source: Source) -> Actor {
        Actor { user_id: Some(id), name: name.to_owned(), source, batch: None }
    }

    /// Nobody in particular: a command, or a user who does not exist yet.
    pub fn system(source: Source) -> Actor {
        Actor { user_id: None, name: String::new(), source, batch: None }
    }

    /// The user, if it is one.
    pub fn user_id(&self) -> Option<i64> {
        self.user_id
    }

    /// Has all that this actor deletes come back together. See [`super::deleted_rows`].
    pub fn in_batch(self, batch: Option<String>) -> Actor {
        Actor { batch, ..self }
    }

    /// The batch, if there is one.
    pub fn batch(&self) -> Option<&str> {
        self.batch.as_deref()
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The object is new.
    Created,
    /// Fields have other values.
    Changed,
    /// The object is gone.
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

/// The fields of a change with their old and new values; equal ones are left out.
#[derive(Debug, Default)]
pub struct Changes(Map<String, Value>);

impl Changes {
    /// Adds a field, if its value changed.
    pub fn field(mut self, name: &str, old: impl Into<Value>, new: impl Into<Value>) -> Changes {
        let (old, new) = (old.into(), new.into());
        if old != new {
            self.0.insert(name.to_owned(), json!([old, new]));
        }
        self
    }

    /// Adds a field whose values are nobody's business: a password.
    pub fn secret(mut self, name: &str) -> Changes {
        self.0.insert(name.to_owned(), json!("changed"));
        self
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The object of a change.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// The model's name, such as `article`.
    pub model: &'a str,
    /// The row's id.
    pub id: i64,
    /// The row's name for people.
    pub name: &'a str,
}

/// Writes one row.
pub fn record(
    conn: &mut Connection,
    actor: &Actor,
    action: Action,
    object: Object,
    changes: &Changes,
) -> QueryResult<()> {
    diesel::insert_into(history::table)
        .values((
            history::at.eq(Utc::now().naive_utc()),
            history::actor_id.eq(actor.user_id),
            history::actor.eq(&actor.name),
            history::source.eq(actor.source.as_str()),
            history::action.eq(action.as_str()),
            history::model.eq(object.model),
            history::object_id.eq(object.id),
            history::object.eq(object.name),
            history::changes.eq(Value::Object(changes.0.clone()).to_string()),
        ))
        .execute(conn)
        .map(drop)
}

/// A change of an object, as far as somebody who did not expect it wants to know.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = history)]
#[allow(missing_docs)]
pub struct Entry {
    pub id: i64,
    pub at: NaiveDateTime,
    pub actor: String,
    pub source: String,
}

/// The number of an object's newest change; 0 where the history knows of none.
pub fn version(conn: &mut Connection, model: &str, id: i64) -> QueryResult<i64> {
    let of_object = history::table.filter(history::model.eq(model).and(history::object_id.eq(id)));
    Ok(of_object.select(diesel::dsl::max(history::id)).first::<Option<i64>>(conn)?.unwrap_or(0))
}

/// The newest change of an object since a version; `None` where there was none.
pub fn newest_since(conn: &mut Connection, model: &str, id: i64, version: i64) -> QueryResult<Option<Entry>> {
    history::table
        .filter(history::model.eq(model).and(history::object_id.eq(id)).and(history::id.gt(version)))
        .order(history::id.desc())
        .select(Entry::as_select())
        .first(conn)
        .optional()
}
