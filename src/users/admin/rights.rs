//! Checks which rights staff may give.

use diesel::QueryResult;

use crate::admin::model_admin::{Staff, field_error};
use crate::db::Connection;
use crate::error::{Error, FieldErrors};
use crate::users::models::User;
use crate::users::permissions::{Grants, of_group};
use crate::users::rules::{LAST_SUPERUSER, is_last_superuser};

pub const BEYOND_YOURS: &str = "You cannot give permissions that you do not have.";
const NOT_YOURSELF: &str = "You cannot change this on your own account. Ask another superuser.";

pub fn is_grantable(conn: &mut Connection, field: &str, value: &str, staff: &Staff) -> QueryResult<bool> {
    if staff.rights.is_superuser {
        return Ok(true);
    }
    match field {
        "groups" => match value.parse() {
            Ok(id) => Ok(staff.rights.has_all(&of_group(conn, id)?)),
            Err(_) => Ok(false),
        },
        "user_permissions" => Ok(staff.rights.has(value)),
        "is_superuser" => Ok(false),
        _ => Ok(true),
    }
}

/// Fails if `staff` gives rights that they do not have, or changes their own.
pub fn check_grants(
    conn: &mut Connection,
    user: Option<&User>,
    old: &Grants,
    new: &Grants,
    staff: &Staff,
) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    let is_oneself = user.is_some_and(|user| user.id == staff.user.id);
    let is_grantable = |conn: &mut Connection, field: &str, value: &str| -> QueryResult<bool> {
        Ok(staff.rights.is_superuser || (!is_oneself && is_grantable(conn, field, value, staff)?))
    };
    for group in new.groups.difference(&old.groups) {
        if !is_grantable(conn, "groups", &group.to_string())? {
            errors.add("groups", vec![BEYOND_YOURS.to_owned()]);
            break;
        }
    }
    for permission in new.permissions.difference(&old.permissions) {
        if !is_grantable(conn, "user_permissions", permission)? {
            errors.add("user_permissions", vec![BEYOND_YOURS.to_owned()]);
            break;
        }
    }
    Ok(errors.into_result()?)
}

/// Fails if `staff` makes someone a superuser without being one, or changes their own flags.
pub fn check_flags(conn: &mut Connection, user: Option<&User>, new: &User, staff: &Staff) -> Result<(), Error> {
    if new.is_superuser && !user.is_some_and(|user| user.is_superuser) && !staff.rights.is_superuser {
        return field_error("is_superuser", BEYOND_YOURS);
    }
    let Some(user) = user.filter(|user| user.id == staff.user.id) else { return Ok(()) };
    let flags = [
        ("is_active", user.is_active, new.is_active),
        ("is_staff", user.is_staff, new.is_staff),
        ("is_superuser", user.is_superuser, new.is_superuser),
    ];
    match flags.into_iter().find(|(_, old, new)| old != new) {
        Some((field, ..)) if is_last_superuser(conn, user)? => field_error(field, LAST_SUPERUSER),
        Some((field, ..)) => field_error(field, NOT_YOURSELF),
        None => Ok(()),
    }
}
