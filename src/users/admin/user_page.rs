//! What the pages of a user show besides the form: the header, and the permissions in effect.

use diesel::QueryResult;

use super::link;
use crate::admin::model_admin::{Cell, Header, HeaderAction, Options, Panel, permissions};
use crate::db::Connection;
use crate::db::rows::Value;
use crate::users::models::User;
use crate::users::permissions::{GivenBy, with_givers};

pub fn badges(user: &User) -> Vec<Cell> {
    let badge = |tone, word: &str| Cell::Badge(tone, word.to_owned(), String::new());
    let active = if user.is_active { badge("good", "Active") } else { badge("bad", "Inactive") };
    let staff = user.is_staff.then(|| badge("info", "Staff"));
    let superuser = user.is_superuser.then(|| badge("warn", "Superuser"));
    let link = link::badge(user.cognito_sub.is_some(), user.last_seen_at);
    [active].into_iter().chain(staff).chain(superuser).chain([link]).collect()
}

/// What is not so of most users, in a list. Takes the values of `is_active`, `is_staff`, `is_superuser` and
/// `cognito_sub`.
pub fn exceptions(values: &[Value]) -> Cell {
    let flag = |at: usize| values.get(at).and_then(Value::as_bool) == Some(true);
    let known = [
        (!flag(0), ("bad", "Inactive")),
        (flag(2), ("warn", "Superuser")),
        (flag(1) && !flag(2), ("info", "Staff")),
        (values.get(3).is_none_or(Value::is_null), ("off", "Not linked")),
    ];
    let badges: Vec<_> = known.into_iter().filter(|(is_so, _)| *is_so).map(|(_, badge)| badge).collect();
    if badges.is_empty() { Cell::Empty } else { Cell::Badges(badges) }
}

/// All actions on a user, in the order of their buttons. `is_other`: not the reader; `may_reset` is for the second factor.
pub fn header(user: &User, may_change: bool, is_other: bool, may_reset: bool) -> Header {
    let url = |page: &str| format!("/admin/users/{}/{page}", user.id);
    let action = |is_offered: bool, label, page: &str, icon, kind| {
        is_offered.then(|| HeaderAction { label, url: url(page), icon, kind })
    };
    let is_linked = user.cognito_sub.is_some();
    let may_deactivate = may_change && is_other && user.is_active;
    let actions = [
        action(may_change, "Change password", "password/", "key", ""),
        action(may_deactivate, "Deactivate", "action/?action=deactivate", "minus", "danger"),
        action(may_change && !user.is_active, "Activate", "action/?action=activate", "check", ""),
        action(may_change && may_reset, "Reset second factor", "action/?action=reset_second_factor", "lock", "danger"),
        action(may_change && is_linked, "Unlink", "action/?action=unlink", "unlink", "danger"),
    ];
    let name = format!("{} {}", user.first_name, user.last_name);
    let lead: Vec<&str> = [name.trim(), &user.email].into_iter().filter(|text| !text.is_empty()).collect();
    Header { lead: lead.join(" · "), badges: badges(user), actions: actions.into_iter().flatten().collect() }
}

pub fn permissions_panel(conn: &mut Connection, models: &[&Options], user: &User) -> QueryResult<Panel> {
    let mut facts = Vec::new();
    if !user.is_active {
        facts.push(("In effect".into(), Cell::Text("None: the user is inactive".to_owned())));
    }
    if user.is_superuser {
        facts.push(("All permissions".into(), Cell::Text("Superuser".to_owned())));
    }
    let known = permissions(models);
    for (permission, givers) in with_givers(conn, user.id)? {
        let label = known.iter().find(|choice| choice.value == permission).map(|choice| choice.label.clone());
        let givers: Vec<String> = givers.iter().map(giver).collect();
        facts.push((label.unwrap_or(permission).into(), Cell::Text(givers.join(", "))));
    }
    if !facts.is_empty() && user.is_active && !user.is_staff {
        facts.insert(0, ("In the admin".into(), Cell::Text("None: not staff, so cannot enter the admin".to_owned())));
    }
    if facts.is_empty() {
        facts.push(("Permissions".into(), Cell::Text("None".to_owned())));
    }
    Ok(Panel { label: "Effective permissions", facts })
}

fn giver(giver: &GivenBy) -> String {
    match giver {
        GivenBy::Hand => "Directly".to_owned(),
        GivenBy::Group(name) => format!("Group {name}"),
        GivenBy::CognitoGroup(name) => format!("Group {name} through Cognito"),
    }
}
