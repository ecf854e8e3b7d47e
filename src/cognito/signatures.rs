//! RS256 signatures (RFC 7518, section 3.3): jsonwebtoken with a [`CryptoProvider`] that caches parsed keys. The stock
//! one parses the key for every token, a tenth of the time of a verification. Providers are plain functions, so the
//! cache belongs to the process. [`super::jwks`] decides which keys are trusted.

use std::cell::RefCell;
use std::rc::Rc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};

/// Per thread. A pool has two keys, and a few more during rotation.
const MAX_PARSED: usize = 16;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // Only for key thumbprints, which are not used.
    key_utils: KeyUtils::new_unimplemented(),
};

thread_local! {
    /// Newest first. A list per thread needs no lock.
    static PARSED: RefCell<Vec<Rc<PublicKey>>> = const { RefCell::new(Vec::new()) };
}

struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    parsed: ParsedPublicKey,
}

/// jsonwebtoken keeps the first provider, so further calls have no effect.
pub fn install() {
    let _ = PROVIDER.install_default();
}

pub fn components(key: &DecodingKey) -> Result<(&[u8], &[u8])> {
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => Ok((n, e)),
        DecodingKeyKind::SecretOrDer(_) => Err(ErrorKind::InvalidKeyFormat.into()),
    }
}

/// jsonwebtoken itself accepts any numbers.
pub fn is_usable(key: &DecodingKey) -> bool {
    components(key).and_then(|(modulus, exponent)| parse(modulus, exponent)).is_ok()
}

fn parse(modulus: &[u8], exponent: &[u8]) -> Result<ParsedPublicKey> {
    RsaPublicKeyComponents { n: modulus, e: exponent }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .map_err(|rejected| ErrorKind::InvalidRsaKey(rejected.to_string()).into())
}

fn parsed(key: &DecodingKey) -> Result<Rc<PublicKey>> {
    let (modulus, exponent) = components(key)?;
    let is_same = |key: &&Rc<PublicKey>| key.modulus == modulus && key.exponent == exponent;
    if let Some(key) = PARSED.with_borrow(|keys| keys.iter().find(is_same).cloned()) {
        return Ok(key);
    }
    let parsed = parse(modulus, exponent)?;
    let key = Rc::new(PublicKey { modulus: modulus.to_vec(), exponent: exponent.to_vec(), parsed });
    PARSED.with_borrow_mut(|keys| {
        keys.truncate(MAX_PARSED - 1);
        keys.insert(0, key.clone());
    });
    Ok(key)
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    match algorithm {
        Algorithm::RS256 => Ok(Box::new(Rs256Verifier(parsed(key)?))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    let rejected = |rejected: aws_lc_rs::error::KeyRejected| ErrorKind::InvalidRsaKey(rejected.to_string());
    match algorithm {
        Algorithm::RS256 => Ok(Box::new(Rs256Signer(KeyPair::from_pkcs8(key.as_bytes()).map_err(rejected)?))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

struct Rs256Verifier(Rc<PublicKey>);

impl Verifier<Vec<u8>> for Rs256Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        #[cfg(test)]
        tests::VERIFICATIONS.set(tests::VERIFICATIONS.get() + 1);
        self.0.parsed.verify_sig(message, signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for Rs256Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

struct Rs256Signer(KeyPair);

impl Signer<Vec<u8>> for Rs256Signer {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let signed = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map(|()| signature).map_err(|_| Error::new())
    }
}

impl JwtSigner for Rs256Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::KeyPair as _;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::crypto::{aws_lc, sign, verify};

    use super::*;

    thread_local! {
        pub(in crate::cognito) static VERIFICATIONS: Cell<usize> = const { Cell::new(0) };
    }

    fn new_key() -> (EncodingKey, DecodingKey) {
        install();
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let private = pair.as_der().expect("PKCS#8");
        let public = pair.public_key();
        let (modulus, exponent) = (public.modulus(), public.exponent());
        let public = DecodingKey::from_rsa_raw_components(
            modulus.big_endian_without_leading_zero(),
            exponent.big_endian_without_leading_zero(),
        );
        (EncodingKey::from_rsa_der(private.as_ref()), public)
    }

    fn odd_key(n: usize) -> DecodingKey {
        let mut modulus = vec![0xff; 256];
        modulus[1] = n as u8;
        DecodingKey::from_rsa_raw_components(&modulus, &[1, 0, 1])
    }

    #[test]
    fn what_a_key_signs_it_alone_verifies_and_the_stock_provider_agrees() {
        let ((private, public), (_, other)) = (new_key(), new_key());
        let stock = |signature: &str, message: &[u8], key: &DecodingKey| {
            let verifier = (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, key).expect("a verifier");
            let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
            verifier.verify(message, &signature).is_ok()
        };
        let signature = sign(b"message", &private, Algorithm::RS256).expect("a signature");
        let bent = format!("{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
        let cut = &signature[4..];
        for (case, signature, message, key, is_good) in [
            ("as signed", &*signature, &b"message"[..], &public, true),
            ("another message", &signature, b"Message", &public, false),
            ("no message", &signature, b"", &public, false),
            ("another key", &signature, b"message", &other, false),
            ("a bent signature", &bent, b"message", &public, false),
            ("a cut signature", cut, b"message", &public, false),
            ("no signature", "", b"message", &public, false),
        ] {
            // The second time, the key is already parsed.
            for _ in 0..2 {
                assert_eq!(verify(signature, message, key, Algorithm::RS256).expect("base64url"), is_good, "{case}");
            }
            assert_eq!(stock(signature, message, key), is_good, "{case}: the stock provider");
        }
    }

    #[test]
    fn there_is_no_other_algorithm_and_no_other_kind_of_key() {
        let (private, public) = new_key();
        use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS384, RS512};
        for algorithm in [ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS384, RS512] {
            assert!(verify("c2ln", b"message", &public, algorithm).is_err(), "{algorithm:?}");
            assert!(sign(b"message", &private, algorithm).is_err(), "{algorithm:?}");
        }
        for key in
            [DecodingKey::from_secret(b"secret"), DecodingKey::from_rsa_der(b"der"), DecodingKey::from_ec_der(b"ec")]
        {
            assert!(!is_usable(&key), "{key:?}");
            assert!(verify("c2ln", b"message", &key, Algorithm::RS256).is_err(), "{key:?}");
        }
        assert!(sign(b"message", &EncodingKey::from_rsa_der(b"der"), Algorithm::RS256).is_err());
        assert!(!is_usable(&DecodingKey::from_rsa_raw_components(b"", b"")));
    }

    #[test]
    fn to_install_it_again_changes_nothing() {
        let (private, public) = new_key();
        install();
        assert!(aws_lc::DEFAULT_PROVIDER.install_default().is_err(), "ours is installed already");
        let signature = sign(b"message", &private, Algorithm::RS256).expect("a signature");
        assert!(verify(&signature, b"message", &public, Algorithm::RS256).is_ok_and(|is_good| is_good));
    }

    #[test]
    fn a_key_is_parsed_once_and_the_memory_of_parsed_keys_is_bounded() {
        let first = parsed(&odd_key(0)).expect("a key");
        assert!(Rc::ptr_eq(&first, &parsed(&odd_key(0)).expect("a key")), "it was parsed again");
        let other_exponent = DecodingKey::from_rsa_raw_components(&first.modulus, &[3]);
        assert!(!Rc::ptr_eq(&first, &parsed(&other_exponent).expect("a key")), "the exponent belongs to the key");
        for n in 1..3 * MAX_PARSED {
            parsed(&odd_key(n)).expect("a key");
            assert!(PARSED.with_borrow(Vec::len) <= MAX_PARSED, "after {n} keys");
        }
        let last = odd_key(3 * MAX_PARSED - 1);
        assert!(Rc::ptr_eq(&parsed(&last).expect("a key"), &parsed(&last).expect("a key")));
        assert!(!Rc::ptr_eq(&first, &parsed(&odd_key(0)).expect("a key")), "the oldest key is still there");
    }
}
