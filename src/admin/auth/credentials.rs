//! Checks passwords, as often as the throttle allows.

use chrono::Utc;

use super::device::Devices;
use super::session::auth_hash;
use super::throttle::{Bucket, Throttle};
use crate::crypto::totp::step_at;
use crate::db::{Connection, Db};
use crate::error::Error;
use crate::users::django_hashes::Work;
use crate::users::models::{self, User};
use crate::users::password::{self, Hasher};
use crate::users::second_factor::{self, Checked, FactorKey, KeyError, Proven};
use crate::users::sessions;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    Wrong,
    /// Not checked: no attempt is allowed for this many seconds.
    Throttled(u64),
}

#[derive(Debug)]
pub enum CodeVerdict {
    Right(Proven),
    Wrong,
    Throttled(u64),
    /// Not checked: nobody's authenticator app counts while this is so.
    NoKey(KeyError),
}

pub fn wait(seconds: u64) -> String {
    format!("Too many attempts. Try again in {seconds} seconds.")
}

#[derive(Clone)]
pub struct Credentials {
    pub db: Db,
    pub hasher: Hasher,
    pub throttle: Throttle,
    pub devices: Devices,
    pub factor_key: FactorKey,
}

impl Credentials {
    /// Takes the same time whether or not the user or a password exists, and whatever scheme it is hashed with. Only
    /// `Right` may let anyone in.
    pub async fn check(&self, buckets: Vec<Bucket>, user: Option<&User>, password: String) -> Result<Verdict, Error> {
        let welcome = user.filter(|user| user.is_active && user.is_staff);
        let works = self.db.read(|conn| Ok(models::django_works(conn)?));
        let hash = welcome.and_then(|user| user.password.clone());
        self.check_hash(&self.hasher, buckets, hash, works, password).await
    }

    /// `hash`: `None` fits no password. `works` are those of all hashes that may be asked for.
    pub async fn check_hash(
        &self,
        hasher: &Hasher,
        buckets: Vec<Bucket>,
        hash: Option<String>,
        works: impl Future<Output = Result<Vec<Work>, Error>>,
        password: String,
    ) -> Result<Verdict, Error> {
        let (throttle, counted) = (self.throttle, buckets.clone());
        if let Some(wait) = self.db.write(move |conn| Ok(throttle.take(conn, &counted)?)).await? {
            return Ok(Verdict::Throttled(wait));
        }
        let fits = hasher.verify(password, hash, works.await?).await;
        // An attempt that was not checked is not a guess.
        if matches!(fits, Ok(true) | Err(_)) {
            self.db.write(move |conn| Ok(throttle.give_back(conn, &buckets)?)).await?;
        }
        fits.map(|is_right| if is_right { Verdict::Right } else { Verdict::Wrong })
    }

    /// A code of the user's second factor, which is used up.
    pub async fn check_code(&self, buckets: Vec<Bucket>, user: User, typed: String) -> Result<CodeVerdict, Error> {
        let (throttle, key, step) = (self.throttle, self.factor_key.clone(), step_at(Utc::now().timestamp()));
        let check = move |conn: &mut Connection| {
            if let Some(wait) = throttle.take(conn, &buckets)? {
                return Ok(CodeVerdict::Throttled(wait));
            }
            let verdict = match second_factor::check(conn, &user, &typed, &key, step)? {
                Checked::Wrong => return Ok(CodeVerdict::Wrong),
                Checked::Right(proven) => CodeVerdict::Right(proven),
                Checked::NoKey(error) => CodeVerdict::NoKey(error),
            };
            throttle.give_back(conn, &buckets)?;
            Ok(verdict)
        };
        self.db.write(check).await
    }

    pub async fn note_login(&self, user_id: i64) -> Result<(), Error> {
        self.db.write(move |conn| Ok(sessions::set_last_login(conn, user_id)?)).await
    }

    /// Replaces a hash that came from Django, once the password is known to be right. Returns the user as stored then.
    pub async fn renew_hash(&self, user: User, password: String) -> Result<User, Error> {
        let Some(old) = user.password.clone().filter(|hash| !password::is_current(hash)) else { return Ok(user) };
        // The sign-in matters more than the new hash.
        let Ok(new) = self.hasher.hash(password.clone()).await else { return Ok(user) };
        let id = user.id;
        let renew = move |conn: &mut Connection| {
            if models::replace_hash(conn, id, &old, &new)? {
                sessions::rebind(conn, id, &auth_hash(Some(&old)), &auth_hash(Some(&new)))?;
            }
            Ok(models::find(conn, id)?)
        };
        // Another request may have replaced the hash, or changed the password.
        match self.db.write(renew).await? {
            Some(stored) if self.hasher.verify(password, stored.password.clone(), Vec::new()).await? => Ok(stored),
            _ => Ok(user),
        }
    }
}
