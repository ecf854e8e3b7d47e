//! Checking passwords, no more often than the throttle allows.

use super::device::Devices;
use super::throttle::{Bucket, Throttle};
use crate::db::Db;
use crate::error::Error;
use crate::users::models::User;
use crate::users::password::Hasher;
use crate::users::sessions;

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Right,
    /// It is not.
    Wrong,
    /// It was not looked at: there may be no attempt for this many seconds.
    Throttled(u64),
}

/// What people read who have to wait.
pub fn wait(seconds: u64) -> String {
    format!("Too many attempts. Try again in {seconds} seconds.")
}

/// What it takes to check a password; part of the application's data.
#[derive(Clone)]
pub struct Credentials {
    /// The database.
    pub db: Db,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// How often they may be guessed.
    pub throttle: Throttle,
    /// Tells the owner of an account from strangers.
    pub devices: Devices,
}

impl Credentials {
    /// Checks a password, in the same time whether there is such a user or not, with a password or without.
    /// Right is only what lets in: an account that may not sign in is not to be told from one that is not there.
    pub async fn check(&self, buckets: Vec<Bucket>, user: Option<&User>, password: String) -> Result<Verdict, Error> {
        let (throttle, counted) = (self.throttle, buckets.clone());
        if let Some(wait) = self.db.write(move |conn| Ok(throttle.take(conn, &counted)?)).await? {
            return Ok(Verdict::Throttled(wait));
        }
        let is_welcome = user.is_some_and(|user| user.is_active && user.is_staff);
        let fits = self.hasher.verify(password, user.and_then(|user| user.password.clone())).await;
        let is_right = matches!(fits, Ok(true)) && is_welcome;
        // Where it was not looked at, nobody has guessed.
        if is_right || fits.is_err() {
            self.db.write(move |conn| Ok(throttle.give_back(conn, &buckets)?)).await?;
        }
        fits.map(|_| if is_right { Verdict::Right } else { Verdict::Wrong })
    }

    /// Notes that a user has signed in now.
    pub async fn note_login(&self, user_id: i64) -> Result<(), Error> {
        self.db.write(move |conn| Ok(sessions::set_last_login(conn, user_id)?)).await
    }
}
