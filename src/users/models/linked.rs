//! What tells whether local users are in step with their pool, for many users at once.

use std::collections::HashSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::schema::users;

/// A user who is linked to a pool, without what takes much memory.
#[derive(Clone, Debug, Queryable)]
pub struct LinkedUser {
    pub id: i64,
    pub username: String,
    pub sub: String,
    pub linked_at: Option<NaiveDateTime>,
    pub is_active: bool,
    pub deactivated_by_sync: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub staff_by_cognito: bool,
    pub cognito_groups_iat: Option<i64>,
}

/// In the order of their ids.
pub fn linked(conn: &mut Connection, issuer: &str) -> QueryResult<Vec<LinkedUser>> {
    users::table
        .filter(users::cognito_issuer.eq(issuer))
        .order(users::id)
        .select((
            users::id,
            users::username,
            users::cognito_sub.assume_not_null(),
            users::linked_at,
            users::is_active,
            users::deactivated_by_sync,
            users::is_staff,
            users::is_superuser,
            users::staff_by_cognito,
            users::cognito_groups_iat,
        ))
        .load(conn)
}

/// The keys of all e-mails.
pub fn email_keys(conn: &mut Connection) -> QueryResult<HashSet<String>> {
    let keys = users::table.filter(users::email_key.is_not_null()).select(users::email_key.assume_not_null());
    keys.load_iter::<String, diesel::connection::DefaultLoadingMode>(conn)?.collect()
}
