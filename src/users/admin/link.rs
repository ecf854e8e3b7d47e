//! Shows a user's link to Cognito in the admin, and what the groups there give.

use chrono::{DateTime, NaiveDateTime};
use diesel::QueryResult;

use crate::admin::model_admin::{Cell, Panel};
use crate::db::Connection;
use crate::db::rows::Value;
use crate::users::cognito_groups;
use crate::users::models::User;

/// Takes the values of `cognito_sub` and `last_seen_at`.
pub fn link_badge(values: &[Value]) -> Cell {
    badge(values.first().is_some_and(|sub| !sub.is_null()), values.get(1).and_then(Value::as_time))
}

pub fn badge(is_linked: bool, seen: Option<NaiveDateTime>) -> Cell {
    match seen {
        _ if !is_linked => Cell::Badge("quiet", "Not linked".to_owned(), String::new()),
        None => Cell::Badge("good", "Linked".to_owned(), "never seen".to_owned()),
        Some(at) => Cell::Badge("good", "Linked".to_owned(), format!("seen {}", at.date())),
    }
}

/// The starts of region names, with the domain of their partition's console.
const CONSOLES: [(&str, &str); 3] = [
    ("cn-", "console.amazonaws.cn"),
    ("us-gov-", "console.amazonaws-us-gov.com"),
    ("eusc-", "console.amazonaws-eusc.eu"),
];

/// The user in the AWS console; `None` if the issuer is no user pool of AWS, or one in an isolated partition.
fn console_url(issuer: &str, sub: &str) -> Option<String> {
    let (host, pool) = issuer.strip_prefix("https://")?.split_once('/')?;
    // The local pool's region, `local`, has no hyphen.
    let (region, _) = pool.split_once('_').filter(|(region, _)| region.contains('-'))?;
    let domain = host.strip_prefix("issuer-").unwrap_or(host).strip_prefix(&format!("cognito-idp.{region}."))?;
    let known = CONSOLES.iter().find(|(start, _)| region.starts_with(start)).map(|(_, console)| *console);
    let console = known.or((domain == "amazonaws.com").then_some("console.aws.amazon.com"))?;
    let sub: String = form_urlencoded::byte_serialize(sub.as_bytes()).collect();
    Some(format!(
        "https://{region}.{console}/cognito/v2/idp/user-pools/{pool}/user-management/users/details/{sub}?region={region}"
    ))
}

pub fn link_panel(user: &User) -> Panel {
    let mut facts = vec![("State".into(), badge(user.cognito_sub.is_some(), user.last_seen_at))];
    if let (Some(sub), Some(issuer)) = (&user.cognito_sub, &user.cognito_issuer) {
        facts.push(("Subject (sub)".into(), Cell::Copied(sub.clone())));
        facts.push(("Issuer".into(), Cell::Copied(issuer.clone())));
        if let Some(console) = console_url(issuer, sub) {
            facts.push(("".into(), Cell::Link(console, "Open in the AWS console".to_owned())));
        }
        facts.push(("Linked".into(), user.linked_at.map_or(Cell::Empty, Cell::Time)));
        facts.push(("Last seen".into(), user.last_seen_at.map_or(Cell::Empty, Cell::Time)));
    }
    let refusals = format!("/admin/refusals/?user={}", user.id);
    facts.push(("".into(), Cell::Link(refusals, "Refused tokens and sign-ins".to_owned())));
    Panel { label: "Cognito link", facts }
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
    Ok(Some(Panel { label: "Groups from Cognito", facts }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_console() {
        let path = |region: &str| {
            format!("/cognito/v2/idp/user-pools/{region}_Ab1/user-management/users/details/a-b?region={region}")
        };
        for (host, region, console) in [
            ("cognito-idp.eu-west-1.amazonaws.com", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
            ("issuer-cognito-idp.eu-west-1.amazonaws.com", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
            ("cognito-idp.us-gov-west-1.amazonaws.com", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
            ("cognito-idp.cn-north-1.amazonaws.com.cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
            ("cognito-idp.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
        ] {
            let url = console_url(&format!("https://{host}/{region}_Ab1"), "a-b");
            assert_eq!(url.as_deref(), Some(format!("https://{console}{}", path(region)).as_str()));
        }
        for issuer in [
            "http://127.0.0.1:8000/local-pool",
            "https://cognito-idp.us-iso-east-1.c2s.ic.gov/us-iso-east-1_Ab1",
            "https://cognito-idp.eu-west-1.amazonaws.com.evil.example/eu-west-1_Ab1",
            "https://cognito-idp.local.amazonaws.com/local_Ab1",
            "https://id.example.com/eu-west-1_Ab1",
            "issuer",
        ] {
            assert_eq!(console_url(issuer, "a-b"), None, "{issuer}");
        }
    }
}
