//! Actions that add users to a group and remove them. Memberships that Cognito gives are not touched.

use diesel::QueryResult;

use super::actions::existing;
use super::rights::{BEYOND_YOURS, check_grants, is_grantable};
use crate::admin::model_admin::{Action, Choice, Run, Staff, field_error};
use crate::db::Connection;
use crate::error::Error;
use crate::users::groups::{self, Group};
use crate::users::models;
use crate::users::permissions::Grants;

pub const ADD_TO_GROUP: Action = Action {
    name: "add_to_group",
    label: "Add selected users to a group",
    form_label: None,
    done: "added to the group",
    already: ("1 = 0", "already in the group"),
    superusers_only: false,
    is_danger: false,
    run: Run::Chosen { label: "Group", choices, run: add },
};

pub const REMOVE_FROM_GROUP: Action = Action {
    name: "remove_from_group",
    label: "Remove selected users from a group",
    form_label: None,
    done: "removed from the group",
    already: ("1 = 0", "not in the group by hand"),
    superusers_only: false,
    is_danger: true,
    run: Run::Chosen { label: "Group", choices, run: remove },
};

pub fn group_choices(conn: &mut Connection) -> QueryResult<Vec<Choice>> {
    let choice = |group: Group| Choice { value: group.id.to_string(), label: group.name, group: String::new() };
    Ok(groups::list(conn)?.into_iter().map(choice).collect())
}

fn choices(conn: &mut Connection, staff: &Staff) -> QueryResult<Vec<Choice>> {
    let mut grantable = Vec::new();
    for choice in group_choices(conn)? {
        if is_grantable(conn, "groups", &choice.value, staff)? {
            grantable.push(choice);
        }
    }
    Ok(grantable)
}

fn add(conn: &mut Connection, id: i64, group: &str, staff: &Staff) -> Result<bool, Error> {
    change(conn, id, group, staff, |grants, group| grants.groups.insert(group))
}

fn remove(conn: &mut Connection, id: i64, group: &str, staff: &Staff) -> Result<bool, Error> {
    change(conn, id, group, staff, |grants, group| grants.groups.remove(&group))
}

/// The form's rules hold: nobody gives or takes a group with permissions that they do not have.
fn change(
    conn: &mut Connection,
    id: i64,
    group: &str,
    staff: &Staff,
    change: impl Fn(&mut Grants, i64) -> bool,
) -> Result<bool, Error> {
    let Some(group) = chosen(conn, group)? else { return field_error("groups", "Choose a group.") };
    if !is_grantable(conn, "groups", &group.id.to_string(), staff)? {
        return field_error("groups", BEYOND_YOURS);
    }
    let (user, old) = (existing(conn, id)?, Grants::of(conn, id)?);
    let mut new = old.clone();
    if !change(&mut new, group.id) {
        return Ok(false);
    }
    check_grants(conn, Some(&user), &old, &new, staff)?;
    models::update(conn, &user, &user, &new, &staff.actor())?;
    Ok(true)
}

fn chosen(conn: &mut Connection, group: &str) -> QueryResult<Option<Group>> {
    match group.parse() {
        Ok(id) => groups::find(conn, id),
        Err(_) => Ok(None),
    }
}
