//! The `sessions` table: who is signed in to the admin, since when and from where. Only the browser knows the cookie's
//! key; the table stores its SHA-256.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;

use crate::db::Connection;
use crate::db::rows::{self, Sql};
use crate::db::text::{contains_all, join};
use crate::schema::{sessions, users};

/// Expired sessions removed per sign-in.
const MOST_REMOVED: i64 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Maximum time without a request.
    pub idle: Duration,
    /// Maximum time since sign-in.
    pub max: Duration,
}

impl SessionLimits {
    fn bounds(&self, now: NaiveDateTime) -> (NaiveDateTime, NaiveDateTime) {
        let before =
            |age| TimeDelta::from_std(age).ok().and_then(|age| now.checked_sub_signed(age)).unwrap_or_default();
        (before(self.max), before(self.idle))
    }

    /// Writing `last_seen_at` for every request would cost a commit each time.
    fn precision(&self) -> Duration {
        (self.idle / 10).min(Duration::from_secs(60))
    }
}

#[derive(Clone, Queryable, Selectable)]
pub struct Session {
    pub id: i64,
    pub user_id: i64,
    pub state: String,
    pub address: String,
    pub user_agent: String,
    pub created_at: NaiveDateTime,
    pub last_seen_at: NaiveDateTime,
}

impl Session {
    pub fn is_over(&self, limits: &SessionLimits) -> bool {
        let (began, seen) = limits.bounds(Utc::now().naive_utc());
        self.created_at <= began || self.last_seen_at <= seen
    }

    pub fn is_seen_late(&self, limits: &SessionLimits) -> bool {
        let age = Utc::now().naive_utc() - self.last_seen_at;
        age.to_std().is_ok_and(|age| age >= limits.precision())
    }
}

#[derive(Clone)]
pub struct NewSession {
    pub key_hash: String,
    pub user_id: i64,
    pub state: String,
    pub address: String,
    pub user_agent: String,
    /// The time of sign-in, if it was before now.
    pub since: Option<NaiveDateTime>,
}

/// Even if it has expired.
pub fn find(conn: &mut Connection, key_hash: &str) -> QueryResult<Option<Session>> {
    let session = sessions::table.filter(sessions::key_hash.eq(key_hash)).select(Session::as_select());
    session.get_result(conn).optional()
}

#[derive(Clone, Copy)]
pub enum Of<'a> {
    User(i64),
    /// Those of all other users whose names contain a text.
    Others(i64, &'a str),
}

/// Most recently seen first, with the users' names.
pub fn list(conn: &mut Connection, of: Of, limits: &SessionLimits, most: i64) -> QueryResult<Vec<(Session, String)>> {
    let (began, seen) = limits.bounds(Utc::now().naive_utc());
    let query = sessions::table
        .inner_join(users::table.on(users::id.eq(sessions::user_id)))
        .filter(sessions::created_at.gt(began).and(sessions::last_seen_at.gt(seen)))
        .select((Session::as_select(), users::username))
        .order((sessions::last_seen_at.desc(), sessions::id.desc()))
        .limit(most)
        .into_boxed();
    match of {
        Of::User(id) => query.filter(sessions::user_id.eq(id)).load(conn),
        Of::Others(id, name) => {
            let has_name = contains_all(users::username, join(&[name.to_owned()]));
            query.filter(sessions::user_id.ne(id)).filter(has_name).load(conn)
        }
    }
}

pub fn create(conn: &mut Connection, new: NewSession, limits: &SessionLimits) -> QueryResult<()> {
    let now = Utc::now().naive_utc();
    delete_expired(conn, limits, now)?;
    diesel::insert_into(sessions::table)
        .values((
            sessions::key_hash.eq(new.key_hash),
            sessions::user_id.eq(new.user_id),
            sessions::state.eq(new.state),
            sessions::address.eq(new.address),
            sessions::user_agent.eq(new.user_agent),
            (sessions::created_at.eq(new.since.unwrap_or(now)), sessions::last_seen_at.eq(now)),
        ))
        .execute(conn)
        .map(drop)
}

fn delete_expired(conn: &mut Connection, limits: &SessionLimits, now: NaiveDateTime) -> QueryResult<()> {
    let (began, seen) = limits.bounds(now);
    let expired: Vec<i64> = sessions::table
        .filter(sessions::created_at.le(began).or(sessions::last_seen_at.le(seen)))
        .select(sessions::id)
        .limit(MOST_REMOVED)
        .load(conn)?;
    diesel::delete(sessions::table.filter(sessions::id.eq_any(expired))).execute(conn).map(drop)
}

/// Has no effect if the session has ended.
pub fn set_state(conn: &mut Connection, key_hash: &str, state: &str) -> QueryResult<()> {
    let session = sessions::table.filter(sessions::key_hash.eq(key_hash));
    diesel::update(session).set(sessions::state.eq(state)).execute(conn).map(drop)
}

/// Keeps a user's sessions when the same password gets another hash: `old` and `new` are fingerprints in their states.
pub fn rebind(conn: &mut Connection, user_id: i64, old: &str, new: &str) -> QueryResult<()> {
    let statement = Sql::new("UPDATE sessions SET state = replace(state, ?, ?) WHERE user_id = ?");
    rows::execute(conn, statement.with(old).with(new).with(user_id)).map(drop)
}

pub fn set_last_seen(conn: &mut Connection, id: i64) -> QueryResult<()> {
    let now = Utc::now().naive_utc();
    diesel::update(sessions::table.find(id)).set(sessions::last_seen_at.eq(now)).execute(conn).map(drop)
}

pub fn delete(conn: &mut Connection, key_hash: &str) -> QueryResult<()> {
    diesel::delete(sessions::table.filter(sessions::key_hash.eq(key_hash))).execute(conn).map(drop)
}

/// Only if it belongs to `user_id` when given.
pub fn delete_by_id(conn: &mut Connection, id: i64, user_id: Option<i64>) -> QueryResult<bool> {
    let mut query = diesel::delete(sessions::table.filter(sessions::id.eq(id))).into_boxed();
    if let Some(user_id) = user_id {
        query = query.filter(sessions::user_id.eq(user_id));
    }
    query.execute(conn).map(|deleted| deleted > 0)
}

pub fn delete_of_user(conn: &mut Connection, user_id: i64, except: Option<i64>) -> QueryResult<usize> {
    let others = sessions::user_id.eq(user_id).and(sessions::id.ne(except.unwrap_or(0)));
    diesel::delete(sessions::table.filter(others)).execute(conn)
}

/// A sign-in counts as seen, too. Not recorded in the history.
pub fn set_last_login(conn: &mut Connection, user_id: i64) -> QueryResult<()> {
    let now = Utc::now().naive_utc();
    let seen = (users::last_login.eq(now), users::last_seen_at.eq(now));
    diesel::update(users::table.find(user_id)).set(seen).execute(conn).map(drop)
}
