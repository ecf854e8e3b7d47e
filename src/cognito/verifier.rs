//! Verifies tokens, and caches those that were verified.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::Utc;

use super::jwk::Key;
use super::jwks::Jwks;
use super::service_accounts::Machine;
use super::token::{Claims, MAX_TOKEN_BYTES, Token};
use super::user_pool::{TokenUse, UserPool};
use crate::error::Refusal;

/// Pool, kind of token and leeway are set once here; no check can be skipped.
pub struct Verifier {
    pool: UserPool,
    token_use: TokenUse,
    leeway: Duration,
    /// Whether tokens of machine clients are good, whatever their client: they are matched with service accounts.
    takes_machines: bool,
    jwks: Arc<Jwks>,
    cache: Mutex<TokenCache>,
}

impl Verifier {
    pub fn new(pool: UserPool, token_use: TokenUse, leeway: Duration, jwks: Jwks) -> Verifier {
        Verifier { pool, token_use, leeway, takes_machines: true, jwks: Arc::new(jwks), cache: Mutex::default() }
    }

    /// A verifier of the ID tokens of another app client of the pool, with the same keys.
    pub fn for_client(&self, client_id: &str) -> Verifier {
        let pool = UserPool { client_ids: vec![client_id.to_owned()], ..self.pool.clone() };
        let (leeway, jwks) = (self.leeway, self.jwks.clone());
        Verifier { pool, token_use: TokenUse::Id, leeway, takes_machines: false, jwks, cache: Mutex::default() }
    }

    pub fn pool(&self) -> &UserPool {
        &self.pool
    }

    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }

    /// Caches a verified token until it expires or its key is withdrawn.
    pub async fn verify(&self, token: &str) -> Result<GoodToken, Refusal> {
        // Checked first, because larger tokens must not even be hashed.
        check_size(token)?;
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::TokenMalformed)?;
        let signature = hash(signature);
        let known = self.cache().get(&signature, signed);
        if let Some(Verdict { subject, exp, iat, key }) = known {
            self.check_expiry(exp)?;
            if self.jwks.holds(&key) {
                return Ok(GoodToken { subject, iat, claims: None });
            }
        }
        let (claims, key) = self.judged(token).await?;
        let subject = Subject::of(&claims);
        // Cloned before taking the lock.
        let verdict = Verdict { subject: subject.clone(), exp: claims.exp, iat: claims.iat, key };
        let token = VerifiedToken { signed: signed.into(), verdict };
        self.cache().insert(signature, token);
        Ok(GoodToken { subject, iat: claims.iat, claims: Some(claims) })
    }

    /// Does not use the cache.
    pub async fn claims(&self, token: &str) -> Result<Claims, Refusal> {
        self.judged(token).await.map(|(claims, _)| claims)
    }

    /// The claims of a token that was refused, if its signature is good: they are the pool's word, whatever else is wrong.
    pub async fn signed_claims(&self, token: &str) -> Option<Claims> {
        self.signed(token).await.ok().map(|(claims, _)| claims)
    }

    async fn judged(&self, token: &str) -> Result<(Claims, Arc<Key>), Refusal> {
        let (claims, key) = self.signed(token).await?;
        Ok((self.judge(claims)?, key))
    }

    /// The claims, which are not judged yet, and the key that has signed them.
    async fn signed(&self, token: &str) -> Result<(Claims, Arc<Key>), Refusal> {
        check_size(token)?;
        let parsed = Token::parse(token)?;
        let key = self.jwks.key(&parsed.kid).await?;
        if !key.verifies(parsed.signed.as_bytes(), parsed.signature) {
            return Err(Refusal::SignatureInvalid);
        }
        Ok((parsed.claims()?, key))
    }

    /// Call this only after verifying the signature.
    fn judge(&self, claims: Claims) -> Result<Claims, Refusal> {
        if !claims.iss.as_ref().is_some_and(|iss| self.pool.issuers.contains(iss)) {
            return Err(Refusal::IssuerNotAccepted);
        }
        if !(self.takes_machines && claims.is_machine()) {
            self.check_client(&claims)?;
        }
        self.check_expiry(claims.exp)?;
        let latest_start = Utc::now().timestamp().saturating_add(self.leeway.as_secs() as i64);
        if [claims.nbf, claims.iat, claims.auth_time].into_iter().flatten().any(|start| start > latest_start) {
            return Err(Refusal::TokenNotYetValid);
        }
        Ok(claims)
    }

    /// The kind of token, and the app client that it was issued to.
    fn check_client(&self, claims: &Claims) -> Result<(), Refusal> {
        let client = match (claims.token_use.as_deref(), self.token_use) {
            (Some("id"), TokenUse::Id | TokenUse::Any) => &claims.aud,
            (Some("access"), TokenUse::Access | TokenUse::Any) => &claims.client_id,
            (Some("access"), TokenUse::Id) => return Err(Refusal::IdTokenWanted),
            (Some("id"), TokenUse::Access) => return Err(Refusal::AccessTokenWanted),
            _ => return Err(Refusal::TokenUseInvalid),
        };
        match client.as_ref().is_some_and(|client| self.pool.client_ids.contains(client)) {
            true => Ok(()),
            false => Err(Refusal::ClientNotAccepted),
        }
    }

    fn check_expiry(&self, exp: i64) -> Result<(), Refusal> {
        // RFC 7519, section 4.1.4: the token must not be accepted on or after `exp`.
        if exp.saturating_add(self.leeway.as_secs() as i64) <= Utc::now().timestamp() {
            return Err(Refusal::TokenExpired);
        }
        Ok(())
    }

    fn cache(&self) -> MutexGuard<'_, TokenCache> {
        self.cache.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

pub struct GoodToken {
    pub subject: Subject,
    pub iat: Option<i64>,
    /// `None` if the token was cached: the cache has only the subject and the `iat`.
    pub claims: Option<Claims>,
}

/// Whom a token stands for. A machine is never taken for a user, whatever its client id.
#[derive(Clone)]
pub enum Subject {
    /// A user's `sub`.
    User(Arc<str>),
    Machine(Arc<Machine>),
}

impl Subject {
    fn of(claims: &Claims) -> Subject {
        match Machine::of(claims) {
            Some(machine) => Subject::Machine(Arc::new(machine)),
            None => Subject::User(claims.sub.as_str().into()),
        }
    }
}

fn check_size(token: &str) -> Result<(), Refusal> {
    if token.len() <= MAX_TOKEN_BYTES { Ok(()) } else { Err(Refusal::TokenTooLarge) }
}

type SignatureHash = [u8; 32];

fn hash(signature: &str) -> SignatureHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, signature.as_bytes()).as_ref());
    hash
}

/// Stores a hash of the signature, so that no usable token stays in memory. Comparing the signed part is cheaper than
/// hashing it.
struct VerifiedToken {
    signed: Box<str>,
    verdict: Verdict,
}

#[derive(Clone)]
struct Verdict {
    subject: Subject,
    exp: i64,
    iat: Option<i64>,
    key: Arc<Key>,
}

impl VerifiedToken {
    /// Estimated bytes per token in addition to the signed part.
    const OVERHEAD: usize = 256;

    fn bytes(&self) -> usize {
        let subject = match &self.verdict.subject {
            Subject::User(_) => 0,
            Subject::Machine(machine) => machine.bytes(),
        };
        self.signed.len() + subject + VerifiedToken::OVERHEAD
    }

    fn verdict_on(&self, signed: &str) -> Option<Verdict> {
        (*self.signed == *signed).then(|| self.verdict.clone())
    }
}

/// Two generations: when the young one is full it becomes the old one, and old tokens not used since are dropped. So
/// memory is bounded and tokens in use stay.
#[derive(Default)]
struct TokenCache {
    younger: HashMap<SignatureHash, VerifiedToken>,
    bytes: usize,
    older: HashMap<SignatureHash, VerifiedToken>,
}

impl TokenCache {
    /// Per generation: about 9,000 tokens of 1 KB, or 1,000 of 8 KB.
    const GENERATION_BYTES: usize = 8 << 20;

    fn get(&mut self, signature: &SignatureHash, signed: &str) -> Option<Verdict> {
        if let Some(token) = self.younger.get(signature) {
            return token.verdict_on(signed);
        }
        let used = self.older.remove(signature)?;
        let verdict = used.verdict_on(signed);
        self.insert(*signature, used);
        verdict
    }

    fn insert(&mut self, signature: SignatureHash, token: VerifiedToken) {
        if self.bytes + token.bytes() > TokenCache::GENERATION_BYTES {
            self.older = std::mem::take(&mut self.younger);
            self.bytes = 0;
        }
        self.bytes += token.bytes();
        if let Some(former) = self.younger.insert(signature, token) {
            self.bytes -= former.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Arc<Key> {
        Arc::new(Key::new("u-8", "AQAB").expect("a key, though a short one"))
    }

    fn token(signed: &str, key: &Arc<Key>) -> VerifiedToken {
        VerifiedToken {
            signed: signed.into(),
            verdict: Verdict { subject: Subject::User("s".into()), exp: 0, iat: None, key: key.clone() },
        }
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_in_use() {
        let key = key();
        for size in [0, 700, 12_000] {
            let (mut memory, signed) = (TokenCache::default(), "x".repeat(size));
            let (used, unused, each) = (hash("used"), hash("unused"), token(&signed, &key).bytes());
            memory.insert(used, token(&signed, &key));
            memory.insert(unused, token(&signed, &key));
            for n in 0..4 * TokenCache::GENERATION_BYTES / each {
                memory.insert(hash(&n.to_string()), token(&signed, &key));
                let held = (memory.younger.len() + memory.older.len()) * each;
                assert!(held <= 2 * TokenCache::GENERATION_BYTES, "{held} bytes after {n} of {size}");
                if n % 100 == 0 {
                    assert!(memory.get(&used, &signed).is_some(), "a token in use was forgotten after {n} of {size}");
                }
            }
            assert!(memory.get(&unused, &signed).is_none());
            assert!(memory.get(&hash("never seen"), &signed).is_none());
        }
    }

    #[test]
    fn a_token_is_known_by_its_signature_and_by_all_that_was_signed() {
        let mut memory = TokenCache::default();
        memory.insert(hash("signature"), token("header.claims", &key()));
        for is_older in [false, true] {
            let mut known = |signature: &str, signed: &str| {
                if is_older && !memory.younger.is_empty() {
                    (memory.older, memory.bytes) = (std::mem::take(&mut memory.younger), 0);
                }
                memory.get(&hash(signature), signed).is_some()
            };
            for other in ["header.claims.", "header.claim", "eader.claims", "header.Claims", ""] {
                assert!(!known("signature", other), "older: {is_older}, {other}");
            }
            assert!(!known("Signature", "header.claims"), "older: {is_older}");
            assert!(known("signature", "header.claims"), "older: {is_older}");
        }
    }

    #[test]
    fn to_remember_a_token_again_takes_no_more_memory() {
        let (mut memory, key) = (TokenCache::default(), key());
        for _ in 0..3 {
            memory.insert(hash("signature"), token("header.claims", &key));
        }
        assert_eq!(memory.bytes, token("header.claims", &key).bytes());
    }
}
