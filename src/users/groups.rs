//! The `groups` table: named sets of permissions. All changes of groups are made here and recorded in the history.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::result::Error as DieselError;
use unicode_normalization::UnicodeNormalization;

use super::cognito_groups;
use super::permissions::of_group;
use super::validators;
use crate::db::Connection;
use crate::db::references::{Catalog, unique_column};
use crate::error::{Error, FieldErrors};
use crate::history::deleted_rows;
use crate::history::{self, Action, Actor, Changes, Object};
use crate::models::{Field, Model};
use crate::schema::{group_permissions, groups, user_cognito_groups, user_groups};

pub static GROUP: Model = Model {
    name: "group",
    plural: "groups",
    title: "name",
    fields: &[
        Field::char("name", validators::MAX_NAME_CHARS).unique_by(|name| Some(normalize_name(name))).search().order(),
        Field::char("cognito_group", validators::MAX_COGNITO_GROUP_CHARS)
            .unique()
            .null()
            .label("Cognito group")
            .help_text("Its members in the user pool are members here, from their next sign-in or new token on."),
        Field::many_to_many("permissions").help_text("All members of the group have these permissions."),
    ],
};

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Identifiable, Insertable)]
pub struct Group {
    pub id: i64,
    pub name: String,
    /// The group of the pool whose members it has.
    pub cognito_group: Option<String>,
}

/// What people enter.
pub struct GroupFields<'a> {
    pub name: &'a str,
    /// Empty: none.
    pub cognito_group: &'a str,
    pub permissions: &'a BTreeSet<String>,
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

/// By hand or by the pool.
pub fn count_members(conn: &mut Connection, group: &Group) -> QueryResult<i64> {
    let by_hand = user_groups::table.filter(user_groups::group_id.eq(group.id)).select(user_groups::user_id);
    let by_pool = user_cognito_groups::table
        .filter(user_cognito_groups::group_id.eq(group.id))
        .filter(user_cognito_groups::user_id.ne_all(by_hand));
    Ok(by_hand.count().get_result::<i64>(conn)? + by_pool.count().get_result::<i64>(conn)?)
}

pub fn create(conn: &mut Connection, new: &GroupFields, actor: &Actor) -> Result<Group, Error> {
    let (name, cognito_group) = check(new)?;
    let values = (groups::name.eq(&name), groups::cognito_group.eq(cognito_group));
    let inserted = diesel::insert_into(groups::table).values(values);
    let group: Group = inserted.returning(groups::all_columns).get_result(conn).map_err(taken)?;
    store_permissions(conn, &group, new.permissions)?;
    history::record(conn, actor, Action::Created, group.as_object(), &created(&group, new.permissions))?;
    Ok(group)
}

/// [`create`] for groups with ids, whose values the caller has checked.
pub fn create_all(conn: &mut Connection, groups: &[(Group, BTreeSet<String>)], actor: &Actor) -> QueryResult<()> {
    for (group, permissions) in groups {
        diesel::insert_into(groups::table).values(group).execute(conn)?;
        store_permissions(conn, group, permissions)?;
        history::record(conn, actor, Action::Created, group.as_object(), &created(group, permissions))?;
    }
    Ok(())
}

fn created(group: &Group, permissions: &BTreeSet<String>) -> Changes {
    Changes::default()
        .field("name", None::<String>, group.name.as_str())
        .field("cognito_group", None::<String>, group.cognito_group.clone())
        .field("permissions", Vec::<String>::new(), list_of(permissions))
}

/// Equal values are not recorded as changes. Members of the former group of the pool are members no longer.
pub fn update(conn: &mut Connection, group: &Group, new: &GroupFields, actor: &Actor) -> Result<Group, Error> {
    let (name, cognito_group) = check(new)?;
    let old = of_group(conn, group.id)?;
    let changes = Changes::default()
        .field("name", group.name.clone(), name.as_str())
        .field("cognito_group", group.cognito_group.clone(), cognito_group)
        .field("permissions", list_of(&old), list_of(new.permissions));
    if changes.is_empty() {
        return Ok(group.clone());
    }
    if group.cognito_group.as_deref() != cognito_group {
        cognito_groups::remove_members(conn, group.id, actor)?;
    }
    let updated = diesel::update(group).set((groups::name.eq(name), groups::cognito_group.eq(cognito_group)));
    let updated: Group = updated.returning(groups::all_columns).get_result(conn).map_err(taken)?;
    store_permissions(conn, group, new.permissions)?;
    history::record(conn, actor, Action::Changed, updated.as_object(), &changes)?;
    Ok(updated)
}

/// To restore it brings back the members given by hand. The pool's come with their next tokens, which know better.
pub fn delete(conn: &mut Connection, catalog: &mut Catalog, group: &Group, actor: &Actor) -> Result<(), Error> {
    let permissions = of_group(conn, group.id)?;
    let changes = Changes::default()
        .field("name", group.name.clone(), None::<String>)
        .field("cognito_group", group.cognito_group.clone(), None::<String>)
        .field("permissions", list_of(&permissions), Vec::<String>::new());
    cognito_groups::remove_members(conn, group.id, actor)?;
    deleted_rows::delete(conn, catalog, actor, group.as_object(), "groups", &changes)
}

/// Of two ways to write an accent, the one that all names have.
pub fn normalize_name(name: &str) -> String {
    name.nfc().collect()
}

/// The values as they are stored.
fn check<'a>(new: &GroupFields<'a>) -> Result<(String, Option<&'a str>), FieldErrors> {
    let (name, cognito_group) = (normalize_name(new.name), new.cognito_group);
    let mut errors = FieldErrors::default();
    errors.add("name", validators::required_name(&name));
    errors.add("cognito_group", validators::cognito_group(cognito_group));
    errors.into_result()?;
    Ok((name, Some(cognito_group).filter(|name| !name.is_empty())))
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
    match unique_column(&error).as_deref() {
        Some("cognito_group") => {
            FieldErrors::one("cognito_group", "Another group has the members of this Cognito group.").into()
        }
        Some("name") => FieldErrors::one("name", "A group with that name already exists.").into(),
        _ => error.into(),
    }
}
