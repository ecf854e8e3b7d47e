//! Judging a token: the checks in their order, and the memory of tokens that passed them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};

use super::jwks::{Jwks, Key};
use super::refusal::Refusal;
use super::token::{Claims, MAX_TOKEN_BYTES, Token};
use super::user_pool::{TokenUse, UserPool};

/// Verifies the tokens of one pool. Pool, kind of token and leeway are named once, here; there is no way
/// to verify with less.
pub struct Verifier {
    pool: UserPool,
    token_use: TokenUse,
    leeway: Duration,
    jwks: Jwks,
    verified: Mutex<Verified>,
}

impl Verifier {
    /// A verifier for `pool`, which accepts tokens of kind `token_use`.
    pub fn new(pool: UserPool, token_use: TokenUse, leeway: Duration, jwks: Jwks) -> Verifier {
        Verifier { pool, token_use, leeway, jwks, verified: Mutex::default() }
    }

    /// The pool.
    pub fn pool(&self) -> &UserPool {
        &self.pool
    }

    /// The pool's keys.
    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }

    /// The `sub` of a good token: who it stands for. A token that was verified once is not verified again until
    /// it expires or its key is withdrawn.
    pub async fn verify(&self, token: &str) -> Result<Arc<str>, Refusal> {
        // What is too large is not even hashed.
        check_size(token)?;
        let fingerprint = fingerprint(token);
        if let Some(known) = self.remembered(&fingerprint) {
            self.check_expiry(known.exp)?;
            if self.jwks.holds(&known.key) {
                return Ok(known.sub);
            }
        }
        let (Claims { sub, exp, .. }, key) = self.judged(token).await?;
        let sub: Arc<str> = sub.into();
        self.remember(fingerprint, VerifiedToken { sub: sub.clone(), exp, key });
        Ok(sub)
    }

    /// The claims of a good token, whatever is remembered.
    pub async fn claims(&self, token: &str) -> Result<Claims, Refusal> {
        check_size(token)?;
        self.judged(token).await.map(|(claims, _)| claims)
    }

    /// The claims of a good token, and the key that it is signed with.
    async fn judged(&self, token: &str) -> Result<(Claims, Arc<Key>), Refusal> {
        let parsed = Token::parse(token)?;
        let key = self.jwks.key(&parsed.kid).await?;
        if !key.verifies(parsed.signed.as_bytes(), &parsed.signature) {
            return Err(Refusal::SignatureInvalid);
        }
        Ok((self.judge(parsed.claims()?)?, key))
    }

    /// Judges the claims of a token whose signature is good.
    fn judge(&self, claims: Claims) -> Result<Claims, Refusal> {
        if !claims.iss.as_ref().is_some_and(|iss| self.pool.issuers.contains(iss)) {
            return Err(Refusal::IssuerNotAccepted);
        }
        let client = match (claims.token_use.as_deref(), self.token_use) {
            (Some("id"), TokenUse::Id | TokenUse::Any) => &claims.aud,
            (Some("access"), TokenUse::Access | TokenUse::Any) => &claims.client_id,
            (Some("access"), TokenUse::Id) => return Err(Refusal::IdTokenWanted),
            (Some("id"), TokenUse::Access) => return Err(Refusal::AccessTokenWanted),
            _ => return Err(Refusal::TokenUseInvalid),
        };
        if !client.as_ref().is_some_and(|client| self.pool.client_ids.contains(client)) {
            return Err(Refusal::ClientNotAccepted);
        }
        self.check_expiry(claims.exp)?;
        let latest_start = now().saturating_add(self.leeway.as_secs() as i64);
        if [claims.nbf, claims.iat, claims.auth_time].into_iter().flatten().any(|start| start > latest_start) {
            return Err(Refusal::TokenNotYetValid);
        }
        Ok(claims)
    }

    fn check_expiry(&self, exp: i64) -> Result<(), Refusal> {
        // RFC 7519, section 4.1.4: on or after `exp` the token must not be accepted.
        if exp.saturating_add(self.leeway.as_secs() as i64) <= now() {
            return Err(Refusal::TokenExpired);
        }
        Ok(())
    }

    fn remembered(&self, fingerprint: &Fingerprint) -> Option<VerifiedToken> {
        self.verified.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(fingerprint)
    }

    fn remember(&self, fingerprint: Fingerprint, token: VerifiedToken) {
        self.verified.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(fingerprint, token);
    }
}

fn check_size(token: &str) -> Result<(), Refusal> {
    if token.len() <= MAX_TOKEN_BYTES { Ok(()) } else { Err(Refusal::TokenTooLarge) }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// SHA-256 of a token: the memory of the process need not hold tokens that could be used.
type Fingerprint = [u8; 32];

fn fingerprint(token: &str) -> Fingerprint {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    fingerprint
}

#[derive(Clone)]
struct VerifiedToken {
    sub: Arc<str>,
    exp: i64,
    key: Arc<Key>,
}

/// The tokens that passed, in two generations: when the younger is full it becomes the older, whose
/// tokens are forgotten unless they were used meanwhile. So the memory is bounded and what is in use stays.
#[derive(Default)]
struct Verified {
    younger: HashMap<Fingerprint, VerifiedToken>,
    older: HashMap<Fingerprint, VerifiedToken>,
}

impl Verified {
    /// Tokens in one generation: about 2 MB.
    const GENERATION: usize = 8192;

    fn get(&mut self, fingerprint: &Fingerprint) -> Option<VerifiedToken> {
        if let Some(token) = self.younger.get(fingerprint) {
            return Some(token.clone());
        }
        let token = self.older.remove(fingerprint)?;
        self.insert(*fingerprint, token.clone());
        Some(token)
    }

    fn insert(&mut self, fingerprint: Fingerprint, token: VerifiedToken) {
        if self.younger.len() >= Verified::GENERATION {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(fingerprint, token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> VerifiedToken {
        let key = Key::new("u-8".to_owned(), "AQAB".to_owned()).expect("a key, though a short one");
        VerifiedToken { sub: "s".into(), exp: 0, key: Arc::new(key) }
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_in_use() {
        let (mut memory, token) = (Verified::default(), token());
        let (used, unused) = (fingerprint("used"), fingerprint("unused"));
        memory.insert(used, token.clone());
        memory.insert(unused, token.clone());
        for n in 0..4 * Verified::GENERATION {
            memory.insert(fingerprint(&n.to_string()), token.clone());
            let held = memory.younger.len() + memory.older.len();
            assert!(held <= 2 * Verified::GENERATION, "{held} tokens after {n}");
            if n % 1000 == 0 {
                assert!(memory.get(&used).is_some(), "a token in use was forgotten after {n}");
            }
        }
        assert!(memory.get(&unused).is_none());
        assert!(memory.get(&fingerprint("never seen")).is_none());
    }

    #[test]
    fn fingerprints_of_different_tokens_differ() {
        assert_eq!(fingerprint("a"), fingerprint("a"));
        assert_ne!(fingerprint("a"), fingerprint("b"));
        assert_ne!(fingerprint("a"), fingerprint("a "));
    }
}
