//! What identifies a user pool, and the addresses that follow from its id.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>

use std::net::IpAddr;

use url::{Host, Url};

/// Which tokens are accepted, by their `token_use`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// ID tokens.
    Id,
    /// Access tokens.
    Access,
    /// Both.
    Any,
}

/// A user pool and the app clients whose tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPool {
    /// The pool's id, as the Post Confirmation event names it.
    pub id: String,
    /// The accepted values of `iss`. All stand for this one pool; users are linked under the first.
    pub issuers: Vec<String>,
    /// The addresses of the pool's key sets; none for the local pool, whose keys are at hand.
    pub jwks_urls: Vec<Url>,
    /// The accepted app clients.
    pub client_ids: Vec<String>,
}

impl UserPool {
    /// The issuer under which users are linked.
    pub fn issuer(&self) -> &str {
        self.issuers.first().map_or("", String::as_str)
    }
}

/// A checked pool id: `<region>_<alphanumeric>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolId {
    id: String,
    region: String,
}

impl PoolId {
    /// Checks the form of a pool id.
    pub fn parse(id: &str) -> Result<PoolId, String> {
        let malformed = || format!("`{}` is not a user pool id such as `eu-west-1_AbCdEfGhI`", id.escape_debug());
        let (region, name) = id.split_once('_').ok_or_else(malformed)?;
        let region_fits = region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let name_fits = name.bytes().all(|b| b.is_ascii_alphanumeric());
        if region.is_empty() || name.is_empty() || !region_fits || !name_fits || id.len() > 55 {
            return Err(malformed());
        }
        Ok(PoolId { id: id.to_owned(), region: region.to_owned() })
    }

    /// The id itself.
    pub fn as_str(&self) -> &str {
        &self.id
    }

    /// Both forms in which Cognito names the issuer of this pool.
    pub fn issuers(&self) -> [String; 2] {
        let PoolId { id, region } = self;
        [
            format!("https://cognito-idp.{region}.amazonaws.com/{id}"),
            format!("https://issuer-cognito-idp.{region}.amazonaws.com/{id}"),
        ]
    }
}

/// Where an issuer publishes its keys.
pub fn jwks_url(issuer: &str) -> String {
    format!("{issuer}/.well-known/jwks.json")
}

/// Parses an address that keys come from or that names an issuer. What guards every request must not
/// travel in the clear: `http` is for loopback addresses only.
pub fn checked_url(text: &str) -> Result<Url, String> {
    let shown = text.escape_debug();
    let url = Url::parse(text).map_err(|error| format!("`{shown}` is not a URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        // Not shown: the address is printed and logged, and this one holds a secret.
        return Err("the URL must not hold a user name or a password".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(format!("`{shown}` must begin with https:// (http:// is for loopback addresses only)")),
    }
}

/// Whether a URL's host is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}
