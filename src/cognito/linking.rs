//! Which local user a token stands for.
//!
//! A local user is pinned to one Cognito user: issuer and `sub`, which never change and are never given
//! twice. An e-mail address is weaker: pools can let users set any address, and a deleted account's
//! address can be registered again. So an address decides once, under conditions, and never again.

use diesel::prelude::*;

use super::token::Claims;
use crate::db::Connection;
use crate::error::{Error, Refusal};
use crate::history::{Actor, Source};
use crate::users::models::{self, NewUser, Origin, User};
use crate::users::validators;

/// A user of the pool, as a token or the trigger's event describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user within the pool, for ever.
    pub sub: String,
    /// The user's name in the pool.
    pub username: Option<String>,
    /// The user's e-mail.
    pub email: Option<String>,
    /// Whether Cognito has verified the e-mail.
    pub email_verified: bool,
}

impl From<&Claims> for Identity {
    fn from(claims: &Claims) -> Identity {
        // An access token says what an app may do, not who somebody is: an e-mail that a trigger wrote into
        // one decides nothing.
        let is_id_token = claims.token_use.as_deref() == Some("id");
        Identity {
            sub: claims.sub.clone(),
            username: claims.username.clone(),
            email: claims.email.clone().filter(|_| is_id_token),
            email_verified: claims.email_verified,
        }
    }
}

/// Whether a user who is not there yet is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// No.
    Never,
    /// If they have an e-mail that may decide.
    WithEmail,
    /// Also without such an e-mail, and then with none.
    Always,
}

/// What is allowed, and by which way.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether an e-mail that Cognito has not verified may link or create a user.
    pub link_unverified_email: bool,
    /// Whether unknown users are created.
    pub creation: Creation,
    /// By which way the identity came, for the history and for a created user.
    pub origin: Origin,
}

/// What an identity leads to.
#[derive(Debug)]
pub enum Match {
    /// The user is linked.
    Linked(User),
    /// This user has the e-mail and no link: to be linked now.
    Linkable(User),
    /// Nobody has the e-mail: to be created now, with this e-mail.
    Creatable(String),
    /// Nobody may enter.
    Refused(Refusal),
}

/// What became of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The user was linked before.
    Known,
    /// A user with that e-mail is linked now.
    Linked,
    /// There is a new user.
    Created,
}

/// Finds whom an identity stands for. Changes nothing.
pub fn find(conn: &mut Connection, issuer: &str, identity: &Identity, policy: Policy) -> QueryResult<Match> {
    if let Some(user) = models::find_by_link(conn, issuer, &identity.sub)? {
        return Ok(if user.is_active { Match::Linked(user) } else { Match::Refused(Refusal::UserInactive) });
    }
    let refused = |refusal| Ok(Match::Refused(refusal));
    let Some(email) = identity.email.as_deref().filter(|email| !email.is_empty()) else {
        return match policy.creation {
            Creation::Always => Ok(Match::Creatable(String::new())),
            _ => refused(Refusal::EmailMissing),
        };
    };
    if !identity.email_verified && !policy.link_unverified_email {
        // With a token, anybody can enter an address: it must not tell who is here. The trigger may know, and
        // leaves a user with that address to whoever verifies it.
        let is_free = policy.creation == Creation::Always && models::find_by_email(conn, email)?.is_none();
        return if is_free { Ok(Match::Creatable(String::new())) } else { refused(Refusal::EmailUnverified) };
    }
    match models::find_by_email(conn, email)? {
        Some(user) if !user.is_active => refused(Refusal::UserInactive),
        // Beyond ASCII, letters that look alike or fold to one another are different mailboxes.
        Some(user) if !user.email.eq_ignore_ascii_case(email) => refused(Refusal::EmailAmbiguous),
        Some(user) if user.cognito_sub.is_some() => refused(Refusal::EmailLinked),
        Some(user) => Ok(Match::Linkable(user)),
        None if policy.creation == Creation::Never => refused(Refusal::UserUnknown),
        None if !validators::email(email).is_empty() => refused(Refusal::ClaimInvalid),
        None => Ok(Match::Creatable(email.to_owned())),
    }
}

/// Links or creates the user that an identity stands for, within the caller's transaction. Looks once
/// more, since another request may have come first.
pub fn find_or_link(
    conn: &mut Connection,
    issuer: &str,
    identity: &Identity,
    policy: Policy,
) -> Result<(Outcome, User), Error> {
    let source = Source::from(policy.origin);
    let (outcome, user) = match find(conn, issuer, identity, policy)? {
        Match::Linked(user) => (Outcome::Known, user),
        Match::Refused(refusal) => return Err(refusal.into()),
        Match::Linkable(user) => {
            let actor = user.actor(source);
            (Outcome::Linked, models::link(conn, &user, issuer, &identity.sub, &actor)?)
        }
        Match::Creatable(email) => {
            let user = NewUser {
                username: username(conn, identity)?.ok_or(Refusal::ClaimInvalid)?,
                email,
                cognito: Some((issuer.to_owned(), identity.sub.clone())),
                ..NewUser::new(policy.origin)
            };
            (Outcome::Created, models::create(conn, user, &Actor::system(source))?)
        }
    };
    Ok((outcome, user))
}

/// The name in the pool, as long as it is free and keeps Django's rule; else the `sub`, which does and
/// nearly always is: a stranger may have taken it for a name, and must not keep its owner out with that.
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
