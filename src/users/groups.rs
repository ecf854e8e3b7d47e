//! The `groups` table: named sets of permissions. All changes of groups are made here and recorded in the history.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use unicode_normalization::UnicodeNormalization;

use super::permissions::of_group;
use super::validators;
use crate::db::Connection;
use crate::error::{Error, FieldErrors};
use crate::history::deleted_rows;
use crate::history::{self, Action, Actor, Changes, Object};
use crate::models::{Field, Model};
use crate::schema::{group_permissions, groups, user_groups};

pub static GROUP: Model = Model {
    name: "group",
    plural: "groups",
    title: "name",
    fields: &[
        Field::char("name", validators::MAX_NAME_CHARS).unique_by(|name| Some(normalize_name(name))).search().order(),
        Field::many_to_many("permissions").help_text("All members of the group have these permissions."),
    ],
};

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Identifiable)]
pub struct Group {
    pub id: i64,
    pub name: String,
}

impl Group {
    fn as_object(&self) -> Object<'_> {
        Object { model: "group", id: self.id, name: &self.name }
    }
}

pub fn find(conn: &mut Connection, id: i64) -> QueryResult<Option<Group>> {
    groups::table.find(id).select(Group::as_select()).get_result(conn).optional()
}

pub fn list(conn: &mut Connection) -> QueryResult<Vec<Group>> {
    groups::table.order(groups::name).select(Group::as_select()).load(conn)
}

pub fn names(conn: &mut Connection, ids: &BTreeSet<i64>) -> QueryResult<Vec<String>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    groups::table.filter(groups::id.eq_any(ids)).order(groups::name).select(groups::name).load(conn)
}

pub fn count_members(conn: &mut Connection, group: &Group) -> QueryResult<i64> {
    user_groups::table.filter(user_groups::group_id.eq(group.id)).count().get_result(conn)
}

pub fn create(
    conn: &mut Connection,
    name: &str,
    permissions: &BTreeSet<String>,
    actor: &Actor,
) -> Result<Group, Error> {
    let name = normalize_name(name);
    let name = name.as_str();
    check_name(name)?;
    let inserted = diesel::insert_into(groups::table).values(groups::name.eq(name));
    let group: Group = inserted.returning(groups::all_columns).get_result(conn).map_err(taken)?;
    store_permissions(conn, &group, permissions)?;
    let changes = Changes::default().field("name", None::<String>, name).field(
        "permissions",
        Vec::<String>::new(),
        list_of(permissions),
    );
    history::record(conn, actor, Action::Created, group.as_object(), &changes)?;
    Ok(group)
}

/// Equal values are not recorded as changes.
pub fn update(
    conn: &mut Connection,
    group: &Group,
    name: &str,
    permissions: &BTreeSet<String>,
    actor: &Actor,
) -> Result<Group, Error> {
    let name = normalize_name(name);
    let name = name.as_str();
    check_name(name)?;
    let old = of_group(conn, group.id)?;
    let changes = Changes::default().field("name", group.name.clone(), name).field(
        "permissions",
        list_of(&old),
        list_of(permissions),
    );
    if changes.is_empty() {
        return Ok(group.clone());
    }
    let renamed = diesel::update(group).set(groups::name.eq(name));
    let renamed: Group = renamed.returning(groups::all_columns).get_result(conn).map_err(taken)?;
    store_permissions(conn, group, permissions)?;
    history::record(conn, actor, Action::Changed, renamed.as_object(), &changes)?;
    Ok(renamed)
}

pub fn delete(conn: &mut Connection, group: &Group, actor: &Actor) -> Result<(), Error> {
    let permissions = of_group(conn, group.id)?;
    let changes = Changes::default().field("name", group.name.clone(), None::<String>).field(
        "permissions",
        list_of(&permissions),
        Vec::<String>::new(),
    );
    deleted_rows::delete(conn, actor, group.as_object(), "groups", &changes)
}

/// Of two ways to write an accent, the one that all names have.
pub(super) fn normalize_name(name: &str) -> String {
    name.nfc().collect()
}

fn check_name(name: &str) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::default();
    errors.add("name", if name.is_empty() { vec!["This field may not be blank.".to_owned()] } else { Vec::new() });
    errors.add("name", validators::name(name));
    errors.into_result()
}

fn list_of(permissions: &BTreeSet<String>) -> Vec<String> {
    permissions.iter().cloned().collect()
}

fn store_permissions(conn: &mut Connection, group: &Group, permissions: &BTreeSet<String>) -> QueryResult<()> {
    diesel::delete(group_permissions::table.filter(group_permissions::group_id.eq(group.id))).execute(conn)?;
    for permission in permissions {
        let row = (group_permissions::group_id.eq(group.id), group_permissions::permission.eq(permission));
        diesel::insert_into(group_permissions::table).values(row).execute(conn)?;
    }
    Ok(())
}

fn taken(error: DieselError) -> Error {
    match &error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
            FieldErrors::one("name", "A group with that name already exists.").into()
        }
        _ => error.into(),
    }
}
