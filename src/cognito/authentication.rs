//! [`Authenticator`]: finds the caller whom the token in a request's header stands for, who must be known and active.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use chrono::{NaiveDateTime, TimeDelta, Utc};
use prometheus::core::Collector;
use prometheus::{IntCounter, IntCounterVec};

use super::caller::Caller;
use super::linking::{self, Identity, Match, Rules};
use super::service_accounts::{ResourceServer, ServiceAccounts};
use super::token::Claims;
use super::verifier::{GoodToken, Subject, Verifier};
use crate::db::{Connection, Db, Remembered, Version};
use crate::error::{Error, Refusal};
use crate::http::caller::CallerId;
use crate::metrics;
use crate::users::cognito_groups::TokenGroups;
use crate::users::models::{self, User};
use crate::users::refusals::{Kind, Refusals, Who};
use crate::users::service_accounts;

const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

const REMEMBERED_USERS: usize = 10_000;

pub struct Authenticator {
    pub verifier: Verifier,
    pub(super) rules: Arc<Rules>,
    pub(super) db: Db,
    refusals: Option<Arc<Refusals>>,
    linked: Remembered<Arc<str>, Option<Linked>>,
    pub(super) service_accounts: ServiceAccounts,
    being_seen: Arc<Mutex<HashSet<CallerId>>>,
    verifications: IntCounterVec,
    accepted: IntCounter,
}

#[derive(Clone)]
struct Linked {
    user: Arc<User>,
    /// Whether any local group names a group of the pool.
    has_groups: bool,
}

impl Authenticator {
    pub fn new(verifier: Verifier, rules: Rules, resource_server: Option<ResourceServer>, db: Db) -> Authenticator {
        let verifications =
            metrics::counters("gatepost_token_verifications_total", "Verified tokens, by outcome.", &["outcome"]);
        let accepted = verifications.with_label_values(&["accepted"]);
        for refusal in Refusal::ALL {
            // Start all counters at 0, so that the first event shows as an increase.
            verifications.with_label_values(&[refusal.code()]);
        }
        let (linked, being_seen) = (Remembered::new(REMEMBERED_USERS), Arc::default());
        Authenticator {
            verifier,
            rules: Arc::new(rules),
            db,
            refusals: None,
            linked,
            service_accounts: ServiceAccounts::new(resource_server),
            being_seen,
            verifications,
            accepted,
        }
    }

    /// Records refused tokens there.
    pub fn with_refusals(self, refusals: Arc<Refusals>) -> Authenticator {
        Authenticator { refusals: Some(refusals), ..self }
    }

    pub fn collectors(&self) -> Vec<Box<dyn Collector>> {
        let mut collectors = self.verifier.jwks().collectors();
        collectors.push(Box::new(self.verifications.clone()));
        collectors.extend(self.refusals.as_ref().map(|refusals| refusals.collector()));
        collectors
    }

    /// The caller, and when they were read.
    pub(super) async fn authenticate(&self, headers: &HeaderMap) -> Result<(Caller, Option<Version>), Error> {
        let outcome = self.caller_of(headers).await;
        match &outcome {
            Ok(_) => self.accepted.inc(),
            Err(error) => self.verifications.with_label_values(&[error.code()]).inc(),
        }
        if let Err(Error::Refused(refusal)) = outcome {
            self.record(refusal, headers).await;
        }
        outcome
    }

    async fn record(&self, refusal: Refusal, headers: &HeaderMap) {
        let Some(refusals) = &self.refusals else { return };
        // Without a token nothing was refused, and without keys nothing was checked.
        if matches!(refusal, Refusal::NoToken | Refusal::KeysUnavailable) {
            return;
        }
        let claims = match bearer_token(headers) {
            Ok(token) if refusal.is_after_signature() => self.verifier.signed_claims(token).await,
            _ => None,
        };
        refusals.add(Kind::Token, refusal.code(), claims.as_ref().map_or(Who::Unknown, Who::from));
    }

    async fn caller_of(&self, headers: &HeaderMap) -> Result<(Caller, Option<Version>), Error> {
        let token = bearer_token(headers)?;
        let good = self.verifier.verify(token).await?;
        // Read after verification, which may have waited for keys.
        let version = self.db.recent_version();
        let caller = match &good.subject {
            Subject::User(sub) => {
                let linked = self.linked_user(sub, version).await?;
                Caller::User(self.user(token, linked, &good).await?)
            }
            Subject::Machine(machine) => {
                let account = self.service_accounts.account(&self.db, machine, version).await?;
                Caller::ServiceAccount { account, machine: machine.clone() }
            }
        };
        self.note_seen(&caller);
        Ok((caller, version))
    }

    async fn user(
        &self,
        token: &str,
        linked: Option<Linked>,
        GoodToken { iat, claims, .. }: &GoodToken,
    ) -> Result<Arc<User>, Error> {
        match linked {
            Some(linked) if !linked.user.is_active => Err(Refusal::UserInactive.into()),
            Some(linked) if !self.has_news(&linked, *iat, claims.is_some()) => Ok(linked.user),
            linked => {
                // A cached verification has no claims, and linking and groups need them.
                let claims = match claims {
                    Some(claims) => claims.clone(),
                    None => self.verifier.claims(token).await?,
                };
                match linked {
                    Some(linked) => self.take_groups(linked.user, &claims).await,
                    None => Ok(Arc::new(self.link(&claims).await?)),
                }
            }
        }
    }

    /// Whether the groups of a token have to be looked at. It is decided by what has been taken, not by whether the token
    /// was seen before: a request may have ended before it took them.
    fn has_news(&self, Linked { user, has_groups }: &Linked, iat: Option<i64>, is_new: bool) -> bool {
        let matters = *has_groups || self.rules.staff_group.is_some() || user.staff_by_cognito;
        matters && (iat > user.cognito_groups_iat || (is_new && iat == user.cognito_groups_iat))
    }

    /// Waits for the database only if what the user may do changes.
    async fn take_groups(&self, user: Arc<User>, claims: &Claims) -> Result<Arc<User>, Error> {
        let Some(groups) = linking::groups(claims, &self.rules) else { return Ok(user) };
        let (asked, known) = (groups.clone(), user.clone());
        if self.db.read_here(move |conn| Ok(asked.would_change(conn, &known)?)).await? {
            return self.db.write(move |conn| groups.take(conn, &user)).await.map(Arc::new);
        }
        if Some(groups.iat) > user.cognito_groups_iat {
            self.take_later(groups, user.clone());
        }
        Ok(user)
    }

    /// The groups of a newer token are taken even if they change nothing, so that no older one brings anything back.
    fn take_later(&self, groups: TokenGroups, user: Arc<User>) {
        let (db, id) = (self.db.clone(), user.id);
        tokio::spawn(async move {
            if let Err(error) = db.write(move |conn: &mut Connection| groups.take(conn, &user)).await {
                log::warn!("the groups of user {id} were not taken: {}", error.logged());
            }
        });
    }

    /// Checked for every request, so that changes in the admin apply at once.
    async fn linked_user(&self, sub: &Arc<str>, version: Option<Version>) -> Result<Option<Linked>, Error> {
        let read = async || {
            let (rules, sub) = (self.rules.clone(), sub.clone());
            let find = move |conn: &mut Connection| Ok(models::find_by_link_with_groups(conn, &rules.issuer, &sub)?);
            let found = self.db.read_one(find).await?;
            Ok(found.map(|(user, has_groups)| Linked { user: Arc::new(user), has_groups }))
        };
        self.linked.get_or_read(&self.db, version, sub, read).await
    }

    async fn link(&self, claims: &Claims) -> Result<User, Error> {
        let (rules, identity) = (self.rules.clone(), Identity::from(claims));
        let find = move |conn: &mut Connection| Ok((linking::find(conn, &rules, &identity)?, rules, identity));
        match self.db.read(find).await? {
            (Match::Refused(refusal), ..) => Err(refusal.into()),
            (_, rules, identity) => {
                let groups = linking::groups(claims, &rules);
                self.db.write(move |conn| linking::enter(conn, &rules, &identity, groups.as_ref())).await
            }
        }
    }

    /// Writes in the background: the request does not wait.
    fn note_seen(&self, caller: &Caller) {
        let (now, id) = (Utc::now().naive_utc(), caller.id());
        let is_recent = caller.last_seen_at().is_some_and(|seen| now - seen < SEEN_EVERY);
        if is_recent || !self.being_seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            return;
        }
        let (db, being_seen) = (self.db.clone(), self.being_seen.clone());
        tokio::spawn(async move {
            if let Err(error) = write_seen(&db, id, now).await {
                log::warn!("last_seen_at of {id} was not written: {}", error.logged());
            }
            being_seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
    }
}

async fn write_seen(db: &Db, id: CallerId, now: NaiveDateTime) -> Result<(), Error> {
    let write = move |conn: &mut Connection| match id {
        CallerId::User(id) => Ok(models::set_last_seen(conn, id, now)?),
        CallerId::ServiceAccount(id) => Ok(service_accounts::set_last_seen(conn, id, now)?),
    };
    db.write(write).await
}

/// After the scheme `Bearer` (RFC 6750), or alone, as the Django project accepts it.
pub fn bearer_token(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION);
    let (value, more) = (values.next().ok_or(Refusal::NoToken)?, values.next());
    let (Ok(value), None) = (str::from_utf8(value.as_bytes()), more) else { return Err(Refusal::AuthorizationInvalid) };
    let value = value.trim_matches(' ');
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start_matches(' '),
        Some(_) => return Err(Refusal::AuthorizationInvalid),
        None => value,
    };
    // No early exit: without one, the compiler vectorizes the loop, and tokens are long.
    let is_odd = token.bytes().fold(false, |is_odd, byte| is_odd | !byte.is_ascii_graphic() | (byte == b','));
    if token.is_empty() || is_odd || token.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::AuthorizationInvalid);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cognito::jwks::Jwks;
    use crate::cognito::linking::Creation;
    use crate::cognito::local_pool::{LocalPool, TokenRequest};
    use crate::cognito::signatures::tests::VERIFICATIONS;
    use crate::cognito::user_pool::TokenUse;
    use crate::db::DatabaseUrl;
    use crate::users::models::Origin;

    #[tokio::test]
    async fn a_token_is_verified_once_even_if_it_is_the_first_of_its_user() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let pool = LocalPool::open(&folder.path().join("keys")).expect("a pool");
        let (db, _) = Db::open(&DatabaseUrl::Sqlite(folder.path().join("db.sqlite3"))).expect("a database");
        let keys = Jwks::fixed(pool.key_set());
        let verifier = Verifier::new(pool.user_pool(), TokenUse::Id, Duration::from_secs(30), keys);
        let rules = Rules {
            issuer: pool.user_pool().issuer().to_owned(),
            staff_group: None,
            link_unverified_email: false,
            creation: Creation::WithEmail,
            origin: Origin::FirstToken,
        };
        let authenticator = Authenticator::new(verifier, rules, None, db);
        let email = "alice@example.com".to_owned();
        let request = TokenRequest::new(email);
        let tokens = [pool.token(&request).expect("a token"), pool.token(&request).expect("a token")];
        let before = VERIFICATIONS.get();
        for (token, expected) in [(&tokens[0], 1), (&tokens[0], 1), (&tokens[1], 2), (&tokens[1], 2)] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, token.parse().expect("a header"));
            let (caller, _) = authenticator.authenticate(&headers).await.expect("a user");
            assert!(matches!(caller, Caller::User(user) if user.email == "alice@example.com"));
            assert_eq!(VERIFICATIONS.get() - before, expected);
        }
    }
}
