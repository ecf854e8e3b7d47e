//! A user pool for tests: keys, and tokens that can be bent in every way. Written without the library's
//! own token code, so that a mistake there cannot hide itself.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatepost::cognito::user_pool::UserPool;
use serde_json::{Map, Value, json};

use super::jwks::JwksFixture;

pub const POOL_ID: &str = "eu-west-1_TestPool1";
pub const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_TestPool1";
pub const NEW_ISSUER: &str = "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_TestPool1";
pub const CLIENT_ID: &str = "1testclient23456789abcdefg";

/// A machine client.
pub const MACHINE: &str = "3machineclient3456789abcde";

/// An RSA key with its id.
#[derive(Clone)]
pub struct TestKey {
    pub kid: String,
    pub pair: Arc<KeyPair>,
}

impl TestKey {
    /// One of a few keys that are made once for all tests.
    pub fn nth(n: usize) -> TestKey {
        static KEYS: OnceLock<Vec<Arc<KeyPair>>> = OnceLock::new();
        let keys = KEYS.get_or_init(|| {
            (0..4).map(|_| Arc::new(KeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))).collect()
        });
        // Standard base64 with all that makes it unlike base64url, 44 characters, as Cognito's are.
        let kid = STANDARD.encode([0xfb, 0xff, n as u8].repeat(11).into_iter().take(32).collect::<Vec<u8>>());
        TestKey { kid, pair: keys[n].clone() }
    }

    /// The same key under another id.
    pub fn named(&self, kid: &str) -> TestKey {
        TestKey { kid: kid.to_owned(), pair: self.pair.clone() }
    }

    pub fn modulus(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().modulus().big_endian_without_leading_zero())
    }

    pub fn exponent(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().exponent().big_endian_without_leading_zero())
    }

    /// The public key as X.509 SubjectPublicKeyInfo, for attacks that use it as an HMAC secret.
    pub fn public_der(&self) -> Vec<u8> {
        let der: aws_lc_rs::encoding::PublicKeyX509Der = self.pair.public_key().as_der().expect("a public key");
        der.as_ref().to_vec()
    }

    /// The key as a pool publishes it.
    pub fn jwk(&self) -> Value {
        json!({ "alg": "RS256", "e": self.exponent(), "kid": self.kid, "kty": "RSA", "n": self.modulus(), "use": "sig" })
    }

    /// Signs what comes before the second dot and puts it all together.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.signature(signed.as_bytes())))
    }

    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("a signature");
        signature
    }
}

/// The pool: two keys, as a genuine one has, published by a fixture.
pub struct TestPool {
    pub id_key: TestKey,
    pub access_key: TestKey,
    pub jwks: JwksFixture,
}

impl TestPool {
    pub async fn start() -> TestPool {
        let (id_key, access_key) = (TestKey::nth(0), TestKey::nth(1));
        let jwks = JwksFixture::start(&[&id_key, &access_key]).await;
        TestPool { id_key, access_key, jwks }
    }

    pub fn user_pool(&self) -> UserPool {
        UserPool {
            id: POOL_ID.to_owned(),
            issuers: vec![ISSUER.to_owned(), NEW_ISSUER.to_owned()],
            jwks_urls: vec![self.jwks.url()],
            client_ids: vec![CLIENT_ID.to_owned()],
        }
    }

    /// A genuine ID token of the user `name`, e-mail `name@example.com`, to be bent before it is signed.
    pub fn token(&self, name: &str) -> TokenBuilder {
        let claims = json!({
            "sub": format!("sub-of-{name}"), "email_verified": true, "iss": ISSUER, "cognito:username": name,
            "origin_jti": "b2ae6f0e-0ef1-4a0c-a4b7-2f0e9f3b6a10", "aud": CLIENT_ID,
            "event_id": "6d1a4b1e-7f5e-4f0b-8a2b-7f1f3c1f5e11", "token_use": "id",
            "auth_time": now() - 5, "exp": now() + 3600, "iat": now() - 5,
            "jti": "0c3c2a3e-3b0f-4f57-9a55-5b9f7c1d2e12", "email": format!("{name}@example.com"),
        });
        TokenBuilder::new(&self.id_key, claims)
    }

    /// A genuine access token of the user `name`.
    pub fn access_token(&self, name: &str) -> TokenBuilder {
        let claims = json!({
            "sub": format!("sub-of-{name}"), "iss": ISSUER, "client_id": CLIENT_ID, "token_use": "access",
            "origin_jti": "b2ae6f0e-0ef1-4a0c-a4b7-2f0e9f3b6a10", "scope": "aws.cognito.signin.user.admin",
            "auth_time": now() - 5, "exp": now() + 3600, "iat": now() - 5,
            "jti": "1c3c2a3e-3b0f-4f57-9a55-5b9f7c1d2e12", "username": name, "version": 2,
        });
        TokenBuilder::new(&self.access_key, claims)
    }

    /// A genuine token of a machine client (client credentials).
    pub fn machine_token(&self, client_id: &str, scope: &str) -> TokenBuilder {
        let claims = json!({
            "sub": client_id, "token_use": "access", "scope": scope, "auth_time": now() - 5, "iss": ISSUER,
            "exp": now() + 3600, "iat": now() - 5, "version": 2, "jti": "2c3c2a3e-3b0f-4f57-9a55-5b9f7c1d2e12",
            "client_id": client_id,
        });
        TokenBuilder::new(&self.access_key, claims)
    }
}

/// A token in the making.
#[derive(Clone)]
#[must_use]
pub struct TokenBuilder {
    key: TestKey,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl TokenBuilder {
    fn new(key: &TestKey, claims: Value) -> TokenBuilder {
        let (Value::Object(header), Value::Object(claims)) = (json!({ "kid": key.kid, "alg": "RS256" }), claims) else {
            unreachable!("both are objects")
        };
        TokenBuilder { key: key.clone(), header, claims }
    }

    /// Sets a claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> TokenBuilder {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a claim out.
    pub fn without(mut self, name: &str) -> TokenBuilder {
        self.claims.remove(name);
        self
    }

    /// Sets a member of the header.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> TokenBuilder {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a member of the header out.
    pub fn without_header(mut self, name: &str) -> TokenBuilder {
        self.header.remove(name);
        self
    }

    /// Signs with another key, and names it in the header.
    pub fn key(mut self, key: &TestKey) -> TokenBuilder {
        self.key = key.clone();
        self.header("kid", key.kid.clone())
    }

    /// Signs with another key, without saying so in the header.
    pub fn signed_by(mut self, key: &TestKey) -> TokenBuilder {
        self.key = key.clone();
        self
    }

    /// The header as JSON.
    pub fn header_json(&self) -> String {
        Value::Object(self.header.clone()).to_string()
    }

    /// The claims as JSON.
    pub fn claims_json(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    pub fn sign(&self) -> String {
        self.key.sign(&self.header_json(), &self.claims_json())
    }
}

/// The claims of a token, without a look at its signature.
#[track_caller]
pub fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|claims| serde_json::from_slice(&claims).ok());
    claims.unwrap_or_else(|| panic!("no token: {token}"))
}

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_secs() as i64
}
