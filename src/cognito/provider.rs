//! The pool as an OpenID Connect provider: its endpoints, and the exchange of a code for an ID token.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html>

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Response};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::aws::http_client::{BodyError, chain, http_client, parse_json, read_body};
use crate::cognito::local_pool::ADMIN_CLIENT_ID;
use crate::cognito::user_pool::checked_url;
use crate::crypto::Secret;

/// How long endpoints from discovery are used before they are fetched again.
const DISCOVERED_FOR: Duration = Duration::from_secs(3600);
/// How long a failure counts for all who wait for the endpoints, so that they do not wait one after the other.
const FAILED_FOR: Duration = Duration::from_secs(1);
/// Maximum size of an answer. A token answer of Cognito has 4 to 12 KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The app client of the admin, and where its users sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    pub issuer: String,
    pub client_id: String,
    /// `None` for a public client.
    pub client_secret: Option<Secret>,
    /// Each replaces what discovery says.
    pub authorization_url: Option<Url>,
    pub token_url: Option<Url>,
    pub logout_url: Option<Url>,
    /// The accepted values of `acr`; empty: any or none.
    pub acr: Vec<String>,
}

impl ProviderSettings {
    /// The admin's app client of the local pool.
    pub fn local(issuer: &str) -> ProviderSettings {
        ProviderSettings {
            issuer: issuer.to_owned(),
            client_id: ADMIN_CLIENT_ID.to_owned(),
            client_secret: None,
            authorization_url: None,
            token_url: None,
            logout_url: None,
            acr: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub authorization: Url,
    pub token: Url,
    /// Cognito's `/logout`, if there is one.
    pub logout: Option<Url>,
}

/// Why the provider did not give an ID token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It did not answer, or not in time.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It answered something that no provider of this pool would.
    #[error("its answer cannot be used: {0}")]
    Unusable(String),
    /// It refused the code.
    #[error("it refused the code: {0}")]
    CodeRefused(String),
}

pub struct Provider {
    pub settings: ProviderSettings,
    /// A PEM file of authorities to trust in addition to the system's.
    ca_file: Option<PathBuf>,
    /// Those of the local pool, which are known once the server listens.
    fixed: OnceLock<Arc<Endpoints>>,
    discovered: Mutex<Discovered>,
    client: OnceLock<Client>,
}

/// What discovery found, and how and when its last attempt ended.
#[derive(Default)]
struct Discovered {
    endpoints: Option<Arc<Endpoints>>,
    last: Option<(Instant, Result<(), ProviderError>)>,
}

/// The metadata of OpenID Connect Discovery 1.0, section 3.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
}

/// RFC 6749, section 5.2.
#[derive(Deserialize)]
struct TokenError {
    error: String,
}

impl Provider {
    pub fn new(settings: ProviderSettings, ca_file: Option<PathBuf>) -> Provider {
        Provider { settings, ca_file, fixed: OnceLock::new(), discovered: Mutex::default(), client: OnceLock::new() }
    }

    /// Sets the endpoints for good, without discovery.
    pub fn fix(&self, endpoints: Endpoints) {
        let _ = self.fixed.set(Arc::new(endpoints));
    }

    /// The endpoints: those of the settings, and the others from discovery.
    pub async fn endpoints(&self) -> Result<Arc<Endpoints>, ProviderError> {
        if let Some(endpoints) = self.fixed.get() {
            return Ok(endpoints.clone());
        }
        let mut known = self.discovered.lock().await;
        let is_fresh = known
            .last
            .as_ref()
            .is_some_and(|(at, outcome)| at.elapsed() < if outcome.is_ok() { DISCOVERED_FOR } else { FAILED_FOR });
        if !is_fresh {
            let outcome = self.find_endpoints().await.map(|found| known.endpoints = Some(Arc::new(found)));
            known.last = Some((Instant::now(), outcome));
        }
        // They hardly ever change, so an outage of discovery alone keeps nobody out.
        match (&known.endpoints, &known.last) {
            (Some(endpoints), _) => Ok(endpoints.clone()),
            (None, Some((_, Err(error)))) => Err(error.clone()),
            (None, _) => Err(ProviderError::Unusable("there are no endpoints".to_owned())),
        }
    }

    async fn find_endpoints(&self) -> Result<Endpoints, ProviderError> {
        let ProviderSettings { authorization_url, token_url, logout_url, .. } = &self.settings;
        if let (Some(authorization), Some(token), Some(_)) = (authorization_url, token_url, logout_url) {
            let (authorization, token) = (authorization.clone(), token.clone());
            return Ok(Endpoints { authorization, token, logout: logout_url.clone() });
        }
        let found = self.discover().await?;
        let chosen = |setting: &Option<Url>, found: &Option<String>| match (setting, found) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(found)) => checked_url(found).map_err(ProviderError::Unusable),
            (None, None) => {
                Err(ProviderError::Unusable("discovery names no endpoints: does the pool have a domain?".to_owned()))
            }
        };
        let logout = logout_url.clone().map(Ok).or_else(|| found.end_session_endpoint.as_deref().map(checked_url));
        Ok(Endpoints {
            authorization: chosen(authorization_url, &found.authorization_endpoint)?,
            token: chosen(token_url, &found.token_endpoint)?,
            logout: logout.transpose().map_err(ProviderError::Unusable)?,
        })
    }

    async fn discover(&self) -> Result<Metadata, ProviderError> {
        let url = Url::parse(&discovery_url(&self.settings.issuer))
            .map_err(|error| ProviderError::Unusable(error.to_string()))?;
        let client = http_client(&url, self.ca_file.as_deref()).map_err(ProviderError::Unreachable)?;
        let answer = client.get(url.clone()).send().await.map_err(|error| ProviderError::Unreachable(chain(&error)))?;
        if !answer.status().is_success() {
            return Err(ProviderError::Unreachable(format!("the answer of {url} is {}", answer.status())));
        }
        let metadata: Metadata = parse_json(&body(answer).await?).map_err(ProviderError::Unusable)?;
        // OpenID Connect Discovery 1.0, section 4.3: a provider that speaks for another issuer is an attack.
        if metadata.issuer != self.settings.issuer {
            return Err(ProviderError::Unusable("discovery names another issuer".to_owned()));
        }
        Ok(metadata)
    }

    /// The client for the token endpoint. Making one reads the system's certificates.
    fn client(&self, url: &Url) -> Result<&Client, ProviderError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = http_client(url, self.ca_file.as_deref()).map_err(ProviderError::Unreachable)?;
        Ok(self.client.get_or_init(|| client))
    }

    /// The URL that ends the session at the provider and leads back to `logout_uri`, which the app client must allow.
    pub fn logout_url(&self, endpoints: &Endpoints, logout_uri: &str) -> Option<Url> {
        let mut url = endpoints.logout.clone()?;
        url.query_pairs_mut().append_pair("client_id", &self.settings.client_id).append_pair("logout_uri", logout_uri);
        Some(url)
    }

    /// Exchanges a code for an ID token, which is not verified yet. All other tokens are dropped at once.
    pub async fn id_token(&self, code: &str, verifier: &str, redirect_uri: &str) -> Result<String, ProviderError> {
        let url = self.endpoints().await?.token.clone();
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("code_verifier", verifier)
            .finish();
        let request = self.client(&url)?.post(url).body(form);
        let mut request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(secret) = &self.settings.client_secret {
            request = request.header(AUTHORIZATION, basic(&self.settings.client_id, secret));
        }
        let answer = request.send().await.map_err(|error| ProviderError::Unreachable(chain(&error.without_url())))?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(ProviderError::Unreachable(format!("its answer is {status}")));
        }
        let body = body(answer).await?;
        if !status.is_success() {
            let error: TokenError = parse_json(&body).map_err(ProviderError::Unusable)?;
            return Err(ProviderError::CodeRefused(error.error.chars().take(100).collect()));
        }
        parse_json(&body).map(|answer: TokenAnswer| answer.id_token).map_err(ProviderError::Unusable)
    }
}

pub fn discovery_url(issuer: &str) -> String {
    format!("{issuer}/.well-known/openid-configuration")
}

/// RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
fn basic(client_id: &str, secret: &Secret) -> String {
    let encoded = |bytes: &[u8]| form_urlencoded::byte_serialize(bytes).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id.as_bytes()), encoded(secret.as_bytes()))))
}

async fn body(answer: Response) -> Result<Vec<u8>, ProviderError> {
    read_body(answer, MAX_ANSWER_BYTES).await.map_err(|error| match error {
        BodyError::Lost(_) => ProviderError::Unreachable(error.to_string()),
        BodyError::TooLarge(_) | BodyError::Encoded(_) => ProviderError::Unusable(error.to_string()),
    })
}
