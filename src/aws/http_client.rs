//! The HTTP client for all that is fetched: the pool's keys, its sign-in, its users, and AWS credentials.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, Response, redirect};
use serde::de::DeserializeOwned;
use url::{Host, Url};

/// Of a fetch, and of a request that waits for one.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the body of a response cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("{0}")]
    Lost(String),
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
    /// It is compressed, though that was not asked for.
    #[error("the response is encoded with {0:?}, which was not asked for")]
    Encoded(HeaderValue),
}

pub fn http_client(url: &Url, ca_file: Option<&Path>) -> Result<Client, String> {
    // Without this, a server may compress as it likes (RFC 9110, section 12.5.3).
    let plain = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
    let mut builder = Client::builder()
        .default_headers(plain)
        .redirect(redirect::Policy::none())
        .timeout(FETCH_TIMEOUT)
        .connect_timeout(Duration::from_secs(3))
        .user_agent(concat!("gatepost/", env!("CARGO_PKG_VERSION")));
    // What is on this machine or its link is behind no proxy.
    if is_loopback(url) || is_link_local(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // Without TLS no certificates are needed, so a container without any must not fail.
        builder = builder.tls_certs_only([]);
    }
    if let Some(path) = ca_file {
        let unreadable = |error: &dyn std::fmt::Display| format!("COGNITO_CA_FILE: {}: {error}", path.display());
        let pem = std::fs::read(path).map_err(|error| unreadable(&error))?;
        // Editors on Windows begin a file with a byte order mark.
        let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&pem);
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| unreadable(&error))?;
        if certificates.is_empty() {
            return Err(unreadable(&"there is no certificate in it"));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    // Certificates are parsed only here.
    builder.build().map_err(|error| match ca_file {
        Some(path) => format!("COGNITO_CA_FILE: {}: {}", path.display(), chain(&error)),
        None => format!("the HTTP client for the pool cannot be created: {}", chain(&error)),
    })
}

pub async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    // Otherwise it would only be said to be no JSON.
    if let Some(coding) = response.headers().get(CONTENT_ENCODING).filter(|coding| *coding != "identity") {
        return Err(BodyError::Encoded(coding.clone()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::Lost(chain(&error.without_url())))? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The error repeats nothing of the body, which may be secret or somebody's data.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("{:?} error", error.classify()))
}

/// One line with all causes, because reqwest's own message omits them.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.escape_debug().to_string()
}

pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// Where AWS serves credentials to instances and containers.
pub fn is_link_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_link_local(),
        Some(Host::Ipv6(ip)) => ip.segments().starts_with(&[0xfd00, 0x0ec2]),
        _ => false,
    }
}
