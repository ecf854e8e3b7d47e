//! Which local user a token stands for.
//!
//! A local user is pinned to one Cognito user: issuer and `sub`, which never change and are never given
//! twice. An e-mail address is weaker: pools can let users set any address, and a deleted account's
//! address can be registered again. So an address decides once, under conditions, and never again.

use diesel::prelude::*;

use super::refusal::Refusal;
use super::token::Claims;
use crate::db::Connection;
use crate::error::Error;
use crate::history::{Actor, Source};
use crate::users::models::{self, NewUser, Origin, User};
use crate::users::validators;

/// What the operator allows.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether an e-mail that Cognito has not verified may link or create a user.
    pub link_unverified_email: bool,
    /// Whether the first token of an unknown user creates them.
    pub create_users: bool,
}

/// What a token's claims lead to.
#[derive(Debug)]
pub enum Match {
    /// The user is linked.
    Linked(User),
    /// This user has the e-mail and no link: to be linked now.
    Linkable(User),
    /// Nobody has the e-mail: to be created now.
    Creatable,
    /// Nobody may enter with this token.
    Refused(Refusal),
}

/// Finds whom the claims stand for. Changes nothing.
pub fn find(connection: &mut Connection, issuer: &str, claims: &Claims, policy: Policy) -> QueryResult<Match> {
    if let Some(user) = models::find_by_link(connection, issuer, &claims.sub)? {
        return Ok(if user.is_active { Match::Linked(user) } else { Match::Refused(Refusal::UserInactive) });
    }
    // An access token says what an app may do, not who somebody is: an e-mail that a trigger wrote into
    // one decides nothing.
    let is_id_token = claims.token_use.as_deref() == Some("id");
    let Some(email) = claims.email.as_deref().filter(|email| is_id_token && !email.is_empty()) else {
        return Ok(Match::Refused(Refusal::EmailMissing));
    };
    let refused = |refusal| Ok(Match::Refused(refusal));
    let may_decide = claims.email_verified || policy.link_unverified_email;
    // Before anything is looked up: an address that anybody can enter must not tell who is here.
    if !may_decide {
        return refused(Refusal::EmailUnverified);
    }
    match models::find_by_email(connection, email)? {
        Some(user) if !user.is_active => refused(Refusal::UserInactive),
        // Beyond ASCII, letters that look alike or fold to one another are different mailboxes.
        Some(user) if !user.email.eq_ignore_ascii_case(email) => refused(Refusal::EmailAmbiguous),
        Some(user) if user.cognito_sub.is_some() => refused(Refusal::EmailLinked),
        Some(user) => Ok(Match::Linkable(user)),
        None if !policy.create_users => refused(Refusal::UserUnknown),
        None if !validators::email(email).is_empty() => refused(Refusal::ClaimInvalid),
        None => Ok(Match::Creatable),
    }
}

/// Links or creates the user that the claims stand for, within the caller's transaction. Looks once
/// more, since another request may have come first.
pub fn find_or_link(connection: &mut Connection, issuer: &str, claims: &Claims, policy: Policy) -> Result<User, Error> {
    match find(connection, issuer, claims, policy)? {
        Match::Linked(user) => Ok(user),
        Match::Refused(refusal) => Err(refusal.into()),
        Match::Linkable(user) => {
            let actor = Actor::user(&user, Source::FirstToken);
            Ok(models::link(connection, &user, issuer, &claims.sub, &actor)?)
        }
        Match::Creatable => {
            let user = NewUser {
                username: username(connection, claims)?.ok_or(Refusal::ClaimInvalid)?,
                email: claims.email.clone().unwrap_or_default(),
                cognito: Some((issuer.to_owned(), claims.sub.clone())),
                ..NewUser::new(Origin::FirstToken)
            };
            models::create(connection, user, &Actor::system(Source::FirstToken))
        }
    }
}

/// The name in the pool, as long as it is free and keeps Django's rule; else the `sub`, which does and
/// nearly always is: a stranger may have taken it for a name, and must not keep its owner out with that.
fn username(connection: &mut Connection, claims: &Claims) -> QueryResult<Option<String>> {
    let name = claims.username.clone().unwrap_or_default();
    let numbered = (2..100).map(|n| format!("{}-{n}", claims.sub));
    for candidate in [name, claims.sub.clone()].into_iter().chain(numbered) {
        let candidate = validators::normalize_username(&candidate);
        if validators::username(&candidate).is_empty() && models::find_by_username(connection, &candidate)?.is_none() {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}
