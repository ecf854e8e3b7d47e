//! Shows a user's link to Cognito in the admin, and what the groups there give.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use diesel::QueryResult;

use crate::admin::model_admin::{Cell, Panel};
use crate::db::Connection;
use crate::db::rows::Value;
use crate::users::cognito_groups;
use crate::users::models::User;

/// `22 Nov`, or `22 Nov 2025` if it is not this year.
fn day(at: NaiveDateTime) -> String {
    let form = if at.year() == Utc::now().year() { "%-d %b" } else { "%-d %b %Y" };
    at.format(form).to_string()
}

/// Takes the values of `cognito_sub` and `last_seen_at`.
pub fn link_badge(values: &[Value]) -> Cell {
    let is_linked = values.first().is_some_and(|sub| !sub.is_null());
    match values.get(1).and_then(Value::as_time) {
        _ if !is_linked => Cell::Badge("quiet", "Not linked".to_owned(), String::new()),
        None => Cell::Badge("good", "Linked".to_owned(), "never seen".to_owned()),
        Some(at) => Cell::Badge("good", "Linked".to_owned(), format!("seen {}", day(at))),
    }
}

pub fn link_panel(user: &User) -> Panel {
    let seen = user.last_seen_at.map_or(Value::Null, Value::DateTime);
    let state = link_badge(&[user.cognito_sub.clone().map_or(Value::Null, Value::Text), seen]);
    let mut facts = vec![("State".into(), state)];
    if let (Some(sub), Some(issuer)) = (&user.cognito_sub, &user.cognito_issuer) {
        facts.push(("Subject (sub)".into(), Cell::Code(sub.clone())));
        facts.push(("Issuer".into(), Cell::Code(issuer.clone())));
        facts.push(("Linked".into(), user.linked_at.map_or(Cell::Empty, Cell::Time)));
        facts.push(("Last seen".into(), user.last_seen_at.map_or(Cell::Empty, Cell::Time)));
    }
    let refusals = format!("/admin/refusals/?user={}", user.id);
    facts.push(("".into(), Cell::Link(refusals, "Refused tokens and sign-ins".to_owned())));
    let actions = if user.cognito_sub.is_some() { vec!["unlink"] } else { Vec::new() };
    Panel { label: "Cognito link", facts, actions }
}

/// What groups of the pool have given; `None` if that is nothing.
pub fn groups_panel(conn: &mut Connection, user: &User) -> QueryResult<Option<Panel>> {
    let groups = cognito_groups::of_user(conn, user.id)?;
    let fact = |group: cognito_groups::MappedGroup| (group.name.into(), Cell::Code(group.cognito_group));
    let mut facts: Vec<_> = groups.into_iter().map(fact).collect();
    if user.staff_by_cognito {
        facts.push(("Staff".into(), Cell::Text("Given by Cognito".to_owned())));
    }
    if facts.is_empty() {
        return Ok(None);
    }
    let issued = user.cognito_groups_iat.and_then(|iat| DateTime::from_timestamp(iat, 0));
    facts.push(("Token issued".into(), issued.map_or(Cell::Empty, |at| Cell::Time(at.naive_utc()))));
    Ok(Some(Panel { label: "Groups from Cognito", facts, actions: Vec::new() }))
}
