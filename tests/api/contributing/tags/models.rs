//! The `tags` table. Whoever creates, renames or deletes a tag does it here, and the history follows.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use gatepost::api::fields::CharField;
use gatepost::db::Connection;
use gatepost::error::{Error, FieldErrors};
use gatepost::history::deleted_rows;
use gatepost::history::{self, Action, Actor, Changes, Object};

use crate::contributing::schema::tags;

/// The one field that callers set.
pub const NAME: CharField = CharField { name: "name", label: "Name", max_length: 30 };

/// One row.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable)]
#[allow(missing_docs)]
pub struct Tag {
    pub id: i64,
    pub name: String,
}

impl Tag {
    fn as_object(&self) -> Object<'_> {
        Object { model: "tag", id: self.id, name: &self.name }
    }
}

/// All tags by name.
pub fn all(conn: &mut Connection) -> QueryResult<Vec<Tag>> {
    tags::table.order(tags::name).select(Tag::as_select()).load(conn)
}

/// The tag with this id.
pub fn find(conn: &mut Connection, id: i64) -> QueryResult<Option<Tag>> {
    tags::table.find(id).select(Tag::as_select()).first(conn).optional()
}

/// Creates a tag, or says that its name is taken.
pub fn create(conn: &mut Connection, name: &str, actor: &Actor) -> Result<Tag, Error> {
    let inserted = diesel::insert_into(tags::table).values(tags::name.eq(name)).returning(tags::all_columns);
    let tag: Tag = inserted.get_result(conn).map_err(taken)?;
    let changes = Changes::default().field("name", None::<String>, name);
    history::record(conn, actor, Action::Created, tag.as_object(), &changes)?;
    Ok(tag)
}

/// Gives a tag another name.
pub fn rename(conn: &mut Connection, tag: &Tag, name: &str, actor: &Actor) -> Result<Tag, Error> {
    let changes = Changes::default().field("name", tag.name.clone(), name);
    if changes.is_empty() {
        return Ok(tag.clone());
    }
    let renamed: Tag =
        diesel::update(tag).set(tags::name.eq(name)).returning(tags::all_columns).get_result(conn).map_err(taken)?;
    history::record(conn, actor, Action::Changed, renamed.as_object(), &changes)?;
    Ok(renamed)
}

/// Deletes a tag, which can be brought back.
pub fn delete(conn: &mut Connection, tag: &Tag, actor: &Actor) -> Result<(), Error> {
    let changes = Changes::default().field("name", tag.name.clone(), None::<String>);
    deleted_rows::delete(conn, actor, tag.as_object(), "tags", &changes)
}

/// A broken uniqueness is an error of the field.
fn taken(error: DieselError) -> Error {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
            FieldErrors::one("name", "A tag with this name already exists.").into()
        }
        error => error.into(),
    }
}
