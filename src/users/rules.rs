//! Rules for creating and changing users.

use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::BigInt;

use super::models::{User, find_by_email, find_by_username};
use super::validators;
use crate::db::references::unique_column;
use crate::db::{Backend, Connection};
use crate::error::{Error, FieldErrors};
use crate::schema::users;

pub const LAST_SUPERUSER: &str = "This is the last active superuser. Make another user a superuser first.";

/// Whether no other superuser can sign in to the admin.
pub fn is_last_superuser(conn: &mut Connection, user: &User) -> QueryResult<bool> {
    is_last_superuser_without(conn, user, &[])
}

/// [`is_last_superuser`] once the others with these ids no longer count.
pub fn is_last_superuser_without(conn: &mut Connection, user: &User, gone: &[i64]) -> QueryResult<bool> {
    let mut others = other_superusers(user).filter(users::id.ne_all(gone.to_vec()));
    if user.password.is_some() {
        // While Cognito is away, superusers without a password cannot sign in.
        others = others.filter(users::password.is_not_null());
    }
    Ok(may_enter(user) && others.first::<i64>(conn).optional()?.is_none())
}

/// Whether no other superuser can sign in with Cognito: passwords may be closed.
pub fn is_last_superuser_of_pool(conn: &mut Connection, user: &User) -> QueryResult<bool> {
    let others = other_superusers(user).filter(users::cognito_sub.is_not_null().or(users::email_key.is_not_null()));
    Ok(may_enter(user) && others.first::<i64>(conn).optional()?.is_none())
}

fn may_enter(user: &User) -> bool {
    user.is_active && user.is_staff && user.is_superuser
}

fn other_superusers(user: &User) -> users::BoxedQuery<'static, Backend, BigInt> {
    users::table
        .filter(users::is_superuser.and(users::is_active).and(users::is_staff).and(users::id.ne(user.id)))
        .select(users::id)
        .into_boxed()
}

/// `user` is `None` for a new user.
pub fn check_fields(
    conn: &mut Connection,
    user: Option<&User>,
    username: &str,
    email: &str,
    names: [(&'static str, &str); 2],
) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    if user.is_none_or(|user| user.username != username) {
        errors.add("username", validators::username(username));
        if find_by_username(conn, username)?.is_some_and(|other| Some(other.id) != user.map(|user| user.id)) {
            errors.add("username", vec![USERNAME_TAKEN.to_owned()]);
        }
    }
    if user.is_none_or(|user| user.email != email) && !email.is_empty() {
        errors.add("email", validators::email(email));
        if let Some(other) = find_by_email(conn, email)?.filter(|other| Some(other.id) != user.map(|user| user.id)) {
            errors.add("email", vec![email_taken(&other, email)]);
        }
    }
    for (field, name) in names {
        errors.add(field, validators::name(name));
    }
    Ok(errors.into_result()?)
}

/// A user whose e-mail differs in case is hard to find, so the message names them.
fn email_taken(other: &User, email: &str) -> String {
    if other.email == email {
        return EMAIL_TAKEN.to_owned();
    }
    format!("A user with this e-mail already exists: {} ({}).", other.username, other.email)
}

const USERNAME_TAKEN: &str = "A user with that username already exists.";
const EMAIL_TAKEN: &str = "A user with that e-mail already exists.";

pub fn taken(error: DieselError) -> Error {
    match unique_column(&error).as_deref() {
        Some("email_key") => FieldErrors::one("email", EMAIL_TAKEN).into(),
        Some("username") => FieldErrors::one("username", USERNAME_TAKEN).into(),
        // Two requests have linked at once: a retry will find the link.
        Some("cognito_sub") => Error::Collision(error.to_string()),
        _ => error.into(),
    }
}
