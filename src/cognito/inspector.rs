//! Explains why a token is refused: runs the checks in order, with the same verifier as requests.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::QueryResult;
use serde_json::Value;

use super::authentication::Authenticator;
use super::linking::{self, Identity, Match};
use super::service_accounts::Machine;
use super::token::Claims;
use crate::db::Connection;
use crate::error::{Error, Refusal};
use crate::users::cognito_groups::TokenGroups;

/// In the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Check {
    Form,
    Header,
    Key,
    Signature,
    Claims,
    Issuer,
    Kind,
    Client,
    Times,
    User,
}

/// Each check with its name and what it shows.
const CHECKS: [(Check, &str, &str); 10] = [
    (Check::Form, "form", "Three base64url parts that contain JSON"),
    (Check::Header, "header", "Header: alg is RS256, with no unsupported members"),
    (Check::Key, "key", "Key: kid is one of the pool's keys"),
    (Check::Signature, "signature", "Signature matches the key"),
    (Check::Claims, "claims", "Claims are present and well-formed"),
    (Check::Issuer, "iss", "Issuer (iss) is the pool"),
    (Check::Kind, "token_use", "Kind of token (token_use) is accepted"),
    (Check::Client, "client", "App client (aud or client_id) is accepted"),
    (Check::Times, "times", "Times (exp, nbf, iat, auth_time) agree with this server's clock"),
    (Check::User, "user", "Local user"),
];

impl Check {
    fn of(refusal: Refusal) -> Check {
        match refusal {
            Refusal::NoToken | Refusal::AuthorizationInvalid | Refusal::TokenTooLarge | Refusal::TokenMalformed => {
                Check::Form
            }
            Refusal::AlgorithmNotAllowed | Refusal::HeaderNotSupported | Refusal::KeyIdInvalid => Check::Header,
            Refusal::KeyUnknown | Refusal::KeysUnavailable => Check::Key,
            Refusal::SignatureInvalid => Check::Signature,
            Refusal::ClaimInvalid => Check::Claims,
            Refusal::IssuerNotAccepted => Check::Issuer,
            Refusal::IdTokenWanted | Refusal::AccessTokenWanted | Refusal::TokenUseInvalid => Check::Kind,
            Refusal::ClientNotAccepted => Check::Client,
            Refusal::TokenExpired | Refusal::TokenNotYetValid => Check::Times,
            Refusal::EmailMissing
            | Refusal::EmailUnverified
            | Refusal::EmailAmbiguous
            | Refusal::EmailLinked
            | Refusal::UserUnknown
            | Refusal::UserInactive
            | Refusal::ResourceServerUnset
            | Refusal::ServiceAccountUnknown
            | Refusal::ServiceAccountInactive => Check::User,
        }
    }
}

#[derive(Debug)]
pub struct Inspection {
    pub header: Option<Value>,
    pub claims: Option<Value>,
    is_machine: bool,
    /// The user or service account of the token, or the failed check and the reason.
    outcome: Result<String, (Check, Refusal)>,
    /// The groups of a token whose signature is good, and what each gives here.
    pub groups: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Passed,
    Failed,
    NotReached,
}

/// A check and how it ended.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: &'static str,
    pub label: &'static str,
    pub state: State,
    /// For a failed check, the reason and what to do; for the last one, the user or service account; otherwise empty.
    pub text: String,
    pub accepted: Option<String>,
}

impl Inspection {
    pub fn refusal(&self) -> Option<Refusal> {
        self.outcome.as_ref().err().map(|(_, refusal)| *refusal)
    }

    pub fn lines(&self, authenticator: &Authenticator) -> Vec<Line> {
        let line = |(check, name, label): (Check, &'static str, &'static str)| {
            let (state, text) = match &self.outcome {
                Err((failed, refusal)) if *failed == check => (State::Failed, refusal.detail().to_owned()),
                Err((failed, _)) if *failed < check => (State::NotReached, String::new()),
                Ok(user) if check == Check::User => (State::Passed, user.clone()),
                _ => (State::Passed, String::new()),
            };
            let accepted = if state == State::Failed { authenticator.accepted(check) } else { None };
            let label = if check == Check::User && self.is_machine { "Service account" } else { label };
            Line { name, label, state, text, accepted }
        };
        CHECKS.into_iter().map(line).collect()
    }
}

pub fn pasted_token(text: &str) -> &str {
    // Editors on Windows begin a file with a byte order mark.
    let text = text.trim_start_matches('\u{feff}').trim();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => text,
    }
}

impl Authenticator {
    /// Checks a token as if a request had sent it. Changes nothing.
    pub async fn inspect(&self, token: &str) -> Result<Inspection, Error> {
        let mut parts = token.split('.').map(decode);
        let (header, claims) = (parts.next().flatten(), parts.next().flatten());
        let verified = self.verifier.claims(token).await;
        let is_machine = verified.as_ref().is_ok_and(Claims::is_machine);
        let (outcome, groups) = match verified {
            Err(refusal) => (Err(refusal), Vec::new()),
            Ok(verified) => match Machine::of(&verified) {
                Some(machine) => (self.service_accounts.inspect(&self.db, machine).await?, Vec::new()),
                None => self.inspect_user(&verified).await?,
            },
        };
        let outcome = outcome.map_err(|refusal| (Check::of(refusal), refusal));
        Ok(Inspection { header, claims, is_machine, outcome, groups })
    }

    async fn inspect_user(&self, verified: &Claims) -> Result<(Result<String, Refusal>, Vec<(String, String)>), Error> {
        let (rules, identity) = (self.rules.clone(), Identity::from(verified));
        let groups = linking::groups(verified, &rules);
        let find = move |conn: &mut Connection| {
            let found = linking::find(conn, &rules, &identity)?;
            let groups = groups.map_or_else(|| Ok(Vec::new()), |groups| given(conn, &groups, &found))?;
            Ok((outcome(found), groups))
        };
        self.db.read(find).await
    }

    fn accepted(&self, check: Check) -> Option<String> {
        let pool = self.verifier.pool();
        match check {
            Check::Issuer => Some(pool.issuers.join(" or ")),
            Check::Client => Some(pool.client_ids.join(" or ")),
            _ => None,
        }
    }
}

fn outcome(found: Match) -> Result<String, Refusal> {
    match found {
        Match::Linked(user) => Ok(format!("{} (id {}), linked", user.username, user.id)),
        Match::Linkable(user) => Ok(format!("{} (id {}), linked by the next request", user.username, user.id)),
        Match::Creatable(email) => Ok(format!("{email}, created by the next request")),
        Match::Refused(refusal) => Err(refusal),
    }
}

fn given(conn: &mut Connection, groups: &TokenGroups, found: &Match) -> QueryResult<Vec<(String, String)>> {
    let mapped = groups.given(conn)?;
    let is_outdated = matches!(found, Match::Linked(user) if groups.is_outdated(user));
    let gives = |name: &String| {
        let group = mapped.iter().find(|group| group.cognito_group == *name).map(|group| group.name.clone());
        let staff = (groups.staff_group.as_deref() == Some(name)).then(|| "staff".to_owned());
        let gives = group.into_iter().chain(staff).collect::<Vec<_>>().join(", ");
        match (gives.as_str(), is_outdated) {
            ("", _) => "nothing".to_owned(),
            (_, true) => format!("{gives}, but a newer token counts"),
            _ => gives,
        }
    };
    Ok(groups.names.iter().map(|name| (name.clone(), gives(name))).collect())
}

fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
