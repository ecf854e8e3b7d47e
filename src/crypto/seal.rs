//! Encryption of what is stored: AES-256-GCM with random nonces.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::random;
use crate::error::Error;

const KEY_BYTES: usize = 32;

/// A key. `Debug` does not show it.
#[derive(Clone)]
pub struct Seal(Arc<RandomizedNonceKey>);

impl Seal {
    /// A new key, as [`Seal::from_base64`] reads it.
    pub fn generate() -> Result<String, Error> {
        random::<KEY_BYTES>().map(|key| STANDARD.encode(key))
    }

    /// `None` unless these are 32 bytes, as from `openssl rand -base64 32`.
    pub fn from_base64(text: &str) -> Option<Seal> {
        Seal::new(&STANDARD.decode(text.trim()).ok()?)
    }

    /// From a text that nobody can guess.
    pub fn of_secret(text: &str) -> Option<Seal> {
        Seal::new(digest(&SHA256, text.as_bytes()).as_ref())
    }

    fn new(key: &[u8]) -> Option<Seal> {
        // Refuses keys of another length.
        RandomizedNonceKey::new(&AES_256_GCM, key).ok().map(|key| Seal(Arc::new(key)))
    }

    /// The result opens for the same purpose only.
    pub fn seal(&self, purpose: &str, content: &[u8]) -> Result<String, Error> {
        let mut sealed = content.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(purpose), &mut sealed);
        let nonce = nonce.map_err(|_| Error::Internal(format!("the {purpose} cannot be encrypted")))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce.as_ref()[..], &sealed].concat()))
    }

    /// `None` if it was sealed with another key or for another purpose, or was changed.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, content) = bytes.split_at_checked(NONCE_LEN)?;
        let mut content = content.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        self.0.open_in_place(nonce, Aad::from(purpose), &mut content).ok().map(|content| content.to_vec())
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal::from_base64(&Seal::generate().expect("a key")).expect("a key")
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_for_its_purpose_alone() {
        let key = seal();
        let sealed = key.seal("second factor of 1", b"secret").expect("it is sealed");
        assert_eq!(key.open("second factor of 1", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(key.open("second factor of 2", &sealed), None);
        assert_eq!(seal().open("second factor of 1", &sealed), None);
        assert_ne!(key.seal("second factor of 1", b"secret").expect("it is sealed"), sealed, "nonces differ");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(key.open("second factor of 1", &changed), None, "{at}");
            assert_eq!(key.open("second factor of 1", &sealed[..at]), None, "{at}");
        }
    }

    #[test]
    fn a_key_is_32_bytes_in_base64_and_is_not_shown() {
        let text = STANDARD.encode([7; 32]);
        let key = Seal::from_base64(&text).expect("a key");
        assert_eq!(format!("{key:?}"), "Seal(***)");
        assert!(Seal::from_base64(&format!("{text}\n")).is_some(), "a file ends with a line break");
        for bad in ["", "x", &STANDARD.encode([7; 31]), &STANDARD.encode([7; 33]), &"0".repeat(64)] {
            assert!(Seal::from_base64(bad).is_none(), "{bad}");
        }
    }
}
