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

#[cfg(test)]
mod tests {
    use super::*;

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
