//! What can be done to users besides changing them in a form.

use super::rights::check_flags;
use crate::admin::model_admin::{Staff, field_error};
use crate::db::Connection;
use crate::error::Error;
use crate::users::models::{self, User};
use crate::users::permissions::Grants;
use crate::users::second_factor;

pub fn existing(conn: &mut Connection, id: i64) -> Result<User, Error> {
    models::find(conn, id)?.ok_or(Error::NoSuchObject("user"))
}

pub fn activate(conn: &mut Connection, id: i64, staff: &Staff) -> Result<bool, Error> {
    set_active(conn, id, true, staff)
}

pub fn deactivate(conn: &mut Connection, id: i64, staff: &Staff) -> Result<bool, Error> {
    set_active(conn, id, false, staff)
}

fn set_active(conn: &mut Connection, id: i64, is_active: bool, staff: &Staff) -> Result<bool, Error> {
    let user = existing(conn, id)?;
    if user.is_active == is_active {
        return Ok(false);
    }
    let new = User { is_active, ..user.clone() };
    check_flags(conn, Some(&user), &new, staff)?;
    let grants = Grants::of(conn, id)?;
    models::update(conn, &user, &new, &grants, &staff.actor())?;
    Ok(true)
}

pub fn unlink(conn: &mut Connection, id: i64, staff: &Staff) -> Result<bool, Error> {
    let user = existing(conn, id)?;
    if Some(id) == staff.user_id() && user.staff_by_cognito {
        return field_error("id", "You are staff by a Cognito group. Without the link, you would lock yourself out.");
    }
    Ok(models::unlink(conn, &user, &staff.actor())?)
}

/// Ends the user's sessions.
pub fn reset_second_factor(conn: &mut Connection, id: i64, staff: &Staff) -> Result<bool, Error> {
    if !staff.rights.is_superuser {
        return field_error("id", "Only superusers can reset a second factor.");
    }
    if Some(id) == staff.user_id() {
        return field_error("id", "Turn your own second factor off with your password and a code.");
    }
    let user = existing(conn, id)?;
    Ok(second_factor::remove(conn, &user, None, &staff.actor())?)
}
