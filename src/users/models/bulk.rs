//! Creates many users at once.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::QueryResult;

use super::changes::{NewUser, created};
use super::user::email_key;
use crate::db::Connection;
use crate::db::bulk::{BulkRow, Inserter, Value};
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
    insert(conn, "users", &USERS, users.iter().map(row))?;
    let in_groups = users.iter().flat_map(|user| user.new.grants.groups.iter().map(|group| (user.id, *group)));
    let in_groups = in_groups.map(|(user, group)| vec![Value::Integer(user), Value::Integer(group)]);
    insert(conn, "user_groups", &["user_id", "group_id"], in_groups)?;
    let granted = users.iter().flat_map(|user| user.new.grants.permissions.iter().map(|name| (user.id, name)));
    let granted = granted.map(|(user, name)| vec![Value::Integer(user), Value::Text(name.clone())]);
    insert(conn, "user_permissions", &["user_id", "permission"], granted)?;
    let entries = users.iter().map(|user| {
        let names = user.new.grants.groups.iter().filter_map(|group| groups.get(group).cloned()).collect();
        let object = Object { model: "user", id: user.id, name: &user.new.username };
        (object, created(&user.new, names))
    });
    history::record_all(conn, actor, Action::Created, entries)
}

fn row(user: &StoredUser) -> Vec<Value> {
    let new = &user.new;
    let text = |text: &str| Value::Text(text.to_owned());
    vec![
        Value::Integer(user.id),
        text(&new.username),
        text(&new.email),
        email_key(&new.email).map_or(Value::Null, Value::Text),
        text(&new.first_name),
        text(&new.last_name),
        new.password.clone().map_or(Value::Null, Value::Text),
        Value::Flag(new.is_active),
        Value::Flag(new.is_staff),
        Value::Flag(new.is_superuser),
        user.last_login.map_or(Value::Null, Value::Time),
        user.last_login.map_or(Value::Null, Value::Time),
        Value::Time(user.date_joined),
        text(new.origin.as_str()),
    ]
}

fn insert(
    conn: &mut Connection,
    table: &str,
    columns: &[&str],
    rows: impl Iterator<Item = Vec<Value>>,
) -> QueryResult<()> {
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    let mut inserter = Inserter::new(conn, table, &columns)?;
    for row in rows {
        inserter.add(BulkRow(row))?;
    }
    inserter.flush()
}
