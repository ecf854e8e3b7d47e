//! [`JsonApi`]: a service of AWS with the JSON 1.1 protocol. Calls that AWS throttles or breaks off are repeated, so they
//! must be such that may happen twice.
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::{Position, Url};

use super::backoff::{ATTEMPTS, pause};
use super::credentials::{Chain, CredentialsError};
use super::environment::Environment;
use super::error::AwsError;
use super::http_client::{BodyError, chain, http_client, parse_json, read_body};
use super::partition::endpoint;
use super::sigv4::{Request, sign};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// Of one attempt.
const PATIENCE: Duration = Duration::from_secs(20);
/// While a person waits, who tries again: a change whose answer was lost would otherwise happen twice.
const HASTE: (u32, Duration) = (1, Duration::from_secs(8));
/// 60 users with all attributes at their longest have about 6 MiB.
const MAX_BYTES: usize = 8 * 1024 * 1024;
const MAX_ERROR_CHARS: usize = 300;

/// What is the same for all pools and accounts.
pub struct Service {
    /// In host names and signatures.
    pub name: &'static str,
    /// Before the action, in `X-Amz-Target`.
    pub target: &'static str,
    /// The variable with another endpoint.
    pub endpoint: &'static str,
}

pub struct JsonApi {
    service: Service,
    region: String,
    url: Url,
    client: Client,
    credentials: Chain,
    /// Of one call.
    attempts: u32,
    patience: Duration,
}

/// The members of an error differ in case from service to service.
#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl JsonApi {
    pub fn open(
        service: Service,
        region: &str,
        environment: Environment,
        ca_file: Option<PathBuf>,
    ) -> Result<JsonApi, AwsError> {
        let url = environment.endpoint(service.endpoint, &endpoint(service.name, region))?;
        let client = http_client(&url, ca_file.as_deref()).map_err(AwsError::Settings)?;
        let credentials = Chain::new(environment, region.to_owned(), ca_file);
        let (region, attempts, patience) = (region.to_owned(), ATTEMPTS, PATIENCE);
        Ok(JsonApi { service, region, url, client, credentials, attempts, patience })
    }

    /// Gives up soon.
    pub fn in_haste(self) -> JsonApi {
        let (attempts, patience) = HASTE;
        JsonApi { attempts, patience, ..self }
    }

    /// Finds credentials without calling the service. Returns the id of the access key.
    pub async fn access_key_id(&self) -> Result<String, CredentialsError> {
        self.credentials.credentials().await.map(|found| found.access_key_id)
    }

    pub async fn call<T: DeserializeOwned>(&self, action: &str, request: &serde_json::Value) -> Result<T, AwsError> {
        let request = request.to_string();
        let mut attempt = 1;
        let body = loop {
            let error = match self.attempt(action, &request).await {
                Ok(body) => break body,
                Err(error) => error,
            };
            let is_curable = match &error {
                AwsError::CredentialsExpired(_) => self.credentials.forget().await,
                error => error.is_transient(),
            };
            if !is_curable || attempt == self.attempts {
                return Err(error);
            }
            log::debug!("{action}, attempt {attempt}: {error}");
            tokio::time::sleep(pause(attempt)).await;
            attempt += 1;
        };
        // An output without members may have no body.
        let body = if body.is_empty() { b"{}" } else { &body[..] };
        parse_json(body).map_err(AwsError::Unusable)
    }

    async fn attempt(&self, action: &str, body: &str) -> Result<Vec<u8>, AwsError> {
        let credentials = self.credentials.credentials().await?;
        let target = format!("{}.{action}", self.service.target);
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        let headers = [("content-type", CONTENT_TYPE), ("host", host), ("x-amz-target", target.as_str())];
        let (region, service) = (self.region.as_str(), self.service.name);
        let signed = Request { method: "POST", region, service, headers: &headers, body: body.as_bytes() };
        let mut request = self.client.post(self.url.clone()).timeout(self.patience).body(body.to_owned());
        for (name, value) in sign(&signed, &credentials, Utc::now()) {
            let mut value = HeaderValue::try_from(value).map_err(|error| AwsError::Unusable(error.to_string()))?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, *value);
        }
        let unreachable = |error: reqwest::Error| AwsError::Unreachable(chain(&error.without_url()));
        let response = request.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_body(response, MAX_BYTES).await.map_err(|error| match error {
            BodyError::Lost(problem) => AwsError::Unreachable(problem),
            error => AwsError::Unusable(error.to_string()),
        })?;
        if status == StatusCode::OK { Ok(body) } else { Err(failure(status, &headers, &body)) }
    }
}

fn failure(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> AwsError {
    let error: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let header = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    let kind = header.filter(|_| error.kind.is_empty()).unwrap_or(&error.kind);
    // `com.amazonaws.cognito#NotAuthorizedException:http://...`
    let code = kind.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let (code, message) = (shown(code), shown(&error.message));
    match code.as_str() {
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" | "RequestLimitExceeded" => {
            AwsError::Throttled(code)
        }
        "ExpiredTokenException" | "ExpiredToken" => AwsError::CredentialsExpired(message),
        "InvalidSignatureException" | "RequestTimeTooSkewed" if is_about_time(&message) => {
            AwsError::ClockSkew(format!("{}{message}", difference(headers)))
        }
        _ if status == StatusCode::TOO_MANY_REQUESTS => AwsError::Throttled(status.to_string()),
        _ if status.is_server_error() => AwsError::Unavailable(format!("{status} {code}").trim_end().to_owned()),
        "" => AwsError::Refused(status.to_string(), "the answer has no reason".to_owned()),
        _ => AwsError::Refused(code, message),
    }
}

fn is_about_time(message: &str) -> bool {
    ["Signature expired", "Signature not yet current", "too skewed"].iter().any(|part| message.contains(part))
}

/// How far the clock is from that of AWS, if the answer says so.
fn difference(headers: &HeaderMap) -> String {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) else { return String::new() };
    let seconds = (Utc::now() - theirs.to_utc()).num_seconds();
    let side = if seconds < 0 { "behind" } else { "ahead of" };
    format!("it is {} seconds {side} that of AWS; ", seconds.unsigned_abs())
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_ERROR_CHARS).collect::<String>().escape_debug().to_string()
}
