//! What the pool says of a user, next to what is here, and what becomes of each difference.

use std::collections::BTreeSet;

use crate::cognito::pool_api::{PoolUser, UserStatus};
use crate::db::Connection;
use crate::error::Error;
use crate::users::cognito_groups::{self, TokenGroups};
use crate::users::models::User;

pub struct Line {
    pub label: &'static str,
    pub here: String,
    pub in_pool: String,
    pub is_different: bool,
    /// A sentence, or empty.
    pub effect: String,
}

/// `groups`: the user's in the pool, or why they are not known.
pub fn compare(
    conn: &mut Connection,
    user: &User,
    in_pool: &PoolUser,
    groups: Result<TokenGroups, String>,
) -> Result<[Line; 7], Error> {
    let groups = match groups {
        Ok(groups) => groups_line(conn, user, groups)?,
        Err(problem) => Line { effect: problem, ..line("Groups", "", "") },
    };
    Ok([
        line("Username", user.username.clone(), in_pool.identity.username.clone().unwrap_or_default()),
        email(user, in_pool),
        verified(in_pool),
        active(user, in_pool),
        status(in_pool),
        line("Subject (sub)", user.cognito_sub.clone().unwrap_or_default(), in_pool.identity.sub.clone()),
        groups,
    ])
}

fn line(label: &'static str, here: impl Into<String>, in_pool: impl Into<String>) -> Line {
    Line { label, here: here.into(), in_pool: in_pool.into(), is_different: false, effect: String::new() }
}

fn email(user: &User, in_pool: &PoolUser) -> Line {
    let theirs = in_pool.identity.email.clone().unwrap_or_default();
    if user.has_email(&theirs) || (user.email.is_empty() && theirs.is_empty()) {
        return line("E-mail", user.email.clone(), theirs);
    }
    let effect = "Nothing changes by itself: the link goes by the sub. Correct the wrong one.".to_owned();
    Line { is_different: true, effect, ..line("E-mail", user.email.clone(), theirs) }
}

fn verified(in_pool: &PoolUser) -> Line {
    let is_verified = in_pool.identity.email_verified;
    let effect = if is_verified { "" } else { "The link stays. After Unlink, this e-mail would not link again." };
    Line { effect: effect.to_owned(), ..line("E-mail verified", "", yes(is_verified)) }
}

fn active(user: &User, in_pool: &PoolUser) -> Line {
    let effect = match (user.is_active, in_pool.is_enabled) {
        (true, false) => "The next sync deactivates the user, unless it is the last active superuser.",
        (false, true) if user.deactivated_by_sync => "The next sync activates the user again.",
        (false, true) => "The user stays deactivated here: staff did that, not the sync.",
        _ => "",
    };
    let is_different = user.is_active != in_pool.is_enabled;
    let line = line("Active, or enabled", yes(user.is_active), yes(in_pool.is_enabled));
    Line { is_different, effect: effect.to_owned(), ..line }
}

fn status(in_pool: &PoolUser) -> Line {
    let (word, effect) = match in_pool.status {
        UserStatus::Unconfirmed => ("Unconfirmed", "The user has not confirmed the sign-up, and cannot sign in yet."),
        UserStatus::Confirmed => ("Confirmed", ""),
        UserStatus::ExternalProvider => ("External provider", "The user signs in with another identity provider."),
        UserStatus::ResetRequired => ("Reset required", "The user must choose a new password at the next sign-in."),
        UserStatus::ForceChangePassword => ("Invited", "The user has not used the invitation yet."),
        UserStatus::Other => ("Other", ""),
    };
    Line { effect: effect.to_owned(), ..line("Status", "", word) }
}

/// Here are the local groups that the pool has given.
fn groups_line(conn: &mut Connection, user: &User, groups: TokenGroups) -> Result<Line, Error> {
    let names = |groups: Vec<cognito_groups::MappedGroup>| -> BTreeSet<String> {
        groups.into_iter().map(|group| group.name).collect()
    };
    let (old, new) = (names(cognito_groups::of_user(conn, user.id)?), names(groups.given(conn)?));
    let gains = new.difference(&old).map(|name| format!("+ {name}"));
    let mut changes: Vec<String> = gains.chain(old.difference(&new).map(|name| format!("- {name}"))).collect();
    match (groups.makes_staff(), user.is_staff, user.staff_by_cognito) {
        (true, false, _) if !user.is_superuser => changes.push("+ staff".to_owned()),
        (false, _, true) => changes.push("- staff".to_owned()),
        _ => {}
    }
    let is_different = !changes.is_empty();
    let effect =
        if is_different { format!("The next token or sync changes: {}.", changes.join(", ")) } else { String::new() };
    let here = old.into_iter().collect::<Vec<_>>().join(", ");
    Ok(Line { is_different, effect, ..line("Groups", here, groups.names.join(", ")) })
}

fn yes(flag: bool) -> &'static str {
    if flag { "Yes" } else { "No" }
}
