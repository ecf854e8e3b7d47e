//! Checking passwords, no more often than the throttle allows.

use super::throttle::{Bucket, Throttle};
use crate::db::Db;
use crate::error::Error;
use crate::users::password::Hasher;

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

/// What it takes to check a password; part of the application's data.
#[derive(Clone)]
pub struct Credentials {
    /// The database.
    pub db: Db,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// How often they may be guessed.
    pub throttle: Throttle,
}

impl Credentials {
    /// Checks a password against `hash`, in the same time whether there is one or not. What is right counts as
    /// wrong unless `is_welcome`: an account that may not sign in is not to be told from one that is not there.
    pub async fn check(
        &self,
        buckets: Vec<Bucket>,
        password: String,
        hash: Option<String>,
        is_welcome: bool,
    ) -> Result<Verdict, Error> {
        let (throttle, counted) = (self.throttle, buckets.clone());
        if let Some(wait) = self.db.write(move |conn| Ok(throttle.take(conn, &counted)?)).await? {
            return Ok(Verdict::Throttled(wait));
        }
        let fits = self.hasher.verify(password, hash).await;
        let is_right = matches!(fits, Ok(true)) && is_welcome;
        if is_right || fits.is_err() {
            self.db.write(move |conn| Ok(throttle.give_back(conn, &buckets)?)).await?;
        }
        fits.map(|_| if is_right { Verdict::Right } else { Verdict::Wrong })
    }
}
