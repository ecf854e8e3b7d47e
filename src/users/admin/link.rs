//! Shows a user's link to Cognito in the admin.

use chrono::{Datelike, NaiveDateTime, Utc};

use crate::admin::model_admin::{Cell, Panel};
use crate::db::rows::Value;
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
    let actions = if user.cognito_sub.is_some() { vec!["unlink"] } else { Vec::new() };
    Panel { label: "Cognito link", facts, actions }
}
