//! Rules for creating and changing users.

use diesel::prelude::*;
use diesel::result::Error as DieselError;

use super::models::{User, find_by_email, find_by_username};
use super::validators;
use crate::db::Connection;
use crate::db::references::unique_column;
use crate::error::{Error, FieldErrors};
use crate::schema::users;

pub const LAST_SUPERUSER: &str = "This is the last active superuser. Make another user a superuser first.";

/// Whether no other superuser can sign in to the admin.
pub fn is_last_superuser(conn: &mut Connection, user: &User) -> QueryResult<bool> {
    is_last_superuser_without(conn, user, &[])
}

/// [`is_last_superuser`] once the others with these ids no longer count.
pub fn is_last_superuser_without(conn: &mut Connection, user: &User, gone: &[i64]) -> QueryResult<bool> {
    if !(user.is_active && user.is_staff && user.is_superuser) {
        return Ok(false);
    }
    let mut others = users::table
        .filter(users::is_superuser.and(users::is_active).and(users::is_staff).and(users::id.ne(user.id)))
        .filter(users::id.ne_all(gone))
        .select(users::id)
        .into_boxed();
    if user.password.is_some() {
        // Signing in to the admin needs a password, so superusers without one do not count.
        others = others.filter(users::password.is_not_null());
    }
    Ok(others.first::<i64>(conn).optional()?.is_none())
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
