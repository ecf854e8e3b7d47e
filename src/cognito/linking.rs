//! Finds the local user of a token. Issuer and `sub` make the link: they never change and are never reused. An e-mail
//! address is weaker: pools can let users set any address, and a deleted account's address can be registered again. So
//! it is used once, under conditions, to create the link.

use std::sync::Arc;

use diesel::prelude::*;

use super::token::Claims;
use crate::db::Connection;
use crate::error::{Error, Refusal};
use crate::history::{Actor, Source};
use crate::users::cognito_groups::TokenGroups;
use crate::users::models::{self, NewUser, Origin, User};
use crate::users::refusals::Who;
use crate::users::validators;

/// Cognito's have 36 characters.
pub const MAX_SUB_CHARS: usize = 255;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub sub: String,
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
}

impl From<&Claims> for Identity {
    fn from(claims: &Claims) -> Identity {
        // An access token authorizes, it does not identify: an e-mail that a trigger has put into one is ignored.
        let is_id_token = claims.token_use.as_deref() == Some("id");
        Identity {
            sub: claims.sub.clone(),
            username: claims.username.clone(),
            email: claims.email.clone().filter(|_| is_id_token),
            email_verified: claims.email_verified,
        }
    }
}

impl From<&Claims> for Who {
    fn from(claims: &Claims) -> Who {
        let Identity { sub, email, .. } = Identity::from(claims);
        Who::Cognito { sub, email }
    }
}

/// Whether a text can be a `sub`. PostgreSQL takes no NUL.
pub fn is_sub(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_SUB_CHARS && !text.contains('\0')
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    Never,
    WithEmail,
    /// Without such an e-mail, the user is created with none.
    Always,
}

/// What decides about a user, besides the pool.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Users are linked under it.
    pub issuer: String,
    /// The group of the pool whose members are staff.
    pub staff_group: Option<Arc<str>>,
    /// Applies to linking and to creating users.
    pub link_unverified_email: bool,
    pub creation: Creation,
    pub origin: Origin,
}

#[derive(Debug)]
pub enum Match {
    Linked(User),
    Linkable(User),
    Creatable(String),
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Known,
    Linked,
    Created,
}

/// Changes nothing.
pub fn find(conn: &mut Connection, rules: &Rules, identity: &Identity) -> QueryResult<Match> {
    if let Some(user) = models::find_by_link(conn, &rules.issuer, &identity.sub)? {
        return Ok(if user.is_active { Match::Linked(user) } else { Match::Refused(Refusal::UserInactive) });
    }
    let refused = |refusal| Ok(Match::Refused(refusal));
    let Some(email) = identity.email.as_deref().filter(|email| !email.is_empty()) else {
        return match rules.creation {
            Creation::Always => Ok(Match::Creatable(String::new())),
            _ => refused(Refusal::EmailMissing),
        };
    };
    if !identity.email_verified && !rules.link_unverified_email {
        // Anyone can put an address into a token, so a response must not reveal whether a user with it exists. The
        // trigger may know; it leaves that user to the person who verifies the address.
        let is_free = rules.creation == Creation::Always && models::find_by_email(conn, email)?.is_none();
        return if is_free { Ok(Match::Creatable(String::new())) } else { refused(Refusal::EmailUnverified) };
    }
    match models::find_by_email(conn, email)? {
        Some(user) if !user.is_active => refused(Refusal::UserInactive),
        // Non-ASCII letters that fold to the same letter may be different mailboxes.
        Some(user) if !user.has_email(email) => refused(Refusal::EmailAmbiguous),
        Some(user) if user.cognito_sub.is_some() => refused(Refusal::EmailLinked),
        Some(user) => Ok(Match::Linkable(user)),
        None if rules.creation == Creation::Never => refused(Refusal::UserUnknown),
        None if !validators::email(email).is_empty() => refused(Refusal::ClaimInvalid),
        None => Ok(Match::Creatable(email.to_owned())),
    }
}

/// Runs in the caller's transaction. Searches again, because another request may have been first.
pub fn find_or_link(conn: &mut Connection, rules: &Rules, identity: &Identity) -> Result<(Outcome, User), Error> {
    let source = Source::from(rules.origin);
    let (outcome, user) = match find(conn, rules, identity)? {
        Match::Linked(user) => (Outcome::Known, user),
        Match::Refused(refusal) => return Err(refusal.into()),
        Match::Linkable(user) => {
            let actor = user.actor(source);
            (Outcome::Linked, models::link(conn, &user, &rules.issuer, &identity.sub, &actor)?)
        }
        Match::Creatable(email) => {
            let user = NewUser {
                username: username(conn, identity)?.ok_or(Refusal::ClaimInvalid)?,
                email,
                cognito: Some((rules.issuer.clone(), identity.sub.clone())),
                ..NewUser::new(rules.origin)
            };
            (Outcome::Created, models::create(conn, user, &Actor::system(source))?)
        }
    };
    Ok((outcome, user))
}

/// [`find_or_link`] for a verified token, whose groups are taken, too.
pub fn enter(
    conn: &mut Connection,
    rules: &Rules,
    identity: &Identity,
    groups: Option<&TokenGroups>,
) -> Result<User, Error> {
    let (_, user) = find_or_link(conn, rules, identity)?;
    match groups {
        Some(groups) => groups.take(conn, &user),
        None => Ok(user),
    }
}

/// The groups of a verified token. Those of a token without `iat` are not taken: it could be older than any other.
pub fn groups(claims: &Claims, rules: &Rules) -> Option<TokenGroups> {
    let staff_group = rules.staff_group.clone();
    claims.iat.map(|iat| TokenGroups { names: claims.groups.clone(), iat, staff_group, source: Source::Cognito })
}

/// The username in the pool if it is free and valid in Django, otherwise the `sub`, numbered if necessary: a stranger
/// who registers that `sub` as a username must not lock out its owner.
fn username(conn: &mut Connection, identity: &Identity) -> QueryResult<Option<String>> {
    let name = identity.username.clone().unwrap_or_default();
    let numbered = (2..100).map(|n| format!("{}-{n}", identity.sub));
    for candidate in [name, identity.sub.clone()].into_iter().chain(numbered) {
        let candidate = validators::normalize_username(&candidate);
        if validators::username(&candidate).is_empty() && models::find_by_username(conn, &candidate)?.is_none() {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}
