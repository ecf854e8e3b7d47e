//! All changes of users are made here and recorded in the history.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;

use super::user::{Origin, User, email_key};
use crate::db::Connection;
use crate::db::references::Catalog;
use crate::error::{Error, FieldErrors};
use crate::history::deleted_rows;
use crate::history::{self, Action, Actor, Changes};
use crate::schema::users;
use crate::users::permissions::Grants;
use crate::users::rules::{LAST_SUPERUSER, check_fields, is_last_superuser, taken};
use crate::users::{cognito_groups, groups, sessions, validators};

#[derive(Clone)]
pub struct NewUser {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    /// A hash from [`hash`](crate::users::password::hash); `None`: the user signs in only with Cognito.
    pub password: Option<String>,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub grants: Grants,
    /// Issuer and `sub`.
    pub cognito: Option<(String, String)>,
    pub origin: Origin,
}

impl NewUser {
    pub fn new(origin: Origin) -> NewUser {
        NewUser {
            username: String::new(),
            email: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            password: None,
            is_active: true,
            is_staff: false,
            is_superuser: false,
            grants: Grants::default(),
            cognito: None,
            origin,
        }
    }
}

pub fn create(conn: &mut Connection, new: NewUser, actor: &Actor) -> Result<User, Error> {
    let new = NewUser { username: validators::normalize_username(&new.username), ..new };
    let names = [("first_name", new.first_name.as_str()), ("last_name", new.last_name.as_str())];
    check_fields(conn, None, &new.username, &new.email, names)?;
    let now = Utc::now().naive_utc();
    let (issuer, sub) = new.cognito.clone().unzip();
    let inserted = diesel::insert_into(users::table)
        .values((
            users::username.eq(&new.username),
            users::email.eq(&new.email),
            users::email_key.eq(email_key(&new.email)),
            (users::first_name.eq(&new.first_name), users::last_name.eq(&new.last_name)),
            users::password.eq(&new.password),
            users::is_active.eq(new.is_active),
            (users::is_staff.eq(new.is_staff), users::is_superuser.eq(new.is_superuser)),
            users::date_joined.eq(now),
            users::linked_at.eq(sub.is_some().then_some(now)),
            (users::cognito_issuer.eq(issuer), users::cognito_sub.eq(sub)),
            users::origin.eq(new.origin.as_str()),
        ))
        .returning(users::all_columns)
        .get_result(conn);
    let user: User = inserted.map_err(taken)?;
    new.grants.store(conn, user.id)?;
    let changes = created(&new, groups::names(conn, &new.grants.groups)?);
    history::record(conn, actor, Action::Created, user.as_object(), &changes)?;
    Ok(user)
}

/// What the history says of a new user.
pub(super) fn created(new: &NewUser, groups: Vec<String>) -> Changes {
    let permissions: Vec<String> = new.grants.permissions.iter().cloned().collect();
    Changes::default()
        .field("username", None::<String>, new.username.clone())
        .field("email", "", new.email.clone())
        .field("first_name", "", new.first_name.clone())
        .field("last_name", "", new.last_name.clone())
        .field("is_active", true, new.is_active)
        .field("is_staff", false, new.is_staff)
        .field("is_superuser", false, new.is_superuser)
        .field("cognito_sub", None::<String>, new.cognito.as_ref().map(|(_, sub)| sub.clone()))
        .field("origin", None::<String>, new.origin.as_str())
        .field("groups", Vec::<String>::new(), groups)
        .field("user_permissions", Vec::<String>::new(), permissions)
}

/// Equal values are not recorded as changes. A user who is no longer active or staff is signed out. The last superuser
/// who can sign in to the admin keeps the flags and password that this needs.
pub fn update(conn: &mut Connection, user: &User, new: &User, grants: &Grants, actor: &Actor) -> Result<User, Error> {
    let username = validators::normalize_username(&new.username);
    let names = [("first_name", new.first_name.as_str()), ("last_name", new.last_name.as_str())];
    check_fields(conn, Some(user), &username, &new.email, names)?;
    let flags = [("is_superuser", new.is_superuser), ("is_active", new.is_active), ("is_staff", new.is_staff)];
    if let Some((field, _)) = flags.into_iter().find(|(_, is_set)| !is_set)
        && is_last_superuser(conn, user)?
    {
        return Err(FieldErrors::one(field, LAST_SUPERUSER).into());
    }
    let old_grants = Grants::of(conn, user.id)?;
    let permissions = |grants: &Grants| grants.permissions.iter().cloned().collect::<Vec<_>>();
    let changes = Changes::default()
        .field("username", user.username.clone(), username.clone())
        .field("email", user.email.clone(), new.email.clone())
        .field("first_name", user.first_name.clone(), new.first_name.clone())
        .field("last_name", user.last_name.clone(), new.last_name.clone())
        .field("is_active", user.is_active, new.is_active)
        .field("is_staff", user.is_staff, new.is_staff)
        .field("is_superuser", user.is_superuser, new.is_superuser)
        .field("groups", groups::names(conn, &old_grants.groups)?, groups::names(conn, &grants.groups)?)
        .field("user_permissions", permissions(&old_grants), permissions(grants));
    if changes.is_empty() {
        return Ok(user.clone());
    }
    let updated = diesel::update(user)
        .set((
            users::username.eq(username),
            (users::email.eq(&new.email), users::email_key.eq(email_key(&new.email))),
            (users::first_name.eq(&new.first_name), users::last_name.eq(&new.last_name)),
            users::is_active.eq(new.is_active),
            (users::is_staff.eq(new.is_staff), users::is_superuser.eq(new.is_superuser)),
            users::staff_by_cognito.eq(user.staff_by_cognito && new.is_staff),
            users::deactivated_by_sync.eq(new.deactivated_by_sync && !new.is_active),
        ))
        .returning(users::all_columns)
        .get_result(conn);
    let updated: User = updated.map_err(taken)?;
    if old_grants != *grants {
        grants.store(conn, user.id)?;
    }
    if !(updated.is_active && updated.is_staff) {
        sessions::delete_of_user(conn, user.id, None)?;
    }
    history::record(conn, actor, Action::Changed, updated.as_object(), &changes)?;
    Ok(updated)
}

/// Fails for the last superuser who can sign in to the admin.
pub fn delete(conn: &mut Connection, catalog: &mut Catalog, user: &User, actor: &Actor) -> Result<(), Error> {
    if is_last_superuser(conn, user)? {
        return Err(FieldErrors::one("is_superuser", LAST_SUPERUSER).into());
    }
    let changes = Changes::default().field("username", user.username.clone(), None::<String>).field(
        "email",
        user.email.clone(),
        None::<String>,
    );
    // Restored, the user gets it with the next token, which knows better.
    let changes = cognito_groups::take_away(conn, user, changes)?;
    deleted_rows::delete(conn, catalog, actor, user.as_object(), "users", &changes)
}

pub fn link(conn: &mut Connection, user: &User, issuer: &str, sub: &str, actor: &Actor) -> QueryResult<User> {
    let (linked, changes) = set_link(conn, user, Some((issuer, sub)))?;
    history::record(conn, actor, Action::Changed, linked.as_object(), &changes)?;
    Ok(linked)
}

/// Takes away what the pool's groups have given. The next token with the user's verified e-mail links again, even one of
/// another Cognito user.
pub fn unlink(conn: &mut Connection, user: &User, actor: &Actor) -> QueryResult<bool> {
    if user.cognito_sub.is_none() {
        return Ok(false);
    }
    let (_, changes) = set_link(conn, user, None)?;
    let changes = cognito_groups::take_away(conn, user, changes)?;
    history::record(conn, actor, Action::Changed, user.as_object(), &changes)?;
    Ok(true)
}

/// `link` is issuer and `sub`.
fn set_link(conn: &mut Connection, user: &User, link: Option<(&str, &str)>) -> QueryResult<(User, Changes)> {
    let ((issuer, sub), at) = (link.unzip(), link.map(|_| Utc::now().naive_utc()));
    let new = (users::cognito_issuer.eq(issuer), users::cognito_sub.eq(sub), users::linked_at.eq(at));
    let linked = diesel::update(user).set(new).returning(users::all_columns).get_result(conn)?;
    let changes = Changes::default().field("cognito_issuer", user.cognito_issuer.clone(), issuer);
    Ok((linked, changes.field("cognito_sub", user.cognito_sub.clone(), sub)))
}

/// Ends the user's sessions except the one to keep.
pub fn set_password(
    conn: &mut Connection,
    user: &User,
    hash: Option<String>,
    keep_session: Option<i64>,
    actor: &Actor,
) -> QueryResult<()> {
    diesel::update(user).set(users::password.eq(hash)).execute(conn)?;
    sessions::delete_of_user(conn, user.id, keep_session)?;
    history::record(conn, actor, Action::Changed, user.as_object(), &Changes::default().secret("password"))
}

/// For the same password, so sessions stay and the history says nothing. `false` if the old hash is no longer there.
pub fn replace_hash(conn: &mut Connection, id: i64, old: &str, new: &str) -> QueryResult<bool> {
    let user = users::table.filter(users::id.eq(id).and(users::password.eq(old)));
    diesel::update(user).set(users::password.eq(new)).execute(conn).map(|replaced| replaced > 0)
}

/// For what belongs to a user and is in another table, or in the pool.
pub fn record_change(conn: &mut Connection, user: &User, actor: &Actor, changes: Changes) -> QueryResult<()> {
    history::record(conn, actor, Action::Changed, user.as_object(), &changes)
}

/// Not recorded in the history.
pub fn set_last_seen(conn: &mut Connection, id: i64, at: NaiveDateTime) -> QueryResult<()> {
    diesel::update(users::table.find(id)).set(users::last_seen_at.eq(at)).execute(conn).map(drop)
}
