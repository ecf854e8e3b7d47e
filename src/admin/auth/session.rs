//! actix-session over the table `sessions`: the cookie has a random key, signed; the state stays here, and
//! ends here when the session does.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use actix_session::config::{CookieContentSecurity, PersistentSession};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{CookieJar, Key, SameSite};

use crate::admin::model_admin::Staff;
use crate::crypto::{fingerprint, random_token};
use crate::db::{Connection, Db, Remembered};
use crate::error::Error;
use crate::http::cookies::{self, Cookies};
use crate::users::models::{self, User};
use crate::users::permissions::Rights;
use crate::users::sessions::{self, NewSession, SessionLimits};

/// The longest user agent that is kept, in characters.
const MAX_USER_AGENT_CHARS: usize = 200;
/// Sessions that are remembered at once, a few kilobytes each.
const REMEMBERED_SESSIONS: usize = 1_000;

// What is in a session. The first four are columns, the others are in `state`.
const KEY_HASH: &str = "key_hash";
const USER_ID: &str = "user_id";
const ADDRESS: &str = "address";
const USER_AGENT: &str = "user_agent";
/// A fingerprint of the password with which the session began, as Django has it: with another password every
/// session is over, whoever forgot to end it.
const AUTH_HASH: &str = "auth_hash";
const CSRF_TOKEN: &str = "csrf_token";
/// The key in the session under which messages wait.
pub const MESSAGES: &str = "messages";

/// Sessions in the database; cheap to clone.
#[derive(Clone)]
pub struct DatabaseSessions {
    db: Db,
    limits: SessionLimits,
    /// By the hashes of their keys.
    found: Arc<Remembered<String, Option<Arc<Found>>>>,
}

/// A session, and who is signed in by it.
pub struct Found {
    session: sessions::Session,
    state: State,
    /// `None`: nobody, or who may no longer be here.
    signed_in: Option<Arc<SignedIn>>,
}

/// Who is signed in.
pub struct SignedIn {
    /// The session's id.
    pub id: i64,
    /// The session's CSRF token.
    pub csrf_token: String,
    /// The user with their rights.
    pub staff: Arc<Staff>,
}

/// What is in a session, each value as JSON.
pub type State = HashMap<String, String>;

/// The middleware that reads a request's session before its handler, and writes it after.
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

/// The key in the cookie that a request brings, for who asks outside of [`middleware`].
pub fn session_key(request: &HttpRequest, cookies: Cookies, key: &Key) -> Option<SessionKey> {
    let name = cookies.name(cookies::SESSION);
    let mut jar = CookieJar::new();
    jar.add_original(request.cookie(&name)?);
    SessionKey::try_from(jar.signed(key).get(&name)?.value().to_owned()).ok()
}

impl DatabaseSessions {
    /// The sessions of this database.
    pub fn new(db: Db, limits: SessionLimits) -> DatabaseSessions {
        DatabaseSessions { db, limits, found: Arc::new(Remembered::strict(REMEMBERED_SESSIONS)) }
    }

    /// The session with this key, unless it is over; that it is in use is noted.
    async fn visit(&self, key: &SessionKey) -> Result<Option<Arc<Found>>, Error> {
        let found = self.find(fingerprint(key.as_ref())).await?;
        if let Some(Found { session, .. }) = found.as_deref().filter(|found| found.session.is_seen_late(&self.limits)) {
            let id = session.id;
            // A page can be shown even while nothing can be written.
            let noted = self.db.write(move |conn| Ok(sessions::set_last_seen(conn, id)?)).await;
            if let Err(error) = noted {
                log::warn!("cannot record the use of a session: {}", error.cause().unwrap_or_default());
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
                let found = self.db.read_here(move |conn| Ok(Found::read(conn, &hash)?.map(Arc::new))).await?;
                self.found.keep(&self.db, version, key_hash, &found);
                found
            }
        };
        Ok(found.filter(|found| !found.session.is_over(&self.limits)))
    }

    /// Who is signed in by the session with this key, if they may be here.
    pub async fn signed_in_by(&self, key: &SessionKey) -> Result<Option<Arc<SignedIn>>, Error> {
        Ok(self.visit(key).await?.and_then(|found| found.signed_in.clone()))
    }

    /// Who is signed in by the session of a request, if they may be here.
    pub async fn signed_in(&self, session: &Session) -> Result<Option<Arc<SignedIn>>, Error> {
        let Some(key_hash) = get(&session.entries(), KEY_HASH) else { return Ok(None) };
        Ok(self.find(key_hash).await?.and_then(|found| found.signed_in.clone()))
    }

    async fn create(&self, mut state: State) -> Result<SessionKey, Error> {
        let key = random_token()?;
        state.remove(KEY_HASH);
        let (user_id, address, user_agent) =
            (take(&mut state, USER_ID)?, take(&mut state, ADDRESS)?, take(&mut state, USER_AGENT)?);
        let new = NewSession { key_hash: fingerprint(&key), user_id, state: encode(&state)?, address, user_agent };
        let limits = self.limits;
        self.db.write(move |conn| Ok(sessions::create(conn, new, &limits)?)).await?;
        SessionKey::try_from(key).map_err(|error| Error::Internal(error.to_string()))
    }

    async fn replace(&self, key: &SessionKey, mut state: State) -> Result<(), Error> {
        state.retain(|name, _| ![KEY_HASH, USER_ID, ADDRESS, USER_AGENT].contains(&name.as_str()));
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
    log::error!("sessions: {}", error.cause().unwrap_or_default().escape_debug());
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
        // `last_seen_at` and `created_at` decide.
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
    /// Reads a session with all that a request needs to know of who sends it.
    fn read(conn: &mut Connection, key_hash: &str) -> Result<Option<Found>, Error> {
        let Some(session) = sessions::find(conn, key_hash)? else { return Ok(None) };
        let mut state: State = parse(&session.state)?;
        let signed_in = SignedIn::read(conn, &session, &state)?.map(Arc::new);
        let columns = [
            (KEY_HASH, encode(&key_hash)?),
            (USER_ID, encode(&session.user_id)?),
            (ADDRESS, encode(&session.address)?),
            (USER_AGENT, encode(&session.user_agent)?),
        ];
        state.extend(columns.map(|(name, value)| (name.to_owned(), value)));
        Ok(Some(Found { session, state, signed_in }))
    }
}

impl SignedIn {
    /// Who is signed in, if they may be here still and have the password with which the session began.
    fn read(conn: &mut Connection, session: &sessions::Session, state: &State) -> Result<Option<SignedIn>, Error> {
        let (Some(csrf_token), Some(began_with)) = (get(state, CSRF_TOKEN), get::<String>(state, AUTH_HASH)) else {
            return Ok(None);
        };
        let user = models::find(conn, session.user_id)?;
        let user = user.filter(|user| user.is_active && user.is_staff && auth_hash(user) == began_with);
        let Some(user) = user else { return Ok(None) };
        let rights = Rights::of(conn, &user)?;
        let staff = Arc::new(Staff::new(user, rights));
        Ok(Some(SignedIn { id: session.id, csrf_token, staff }))
    }
}

fn get<T: serde::de::DeserializeOwned>(state: &State, name: &str) -> Option<T> {
    parse(state.get(name)?).ok()
}

/// The hash of a password has a salt of its own, so that its fingerprint tells nothing.
fn auth_hash(user: &User) -> String {
    fingerprint(user.password.as_deref().unwrap_or_default())
}

/// Signs a user in: the session gets another key and another CSRF token, and nothing is left in it of who was
/// signed in before.
pub fn begin(session: &Session, user: &User, address: IpAddr, user_agent: &str) -> Result<(), Error> {
    session.clear();
    let user_agent: String = user_agent.chars().take(MAX_USER_AGENT_CHARS).collect();
    insert(session, USER_ID, user.id)?;
    insert(session, ADDRESS, address.to_string())?;
    insert(session, USER_AGENT, user_agent)?;
    renew(session, user)
}

/// Gives the session another key and another CSRF token, and binds it to the user's password of now.
pub fn renew(session: &Session, user: &User) -> Result<(), Error> {
    insert(session, AUTH_HASH, auth_hash(user))?;
    insert(session, CSRF_TOKEN, random_token()?)?;
    session.renew();
    Ok(())
}

/// Puts a value into the session.
pub fn insert(session: &Session, name: &str, value: impl serde::Serialize) -> Result<(), Error> {
    session.insert(name, value).map_err(|error| Error::Internal(error.to_string()))
}
