//! Argon2id (RFC 9106), with OWASP's parameters: 19 MiB, two passes, one lane.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};

use crate::error::Error;

/// Hashes a password into PHC notation, with a salt of its own. Takes some 20 ms: not for a thread that
/// serves requests.
pub fn hash(password: &str) -> Result<String, Error> {
    // The defaults of the crate are OWASP's first choice.
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| Error::Internal(error.to_string()))
}

/// Whether this is the password that was hashed. Takes as long as [`hash`].
pub fn verify(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}
