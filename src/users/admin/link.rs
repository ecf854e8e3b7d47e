//! A user's link to Cognito as the admin shows it.

use chrono::{Datelike, NaiveDate, Utc};
use serde_json::Value;

use crate::admin::model_admin::{Cell, Panel};
use crate::users::models::User;

/// The day of a time as the database has it: `22 Nov`, in another year than this `22 Nov 2025`.
fn day(at: &str) -> String {
    let Some(date) = at.get(..10).and_then(|date| date.parse::<NaiveDate>().ok()) else { return at.to_owned() };
    let form = if date.year() == Utc::now().year() { "%-d %b" } else { "%-d %b %Y" };
    date.format(form).to_string()
}

/// Whether a user is linked, from the columns `cognito_sub` and `last_seen_at`.
pub fn link_badge(values: &[Value]) -> Cell {
    let text = |index: usize| values.get(index).and_then(Value::as_str);
    match (text(0), text(1)) {
        (None, _) => Cell::Badge("quiet", "Not linked".to_owned(), String::new()),
        (Some(_), None) => Cell::Badge("good", "Linked".to_owned(), "never seen".to_owned()),
        (Some(_), Some(at)) => Cell::Badge("good", "Linked".to_owned(), format!("seen {}", day(at))),
    }
}

/// The link, with its button.
pub fn link_panel(user: &User) -> Panel {
    let seen = user.last_seen_at.map(|at| Value::from(at.to_string())).unwrap_or_default();
    let state = link_badge(&[user.cognito_sub.clone().map(Value::from).unwrap_or_default(), seen]);
    let mut facts = vec![("State", state)];
    if let (Some(sub), Some(issuer)) = (&user.cognito_sub, &user.cognito_issuer) {
        facts.push(("Subject (sub)", Cell::Code(sub.clone())));
        facts.push(("Issuer", Cell::Code(issuer.clone())));
        facts.push(("Linked", user.linked_at.map_or(Cell::Empty, Cell::Time)));
        facts.push(("Last seen", user.last_seen_at.map_or(Cell::Empty, Cell::Time)));
    }
    let actions = if user.cognito_sub.is_some() { vec!["unlink"] } else { Vec::new() };
    Panel { label: "Cognito link", facts, actions }
}
