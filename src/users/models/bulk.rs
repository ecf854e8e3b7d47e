//! Creates many users at once.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::QueryResult;

use super::changes::{NewUser, created};
use super::user::email_key;
use crate::db::rows::Value;
use crate::db::{Connection, bulk};
use crate::history::{self, Action, Actor, Object};

/// A user whose values the caller has checked.
pub struct StoredUser {
    pub id: i64,
    pub new: NewUser,
    pub last_login: Option<NaiveDateTime>,
    pub date_joined: NaiveDateTime,
}

const USERS: [&str; 14] = [
    "id",
    "username",
    "email",
    "email_key",
    "first_name",
    "last_name",
    "password",
    "is_active",
    "is_staff",
    "is_superuser",
    "last_login",
    "last_seen_at",
    "date_joined",
    "origin",
];

/// [`create`](super::create) for users with ids. `groups` has the names of all groups that they are in.
pub fn create_all(
    conn: &mut Connection,
    users: &[StoredUser],
    groups: &HashMap<i64, String>,
    actor: &Actor,
) -> QueryResult<()> {
    bulk::insert(conn, "users", &USERS, users.iter().map(row))?;
    let in_groups = users.iter().flat_map(|user| user.new.grants.groups.iter().map(|group| (user.id, *group)));
    let in_groups = in_groups.map(|(user, group)| vec![user.into(), group.into()]);
    bulk::insert(conn, "user_groups", &["user_id", "group_id"], in_groups)?;
    let granted = users.iter().flat_map(|user| user.new.grants.permissions.iter().map(|name| (user.id, name)));
    let granted = granted.map(|(user, name)| vec![user.into(), name.as_str().into()]);
    bulk::insert(conn, "user_permissions", &["user_id", "permission"], granted)?;
    let entries = users.iter().map(|user| {
        let names = user.new.grants.groups.iter().filter_map(|group| groups.get(group).cloned()).collect();
        let object = Object { model: "user", id: user.id, name: &user.new.username };
        (object, created(&user.new, names))
    });
    history::record_all(conn, actor, Action::Created, entries)
}

fn row(user: &StoredUser) -> Vec<Value> {
    let new = &user.new;
    vec![
        user.id.into(),
        new.username.as_str().into(),
        new.email.as_str().into(),
        email_key(&new.email).into(),
        new.first_name.as_str().into(),
        new.last_name.as_str().into(),
        new.password.clone().into(),
        new.is_active.into(),
        new.is_staff.into(),
        new.is_superuser.into(),
        user.last_login.into(),
        user.last_login.into(),
        user.date_joined.into(),
        new.origin.as_str().into(),
    ]
}
