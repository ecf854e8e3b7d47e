//! A user pool without AWS, for development: two RSA keys in a file next to the database, which sign tokens like
//! Cognito's. Anyone who can read the file can impersonate any user, so only its owner may read it, and
//! [`crate::config`] allows this pool only in development mode on a loopback address.

use std::io;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::jwk::{Key, KeySet};
use super::signatures;
use super::user_pool::UserPool;
use crate::crypto::{hex, key_file, random};
use crate::error::Error;
use crate::users::models::email_key;

pub const CLIENT_ID: &str = "localdevelopmentclient0000";
/// The admin's app client.
pub const ADMIN_CLIENT_ID: &str = "localdevelopmentadmin00000";

pub struct LocalPool {
    /// As in Cognito, ID and access tokens are signed with different keys.
    id_key: SigningKey,
    access_key: SigningKey,
}

struct SigningKey {
    kid: String,
    modulus: String,
    exponent: String,
    private: EncodingKey,
}

#[derive(Clone, Debug)]
pub struct TokenRequest {
    pub email: String,
    pub verified: bool,
    pub access: bool,
    /// Seconds from now to `exp`; negative for an expired token.
    pub expires_in: i64,
    pub groups: Vec<String>,
    /// The app client.
    pub client_id: &'static str,
    /// The `nonce` of the sign-in, if there was one.
    pub nonce: Option<String>,
}

impl TokenRequest {
    /// An ID token of the app's client for a user whose e-mail is verified, good for an hour.
    pub fn new(email: String) -> TokenRequest {
        let (client_id, expires_in) = (CLIENT_ID, 3600);
        TokenRequest { email, verified: true, access: false, expires_in, groups: Vec::new(), client_id, nonce: None }
    }
}

impl LocalPool {
    /// Creates a missing file.
    pub fn open(path: &Path) -> io::Result<LocalPool> {
        match key_file::read(path) {
            // An unreadable file may be half-written by another process.
            Ok(text) => LocalPool::from_text(&text).map_or_else(|| LocalPool::open_or_create(path), Ok),
            Err(error) if error.kind() == io::ErrorKind::NotFound => LocalPool::open_or_create(path),
            Err(error) => Err(error),
        }
    }

    fn open_or_create(path: &Path) -> io::Result<LocalPool> {
        LocalPool::from_text(&key_file::read_or_create(path, LocalPool::new_keys)?).ok_or_else(|| {
            let problem = "is not a key file of the local user pool; remove it, and a new one is created";
            io::Error::new(io::ErrorKind::InvalidData, problem)
        })
    }

    fn new_keys() -> io::Result<String> {
        let failed = |_| io::Error::other("no RSA key could be created");
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

    /// Id and issuer are derived from the keys, not from the port, so links survive a changed port.
    pub fn user_pool(&self) -> UserPool {
        let name: String = self.id_key.kid.chars().filter(char::is_ascii_alphanumeric).take(9).collect();
        let id = format!("local_{name}");
        UserPool {
            issuers: vec![format!("https://cognito-idp.local.amazonaws.com/{id}")],
            jwks_urls: Vec::new(),
            client_ids: vec![CLIENT_ID.to_owned()],
            id,
        }
    }

    pub fn key_set(&self) -> KeySet {
        let keys = [&self.id_key, &self.access_key].into_iter();
        keys.filter_map(|key| Some((key.kid.clone(), Arc::new(Key::new(&key.modulus, &key.exponent)?)))).collect()
    }

    pub fn jwks(&self) -> Value {
        let keys = [&self.id_key, &self.access_key].map(|key| {
            json!({ "alg": "RS256", "e": key.exponent, "kid": key.kid, "kty": "RSA", "n": key.modulus, "use": "sig" })
        });
        json!({ "keys": keys })
    }

    pub fn token(&self, request: &TokenRequest) -> Result<String, Error> {
        let pool = self.user_pool();
        let now = Utc::now().timestamp();
        // The `sub` is derived from the e-mail, so every token of an e-mail is for the same user.
        let email = email_key(&request.email).unwrap_or_default();
        let sub = uuid(&digest(&SHA256, format!("{}/{email}", pool.id).as_bytes()).as_ref()[..16]);
        let mut claims = json!({
            "sub": sub, "iss": pool.issuer(), "origin_jti": random_uuid()?, "event_id": random_uuid()?,
            "auth_time": now, "exp": now.saturating_add(request.expires_in), "iat": now, "jti": random_uuid()?,
        });
        let own = if request.access {
            json!({ "token_use": "access", "client_id": request.client_id, "scope": "aws.cognito.signin.user.admin", "username": request.email })
        } else {
            json!({
                "token_use": "id", "aud": request.client_id, "email": request.email, "email_verified": request.verified,
                "cognito:username": request.email,
            })
        };
        if let (Some(claims), Value::Object(own)) = (claims.as_object_mut(), own) {
            claims.extend(own);
        }
        if !request.groups.is_empty() {
            claims["cognito:groups"] = json!(request.groups);
        }
        if let Some(nonce) = &request.nonce {
            claims["nonce"] = json!(nonce);
        }
        let key = if request.access { &self.access_key } else { &self.id_key };
        key.sign(&claims)
    }

    /// A token of the client credentials grant.
    pub fn machine_token(&self, client_id: &str, scope: &str, expires_in: i64) -> Result<String, Error> {
        let now = Utc::now().timestamp();
        self.access_key.sign(&json!({
            "sub": client_id, "token_use": "access", "scope": scope, "auth_time": now, "iss": self.user_pool().issuer(),
            "exp": now.saturating_add(expires_in), "iat": now, "version": 2, "jti": random_uuid()?, "client_id": client_id,
        }))
    }
}

impl SigningKey {
    fn from_base64(line: &str) -> Option<SigningKey> {
        signatures::install();
        let pkcs8 = STANDARD.decode(line.trim()).ok()?;
        let pair = KeyPair::from_pkcs8(&pkcs8).ok()?;
        let public = pair.public_key();
        Some(SigningKey {
            // Like Cognito's key ids: 44 characters of base64.
            kid: STANDARD.encode(digest(&SHA256, public.as_ref()).as_ref()),
            modulus: URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            exponent: URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
            private: EncodingKey::from_rsa_der(&pkcs8),
        })
    }

    fn sign(&self, claims: &Value) -> Result<String, Error> {
        // Cognito's headers have no `typ`.
        let header = Header { typ: None, kid: Some(self.kid.clone()), ..Header::new(Algorithm::RS256) };
        let token = jsonwebtoken::encode(&header, claims, &self.private);
        token.map_err(|error| Error::Internal(format!("the token could not be signed: {error}")))
    }
}

fn random_uuid() -> Result<String, Error> {
    random::<16>().map(|bytes| uuid(&bytes))
}

/// Version 4 (RFC 9562).
fn uuid(bytes: &[u8]) -> String {
    let mut hex: Vec<char> = hex(bytes).chars().collect();
    hex[12] = '4';
    hex[16] = ['8', '9', 'a', 'b'][usize::from(bytes[8]) % 4];
    let hex: String = hex.into_iter().collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cognito::Refusal;
    use crate::cognito::jwks::Jwks;
    use crate::cognito::token::Claims;
    use crate::cognito::user_pool::TokenUse;
    use crate::cognito::verifier::Verifier;

    fn request() -> TokenRequest {
        TokenRequest::new("Alice@example.com".to_owned())
    }

    async fn verify(pool: &LocalPool, token: &str) -> Result<Claims, Refusal> {
        let jwks = Jwks::fixed(pool.key_set());
        Verifier::new(pool.user_pool(), TokenUse::Any, Duration::from_secs(30), jwks).claims(token).await
    }

    #[tokio::test]
    async fn its_tokens_are_good_for_itself_and_for_no_other_pool() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let pool = LocalPool::open(&folder.path().join("keys")).expect("a pool");
        let other = LocalPool::open(&folder.path().join("other")).expect("a pool");
        let issue = |request: &TokenRequest| pool.token(request).expect("a token");

        let token = issue(&request());
        let claims = verify(&pool, &token).await.expect("a good token");
        assert_eq!((claims.email.as_deref(), claims.email_verified), (Some("Alice@example.com"), true));
        assert_eq!((claims.username.as_deref(), claims.token_use.as_deref()), (Some("Alice@example.com"), Some("id")));
        assert_eq!(verify(&other, &token).await, Err(Refusal::KeyUnknown));

        // The e-mail address identifies the user, whatever its case and the kind of token.
        let access = issue(&TokenRequest { email: "alice@EXAMPLE.com".to_owned(), access: true, ..request() });
        let access = verify(&pool, &access).await.expect("a good token");
        assert_eq!(
            (&access.sub, access.email.as_ref(), access.client_id.as_deref()),
            (&claims.sub, None, Some(CLIENT_ID))
        );
        let bob = issue(&TokenRequest { email: "bob@example.com".to_owned(), ..request() });
        assert_ne!(verify(&pool, &bob).await.expect("a good token").sub, claims.sub);

        let unverified = issue(&TokenRequest { verified: false, ..request() });
        assert!(!verify(&pool, &unverified).await.expect("a good token").email_verified);
        let expired = issue(&TokenRequest { expires_in: -3600, ..request() });
        assert_eq!(verify(&pool, &expired).await, Err(Refusal::TokenExpired));
    }

    #[test]
    fn its_tokens_are_good_for_another_implementation() {
        use jsonwebtoken::{DecodingKey, Validation, crypto::aws_lc, decode, decode_header, jwk::JwkSet};
        let folder = tempfile::TempDir::new().expect("a folder");
        let pool = LocalPool::open(&folder.path().join("keys")).expect("a pool");
        let keys: JwkSet = serde_json::from_value(pool.jwks()).expect("a key set");
        let mut expected = Validation::new(Algorithm::RS256);
        expected.set_audience(&[CLIENT_ID]);
        expected.set_issuer(&[pool.user_pool().issuer()]);

        let token = pool.token(&request()).expect("a token");
        let kid = decode_header(&token).expect("a header").kid.expect("a key id");
        let key = DecodingKey::from_jwk(keys.find(&kid).expect("the key is published")).expect("a key");
        let claims = decode::<Value>(&token, &key, &expected).expect("a good token").claims;
        assert_eq!(claims["email"], json!("Alice@example.com"));

        // Decoding used Gatepost's provider, which is the process's. The stock provider must accept the signature too.
        let stock = (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, &key).expect("a verifier");
        let (signed, signature) = token.rsplit_once('.').expect("a token");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        assert!(stock.verify(signed.as_bytes(), &signature).is_ok());
        assert!(stock.verify(b"another message", &signature).is_err());
    }

    #[test]
    fn its_tokens_have_the_shape_of_cognitos() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let pool = LocalPool::open(&folder.path().join("keys")).expect("a pool");
        let parts = |request: &TokenRequest| -> [Value; 2] {
            let token = pool.token(request).expect("a token");
            let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"));
            [0, 1].map(|_| serde_json::from_slice(&parts.next().expect("a part")).expect("JSON"))
        };
        let names = |value: &Value| {
            let mut names: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
            names.sort();
            names.join(" ")
        };
        let [header, claims] = parts(&TokenRequest { groups: vec!["readers".to_owned()], ..request() });
        let [access_header, access] = parts(&TokenRequest { access: true, ..request() });
        assert_eq!((names(&header).as_str(), header["kid"].as_str().map(str::len)), ("alg kid", Some(44)));
        assert_ne!(header["kid"], access_header["kid"]);
        assert_eq!(claims["cognito:groups"], json!(["readers"]));
        let expected = "aud auth_time cognito:groups cognito:username email email_verified event_id exp iat iss jti origin_jti sub token_use";
        assert_eq!(names(&claims), expected);
        let expected = "auth_time client_id event_id exp iat iss jti origin_jti scope sub token_use username";
        assert_eq!(names(&access), expected);
        let sub = claims["sub"].as_str().expect("a text");
        assert!(
            sub.len() == 36 && &sub[14..15] == "4" && "89ab".contains(&sub[19..20]),
            "{sub} is a UUID of version 4"
        );
    }

    #[test]
    fn its_keys_last_and_are_the_owners_alone() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("keys");
        let first = LocalPool::open(&path).expect("a pool");
        let again = LocalPool::open(&path).expect("the same pool");
        assert_eq!((first.user_pool(), first.jwks()), (again.user_pool(), again.jwks()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(!first.jwks().to_string().contains("\"d\""), "a private exponent is published");
    }

    fn set_mode(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the mode is set");
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("keys");
        LocalPool::open(&path).expect("a pool");
        for mode in [0o644, 0o640, 0o602, 0o601] {
            set_mode(&path, mode);
            let error = LocalPool::open(&path).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("chmod 600"), "{mode:o}: {error}");
        }
        set_mode(&path, 0o400);
        assert!(LocalPool::open(&path).is_ok(), "the owner may make it read-only");
    }

    #[test]
    fn a_file_that_holds_no_keys_is_left_alone() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("keys");
        for text in ["\n\n", "something of the user's", "AAAA\nAAAA\n"] {
            std::fs::write(&path, text).expect("a file");
            set_mode(&path, 0o600);
            let error = LocalPool::open(&path).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("is not a key file"), "{text:?}: {error}");
            assert_eq!(std::fs::read_to_string(&path).expect("a file"), text);
        }
    }
}
