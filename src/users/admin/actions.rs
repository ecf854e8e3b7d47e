//! What can be done to users besides changing them in a form.

use super::rights::check_flags;
use crate::admin::model_admin::Staff;
use crate::db::Connection;
use crate::error::Error;
use crate::users::models::{self, User};
use crate::users::permissions::Grants;

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
    Ok(models::unlink(conn, &user, &staff.actor())?)
}
