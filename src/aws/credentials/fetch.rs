//! What the sources of credentials share.

use std::path::Path;

use chrono::{DateTime, Utc};
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;

use super::Credentials;
use crate::aws::http_client::{chain, parse_json, read_body};
use crate::crypto::Secret;

/// Credentials have 1 to 2 KiB.
const MAX_BYTES: usize = 64 * 1024;

/// Texts of the answer are never part of the problem: they may be secret.
pub async fn body(request: RequestBuilder) -> Result<(StatusCode, String), String> {
    let response = request.send().await.map_err(|error| chain(&error.without_url()))?;
    let status = response.status();
    let body = read_body(response, MAX_BYTES).await.map_err(|error| error.to_string())?;
    let body = String::from_utf8(body).map_err(|_| "the answer is not UTF-8".to_owned())?;
    Ok((status, body))
}

pub async fn successful_body(request: RequestBuilder) -> Result<String, String> {
    match body(request).await? {
        (StatusCode::OK, body) => Ok(body),
        (status, _) => Err(format!("the answer is {status}")),
    }
}

/// A file that an orchestrator writes anew from time to time.
pub fn token_file(variable: &str, path: &str) -> Result<String, String> {
    let token = std::fs::read_to_string(Path::new(path)).map_err(|error| format!("{variable}: {path}: {error}"))?;
    let token = token.trim();
    if token.is_empty() || token.len() > MAX_BYTES || token.contains(char::is_control) {
        return Err(format!("{variable}: {path}: it has no token"));
    }
    Ok(token.to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    code: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    token: Option<String>,
    expiration: Option<String>,
}

/// The JSON of containers and instances.
pub fn parse(json: &str) -> Result<Credentials, String> {
    let document: Document = parse_json(json.as_bytes())?;
    if let Some(code) = document.code.filter(|code| code != "Success") {
        return Err(format!("the answer is {}", code.escape_debug()));
    }
    let missing = || "the answer has no credentials".to_owned();
    Ok(Credentials {
        access_key_id: document.access_key_id.ok_or_else(missing)?,
        secret_access_key: document.secret_access_key.map(Secret::new).ok_or_else(missing)?,
        session_token: document.token.map(Secret::new),
        expires: document.expiration.as_deref().map(time).transpose()?,
    })
}

pub fn time(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse().map_err(|_| "the answer has no valid end of the credentials".to_owned())
}
