//! actix-session over the table `sessions`: the cookie has only a signed random key; the state ends with the session.

use std::collections::HashMap;
use std::sync::Arc;

use actix_session::config::{CookieContentSecurity, PersistentSession};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieJar, Key, SameSite};
use actix_web::http::header;
use chrono::DateTime;

use super::proof::Proof;
use crate::admin::model_admin::Staff;
use crate::crypto::{fingerprint, random_token};
use crate::db::{Connection, Db, Remembered};
use crate::error::Error;
use crate::http::client_address::client_address;
use crate::http::cookies::{self, Cookies};
use crate::http::header_values::text;
use crate::users::models::{self, User};
use crate::users::permissions::Rights;
use crate::users::second_factor::{self, Required};
use crate::users::sessions::{self, NewSession, SessionLimits};

const MAX_USER_AGENT_CHARS: usize = 200;
/// A few kilobytes each.
const REMEMBERED_SESSIONS: usize = 1_000;

// The values in a session. The first four are columns, the others are in `state`.
const KEY_HASH: &str = "key_hash";
const USER_ID: &str = "user_id";
const ADDRESS: &str = "address";
const USER_AGENT: &str = "user_agent";
/// When the user signed in, in Unix seconds, if that was before the session began.
const SINCE: &str = "since";
/// A fingerprint of the password at sign-in, as in Django: a new password ends all older sessions.
const AUTH_HASH: &str = "auth_hash";
const PROOF: &str = "proof";
const CSRF_TOKEN: &str = "csrf_token";
pub const MESSAGES: &str = "messages";

#[derive(Clone)]
pub struct DatabaseSessions {
    db: Db,
    limits: SessionLimits,
    required: Required,
    found: Arc<Remembered<String, Option<Arc<Found>>>>,
}

pub struct Found {
    session: sessions::Session,
    state: State,
    /// `None`: nobody, or a user who has lost access.
    signed_in: Option<Arc<SignedIn>>,
}

pub struct SignedIn {
    pub id: i64,
    pub csrf_token: String,
    pub staff: Arc<Staff>,
    pub proof: Proof,
    /// Whether the user may only set up a second factor.
    pub must_enrol: bool,
}

/// Each value as JSON.
pub type State = HashMap<String, String>;

pub fn middleware(store: DatabaseSessions, cookies: Cookies, key: Key) -> SessionMiddleware<DatabaseSessions> {
    let age = Duration::seconds(store.limits.max.as_secs() as i64);
    SessionMiddleware::builder(store, key)
        .cookie_name(cookies.name(cookies::SESSION))
        .cookie_content_security(CookieContentSecurity::Signed)
        .cookie_secure(cookies.secure)
        .cookie_same_site(SameSite::Lax)
        .session_lifecycle(PersistentSession::default().session_ttl(age))
        .build()
}

pub fn signed_key(cookie: Cookie<'static>, key: &Key) -> Option<SessionKey> {
    let (name, mut jar) = (cookie.name().to_owned(), CookieJar::new());
    jar.add_original(cookie);
    SessionKey::try_from(jar.signed(key).get(&name)?.value().to_owned()).ok()
}

impl DatabaseSessions {
    pub fn new(db: Db, limits: SessionLimits, required: Required) -> DatabaseSessions {
        DatabaseSessions { db, limits, required, found: Arc::new(Remembered::strict(REMEMBERED_SESSIONS)) }
    }

    /// `None` if the session is over. Records that it is in use.
    async fn visit(&self, key: &SessionKey) -> Result<Option<Arc<Found>>, Error> {
        let found = self.find(fingerprint(key.as_ref())).await?;
        if let Some(Found { session, .. }) = found.as_deref().filter(|found| found.session.is_seen_late(&self.limits)) {
            let id = session.id;
            // Pages work even if nothing can be written.
            let noted = self.db.write(move |conn| Ok(sessions::set_last_seen(conn, id)?)).await;
            if let Err(error) = noted {
                log::warn!("cannot record the use of a session: {}", error.logged());
            }
        }
        Ok(found)
    }

    async fn find(&self, key_hash: String) -> Result<Option<Arc<Found>>, Error> {
        let version = self.db.version();
        let found = match self.found.known(version, &key_hash) {
            Some(found) => found,
            None => {
                let hash = key_hash.clone();
                let required = self.required;
                let found =
                    self.db.read_here(move |conn| Ok(Found::read(conn, &hash, required)?.map(Arc::new))).await?;
                self.found.keep(&self.db, version, key_hash, &found);
                found
            }
        };
        Ok(found.filter(|found| !found.session.is_over(&self.limits)))
    }

    pub async fn signed_in_by(&self, key: &SessionKey) -> Result<Option<Arc<SignedIn>>, Error> {
        Ok(self.visit(key).await?.and_then(|found| found.signed_in.clone()))
    }

    pub async fn signed_in(&self, session: &Session) -> Result<Option<Arc<SignedIn>>, Error> {
        let Some(key_hash) = get(&session.entries(), KEY_HASH) else { return Ok(None) };
        Ok(self.find(key_hash).await?.and_then(|found| found.signed_in.clone()))
    }

    /// Whether the session with this key signs somebody in.
    pub async fn is_signed_in(&self, key: &SessionKey) -> Result<bool, Error> {
        let found = self.find(fingerprint(key.as_ref())).await?;
        Ok(found.is_some_and(|found| found.signed_in.is_some()))
    }

    async fn create(&self, mut state: State) -> Result<SessionKey, Error> {
        let key = random_token()?;
        state.remove(KEY_HASH);
        let (user_id, address, user_agent) =
            (take(&mut state, USER_ID)?, take(&mut state, ADDRESS)?, take(&mut state, USER_AGENT)?);
        let since = take::<Option<i64>>(&mut state, SINCE)?.and_then(|since| DateTime::from_timestamp(since, 0));
        let since = since.map(|since| since.naive_utc());
        let new =
            NewSession { key_hash: fingerprint(&key), user_id, state: encode(&state)?, address, user_agent, since };
        let limits = self.limits;
        self.db.write(move |conn| Ok(sessions::create(conn, new, &limits)?)).await?;
        SessionKey::try_from(key).map_err(|error| Error::Internal(error.to_string()))
    }

    async fn replace(&self, key: &SessionKey, mut state: State) -> Result<(), Error> {
        state.retain(|name, _| ![KEY_HASH, USER_ID, ADDRESS, USER_AGENT, SINCE].contains(&name.as_str()));
        let (key_hash, state) = (fingerprint(key.as_ref()), encode(&state)?);
        self.db.write(move |conn| Ok(sessions::set_state(conn, &key_hash, &state)?)).await
    }

    async fn end(&self, key: &SessionKey) -> Result<(), Error> {
        let key_hash = fingerprint(key.as_ref());
        self.db.write(move |conn| Ok(sessions::delete(conn, &key_hash)?)).await
    }
}

/// actix-session hides causes, so they are logged here.
fn logged(error: Error) -> Error {
    log::error!("sessions: {}", error.logged());
    error
}

impl SessionStore for DatabaseSessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let found = self.visit(key).await.map_err(|error| LoadError::Other(logged(error).into()))?;
        Ok(found.map(|found| found.state.clone()))
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        self.create(state).await.map_err(|error| SaveError::Other(logged(error).into()))
    }

    async fn update(&self, key: SessionKey, state: State, _: &Duration) -> Result<SessionKey, UpdateError> {
        let replaced = self.replace(&key, state).await;
        replaced.map(|()| key).map_err(|error| UpdateError::Other(logged(error).into()))
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        // `last_seen_at` and `created_at` decide when a session ends.
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        Ok(self.end(key).await.map_err(logged)?)
    }
}

fn encode(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| Error::Internal(format!("a session's state: {error}")))
}

fn take<T: serde::de::DeserializeOwned>(state: &mut State, name: &str) -> Result<T, Error> {
    parse(&state.remove(name).unwrap_or_else(|| "null".to_owned()))
}

impl Found {
    fn read(conn: &mut Connection, key_hash: &str, required: Required) -> Result<Option<Found>, Error> {
        let Some(session) = sessions::find(conn, key_hash)? else { return Ok(None) };
        let mut state: State = parse(&session.state)?;
        let signed_in = SignedIn::read(conn, &session, &state, required)?.map(Arc::new);
        let columns = [
            (KEY_HASH, encode(&key_hash)?),
            (USER_ID, encode(&session.user_id)?),
            (ADDRESS, encode(&session.address)?),
            (USER_AGENT, encode(&session.user_agent)?),
            // A renewed session still ends when the first one would.
            (SINCE, encode(&Some(session.created_at.and_utc().timestamp()))?),
        ];
        state.extend(columns.map(|(name, value)| (name.to_owned(), value)));
        Ok(Some(Found { session, state, signed_in }))
    }
}

impl SignedIn {
    /// `None` if the user has lost access, or has changed the password or the second factor since sign-in.
    fn read(
        conn: &mut Connection,
        session: &sessions::Session,
        state: &State,
        required: Required,
    ) -> Result<Option<SignedIn>, Error> {
        let (Some(csrf_token), Some(began_with)) = (get(state, CSRF_TOKEN), get::<String>(state, AUTH_HASH)) else {
            return Ok(None);
        };
        let user = models::find(conn, session.user_id)?;
        let user =
            user.filter(|user| user.is_active && user.is_staff && auth_hash(user.password.as_deref()) == began_with);
        let Some(user) = user else { return Ok(None) };
        let (proof, factor) = (get::<Proof>(state, PROOF).unwrap_or_default(), second_factor::find(conn, user.id)?);
        if !proof.is_enough(&user, factor.as_ref()) {
            return Ok(None);
        }
        let must_enrol = proof.is_password_alone() && required.covers(&user);
        let rights = Rights::of(conn, &user)?;
        let staff = Arc::new(Staff::new(user, rights));
        Ok(Some(SignedIn { id: session.id, csrf_token, staff, proof, must_enrol }))
    }
}

fn get<T: serde::de::DeserializeOwned>(state: &State, name: &str) -> Option<T> {
    parse(state.get(name)?).ok()
}

/// Password hashes are salted, so a fingerprint reveals nothing.
pub fn auth_hash(password: Option<&str>) -> String {
    fingerprint(password.unwrap_or_default())
}

/// Signs a user in: new key, new CSRF token, and nothing stays from an earlier user.
pub fn begin(session: &Session, user: &User, request: &HttpRequest, proof: Proof) -> Result<(), Error> {
    session.clear();
    let user_agent = request.headers().get(header::USER_AGENT).map(|value| value.as_bytes()).unwrap_or_default();
    let user_agent: String = text(user_agent).chars().take(MAX_USER_AGENT_CHARS).collect();
    insert(session, USER_ID, user.id)?;
    insert(session, ADDRESS, client_address(request).to_string())?;
    insert(session, USER_AGENT, user_agent)?;
    insert(session, SINCE, proof.external.as_ref().map(|account| account.since))?;
    renew(session, user, &proof).map(drop)
}

/// New key and CSRF token, bound to the user's current password and second factor. Returns the token.
pub fn renew(session: &Session, user: &User, proof: &Proof) -> Result<String, Error> {
    let token = random_token()?;
    insert(session, AUTH_HASH, auth_hash(user.password.as_deref()))?;
    insert(session, PROOF, proof)?;
    insert(session, CSRF_TOKEN, &token)?;
    session.renew();
    Ok(token)
}

pub fn insert(session: &Session, name: &str, value: impl serde::Serialize) -> Result<(), Error> {
    session.insert(name, value).map_err(|error| Error::Internal(error.to_string()))
}
