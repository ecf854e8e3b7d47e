//! A user pool without AWS, for development: two RSA keys in a file beside the database, and tokens of
//! Cognito's shape signed with them. Whoever can read the file can be anybody, so it is the owner's alone,
//! and [`crate::config`] allows this pool in development mode and on a loopback address only.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::Url;

use super::jwks::{Key, KeySet};
use super::user_pool::UserPool;

/// The local pool's one app client.
pub const CLIENT_ID: &str = "localdevelopmentclient0000";

/// The local user pool: its keys, and what follows from them.
pub struct LocalPool {
    /// As in a genuine pool, ID and access tokens are signed by different keys.
    id_key: SigningKey,
    access_key: SigningKey,
}

struct SigningKey {
    kid: String,
    pair: KeyPair,
}

/// What to put into a token.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// The user's e-mail, which is also their name in the pool.
    pub email: String,
    /// `email_verified`.
    pub verified: bool,
    /// An access token in place of an ID token.
    pub access: bool,
    /// Seconds from now to `exp`; negative for a token that has expired.
    pub expires_in: i64,
    /// `cognito:groups`.
    pub groups: Vec<String>,
}

impl LocalPool {
    /// Reads the pool's keys, or makes them and writes the file, with mode 0600.
    pub fn open(path: &Path) -> io::Result<LocalPool> {
        match std::fs::read_to_string(path) {
            // What cannot be read may be half written as yet.
            Ok(text) => LocalPool::from_text(&text).map_or_else(|| LocalPool::open_or_create(path), Ok),
            Err(error) if error.kind() == io::ErrorKind::NotFound => LocalPool::open_or_create(path),
            Err(error) => Err(error),
        }
    }

    /// Of several processes that find no keys, the first to lock the file makes them; the others wait.
    fn open_or_create(path: &Path) -> io::Result<LocalPool> {
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // A process that was killed right after it had created the file leaves it empty.
        if text.is_empty() {
            text = LocalPool::new_keys()?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all())?;
        }
        LocalPool::from_text(&text).ok_or_else(|| {
            let problem = "is not a key file of the local user pool; remove it, and a new one is made";
            io::Error::new(io::ErrorKind::InvalidData, problem)
        })
    }

    fn new_keys() -> io::Result<String> {
        let failed = |_| io::Error::other("no RSA key could be made");
        let mut lines = String::new();
        for _ in 0..2 {
            let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
            lines += &STANDARD.encode(pair.as_der().map_err(failed)?.as_ref());
            lines.push('\n');
        }
        Ok(lines)
    }

    fn from_text(text: &str) -> Option<LocalPool> {
        let mut keys = text.lines().map(SigningKey::from_base64);
        Some(LocalPool { id_key: keys.next()??, access_key: keys.next()?? })
    }

    /// The pool as the verifier sees it. Id and issuer follow from the keys and not from the port, so
    /// that links last when the address changes.
    pub fn user_pool(&self) -> UserPool {
        let name: String = self.id_key.kid.chars().filter(char::is_ascii_alphanumeric).take(9).collect();
        let id = format!("local_{name}");
        UserPool {
            issuers: vec![format!("https://cognito-idp.local.amazonaws.com/{id}")],
            jwks_urls: Vec::<Url>::new(),
            client_ids: vec![CLIENT_ID.to_owned()],
            id,
        }
    }

    /// The public keys, as the verifier takes them.
    pub fn key_set(&self) -> KeySet {
        let keys = [&self.id_key, &self.access_key].into_iter();
        keys.filter_map(|key| Some((key.kid.clone(), Arc::new(Key::new(key.modulus(), key.exponent())?)))).collect()
    }

    /// The public keys, as a pool publishes them.
    pub fn jwks(&self) -> Value {
        let keys = [&self.id_key, &self.access_key].map(|key| {
            json!({ "alg": "RS256", "e": key.exponent(), "kid": key.kid, "kty": "RSA", "n": key.modulus(), "use": "sig" })
        });
        json!({ "keys": keys })
    }

    /// Issues a token.
    pub fn token(&self, request: &TokenRequest) -> io::Result<String> {
        let pool = self.user_pool();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs() as i64;
        // An address stands for one user of this pool, however often a token is asked for.
        let sub = uuid(&digest(&SHA256, format!("{}/{}", pool.id, request.email.to_lowercase()).as_bytes()).as_ref()[..16]);
        let mut claims = json!({
            "sub": sub, "iss": pool.issuer(), "origin_jti": random_uuid()?, "event_id": random_uuid()?,
            "auth_time": now, "exp": now.saturating_add(request.expires_in), "iat": now, "jti": random_uuid()?,
        });
        let own = if request.access {
            json!({ "token_use": "access", "client_id": CLIENT_ID, "scope": "aws.cognito.signin.user.admin", "username": request.email })
        } else {
            json!({
                "token_use": "id", "aud": CLIENT_ID, "email": request.email, "email_verified": request.verified,
                "cognito:username": request.email,
            })
        };
        if let (Some(claims), Value::Object(own)) = (claims.as_object_mut(), own) {
            claims.extend(own);
            if !request.groups.is_empty() {
                claims.insert("cognito:groups".to_owned(), json!(request.groups));
            }
        }
        let key = if request.access { &self.access_key } else { &self.id_key };
        key.sign(&claims)
    }
}

impl SigningKey {
    fn from_base64(line: &str) -> Option<SigningKey> {
        let pair = KeyPair::from_pkcs8(&STANDARD.decode(line.trim()).ok()?).ok()?;
        // Like Cognito's: 44 characters of standard base64.
        let kid = STANDARD.encode(digest(&SHA256, pair.public_key().as_ref()).as_ref());
        Some(SigningKey { kid, pair })
    }

    fn modulus(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().modulus().big_endian_without_leading_zero())
    }

    fn exponent(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().exponent().big_endian_without_leading_zero())
    }

    fn sign(&self, claims: &Value) -> io::Result<String> {
        let header = URL_SAFE_NO_PAD.encode(json!({ "kid": self.kid, "alg": "RS256" }).to_string());
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| io::Error::other("the token could not be signed"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn random_uuid() -> io::Result<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("the system has no random numbers"))?;
    Ok(uuid(&bytes))
}

/// Writes 16 bytes as a UUID of version 4 (RFC 9562).
fn uuid(bytes: &[u8]) -> String {
    let mut hex: Vec<char> = bytes.iter().flat_map(|byte| format!("{byte:02x}").chars().collect::<Vec<_>>()).collect();
    hex[12] = '4';
    hex[16] = ['8', '9', 'a', 'b'][usize::from(bytes[8]) % 4];
    let hex: String = hex.into_iter().collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}
