//! Argon2id (RFC 9106), with OWASP's parameters: 19 MiB, two passes, one lane. Hashes that came from Django are verified,
//! too; see [`django_hashes`](super::django_hashes).

use std::sync::Arc;
use std::time::Duration;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use super::django_hashes::{DjangoHash, Work};
use super::validators;
use crate::error::Error;

const PATIENCE: Duration = Duration::from_secs(3);
/// Compared with if a user has no password, so that the sign-in takes as long.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$Z2F0ZXBvc3Qgbm9ib2R5$4bRCFFb/SL0StOd7VjUcihU6AWnbfUcXi2TpN6oCzzw";

/// In PHC format. Takes about 20 ms, so do not call it on a thread that serves requests.
///
/// Fails for a password that is too long, whatever the caller has checked: nobody could sign in with it.
pub fn hash(password: &str) -> Result<String, Error> {
    let password = validators::normalized_password(password).map_err(Error::Parse)?;
    // The crate's defaults are OWASP's recommendation.
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| Error::Internal(error.to_string()))
}

/// Takes as long as [`hash`].
pub fn verify(password: &str, hash: &str) -> bool {
    let password = validators::normalized_password(password);
    password.is_ok_and(|password| Argon2::default().verify_password(password.as_bytes(), hash).is_ok())
}

/// Whether a hash is Argon2id in PHC format. Others came from Django.
pub fn is_current(hash: &str) -> bool {
    hash.starts_with("$argon2id$")
}

/// Checks a password, which takes the same work whatever the hash is: one Argon2id hash, and one of each in `works`.
/// `works` should have those of all users whose hashes this is called with.
fn verify_alike(password: &str, hash: Option<&str>, works: &[Work]) -> bool {
    let is_short = password.len() <= validators::MAX_PASSWORD_BYTES;
    let (password, hash) = if is_short { (password, hash) } else { ("", None) };
    let is_right = match hash.filter(|hash| is_current(hash) && validators::normalized_password(password).is_ok()) {
        Some(hash) => verify(password, hash),
        None => {
            verify("", NOBODYS);
            false
        }
    };
    let django = hash.and_then(|hash| DjangoHash::parse(hash).ok());
    let mut is_djangos = false;
    for work in works {
        match django.as_ref().filter(|django| django.work().is_within(work)) {
            Some(django) => {
                is_djangos = django.verify(password);
                work.without(django.work()).iter().for_each(|rest| rest.spend(password));
            }
            None => work.spend(password),
        }
    }
    is_right || is_djangos
}

/// Uses at most half of the cores, so that a flood of sign-ins does not slow down the API.
#[derive(Clone)]
pub struct Hasher {
    turns: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Hasher {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Hasher { turns: Arc::new(Semaphore::new((cores / 2).max(1))) }
    }
}

impl Hasher {
    /// For callers who must not take the turns of others.
    pub fn apart() -> Hasher {
        Hasher { turns: Arc::new(Semaphore::new(1)) }
    }

    pub async fn hash(&self, password: String) -> Result<String, Error> {
        self.run(move || hash(&password)).await?
    }

    /// Takes the same time for every hash, for none, and for a password that is too long. `works` are those of all hashes
    /// from Django that may be asked for.
    pub async fn verify(&self, password: String, hash: Option<String>, works: Vec<Work>) -> Result<bool, Error> {
        self.run(move || verify_alike(&password, hash.as_deref(), &works)).await
    }

    /// Waits up to 3 s for a turn. The turn ends with the work, even if the caller has gone away.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Error::Unavailable("too many passwords are waiting to be hashed".to_owned()));
        };
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        work.await.map_err(|error| Error::Internal(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nobody_takes_the_work_of_a_genuine_one() {
        let parsed = argon2::PasswordHash::new(NOBODYS).expect("a hash in PHC notation");
        assert_eq!(parsed.hash.expect("an output").len(), 32);
        let genuine = hash("password").expect("a hash");
        let parameters = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);
        assert_eq!(parameters(NOBODYS), parameters(&genuine));
    }

    #[test]
    fn a_hash_is_argon2id_with_owasps_parameters_and_a_salt_of_its_own() {
        let (first, second) = (hash("correct horse").expect("a hash"), hash("correct horse").expect("a hash"));
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second);
        assert!(!first.contains("correct"));
        assert!(verify("correct horse", &second));
    }

    #[test]
    fn only_the_very_password_is_accepted() {
        let hashed = hash("Zażółć 🦀 pass").expect("a hash");
        assert!(verify("Zażółć 🦀 pass", &hashed));
        let others = ["", "zażółć 🦀 pass", "Zażółć 🦀 pass "];
        for other in others {
            assert!(!verify(other, &hashed), "{other:?}");
        }
    }

    #[test]
    fn a_password_is_accepted_however_its_characters_are_encoded() {
        for (composed, other) in [
            ("caf\u{e9} 71", "cafe\u{301} 71"),
            ("\u{212b}ngstr\u{f6}m", "A\u{30a}ngstro\u{308}m"),
            ("abc 71", "\u{ff41}\u{ff42}\u{ff43} 71"),
        ] {
            assert!(verify(other, &hash(composed).expect("a hash")), "{composed}");
            assert!(verify(composed, &hash(other).expect("a hash")), "{composed}");
        }
    }

    #[test]
    fn a_password_that_is_too_long_is_neither_set_nor_accepted() {
        let longest = hash(&"x".repeat(4096)).expect("a hash");
        assert!(verify(&"x".repeat(4096), &longest) && !verify(&"x".repeat(4097), &longest));
        let refused = hash(&"x".repeat(4097)).expect_err("too long");
        assert_eq!(refused.to_string(), "This password is too long. It must have at most 4096 bytes.");
        // Decomposed it has more bytes, and is the same password.
        assert!(verify(&"e\u{301}".repeat(2048), &hash(&"\u{e9}".repeat(2048)).expect("a hash")));
    }

    #[test]
    fn a_hash_from_django_is_verified_among_all_that_are_asked_for() {
        let django = "md5$seasalt4$35133774fcef3c9716791d9a94f6687a";
        let works = [Work::Bcrypt(4), Work::Md5];
        let right = "Zażółć 7 gęślą";
        assert!(verify_alike(right, Some(django), &works));
        assert!(!verify_alike("Zażółć 7 gęślą ", Some(django), &works));
        assert!(!verify_alike(right, None, &works) && !verify_alike(right, Some("!"), &works));
        assert!(!verify_alike(right, Some("$md5$seasalt4$35133774fcef3c9716791d9a94f6687a"), &works));
        let pbkdf2 = "pbkdf2_sha1$1300$seasalt2seasalt2$25b+QFkbCP4o1AsZBHj2igilToA=";
        for (iterations, fits) in [(1299, false), (1300, true), (9000, true)] {
            let works = [Work::Pbkdf2Sha1(std::num::NonZeroU32::new(iterations).expect("not zero"))];
            assert_eq!(verify_alike(right, Some(pbkdf2), &works), fits, "{iterations}");
        }
        let own = hash(right).expect("a hash");
        assert!(verify_alike(right, Some(&own), &works) && verify_alike(right, Some(&own), &[]));
        assert!(!verify_alike(&"x".repeat(4097), Some(django), &works));
    }

    #[test]
    fn every_byte_of_a_long_password_counts() {
        let long = "x".repeat(4096);
        let hashed = hash(&long).expect("a hash");
        assert!(!verify(&format!("{}y", &long[..4095]), &hashed));
    }

    #[test]
    fn what_is_no_hash_fits_no_password() {
        let good = hash("password").expect("a hash");
        let django = "pbkdf2_sha256$1000000$c2FsdA$aGFzaA==";
        for hashed in
            ["", "password", "!", "$argon2id$", django, &good[..good.len() - 2], &good.replace("argon2id", "none")]
        {
            assert!(!verify("password", hashed), "{hashed}");
            assert!(!verify("", hashed), "{hashed}");
        }
        assert!(verify("password", &good));
    }
}
