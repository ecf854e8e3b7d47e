//! Parses the settings about hosts and web origins.

use std::net::Ipv6Addr;

use url::Url;

use super::Mode;
use super::variables::{ConfigError, Variables, fail};
use crate::http::cors;
use crate::http::header_values::is_token;
use crate::http::listener::ListenAddress;
use crate::http::public_origin::host_of_address;

/// By which only programs on this machine call.
pub const LOOPBACK_HOSTS: [&str; 4] = ["localhost", ".localhost", "127.0.0.1", "[::1]"];

pub(super) fn allowed_hosts(
    env: &Variables,
    bind: &ListenAddress,
    public_origin: Option<&str>,
) -> Result<Vec<String>, ConfigError> {
    let hosts = env.list("ALLOWED_HOSTS");
    if let Some(bad) = hosts.iter().find(|host| !is_host(host)) {
        let bad = bad.escape_debug();
        return fail(
            "ALLOWED_HOSTS",
            format!(
                "`{bad}` is not a host name; write `example.com`, `.example.com` or `*`, without a scheme and a port"
            ),
        );
    }
    if !hosts.is_empty() {
        return Ok(hosts.iter().map(|host| canonical_host(host)).collect());
    }
    let mut hosts: Vec<String> = LOOPBACK_HOSTS.map(str::to_owned).to_vec();
    if let Some(ip) = bind.address().map(|address| address.ip())
        && !ip.is_unspecified()
        && !ip.is_loopback()
    {
        hosts.push(host_of_address(ip));
    }
    let public_url = public_origin.and_then(|origin| Url::parse(origin).ok());
    hosts.extend(public_url.and_then(|url| url.host_str().map(str::to_owned)));
    Ok(hosts)
}

/// An entry as browsers write it.
fn canonical_host(host: &str) -> String {
    match bracketed(host) {
        Some(ip) => format!("[{ip}]"),
        None => host.to_ascii_lowercase(),
    }
}

/// The IPv6 address between brackets.
fn bracketed(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

fn is_host(host: &str) -> bool {
    let name = host.strip_prefix('.').unwrap_or(host);
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && name.split('.').all(|label| !label.is_empty());
    host == "*" || is_name || bracketed(host).is_some()
}

pub(super) fn cors_allowed_origins(env: &Variables, mode: Mode) -> Result<Vec<String>, ConfigError> {
    let origins = env.list("CORS_ALLOWED_ORIGINS");
    for origin in &origins {
        refuse_password("CORS_ALLOWED_ORIGINS", origin)?;
        if let Some(problem) = origin_problem(origin) {
            return fail("CORS_ALLOWED_ORIGINS", format!("`{}` {problem}", origin.escape_debug()));
        }
    }
    if origins.is_empty() && mode == Mode::Development && env.get("CORS_ALLOWED_ORIGINS").is_none() {
        return Ok(vec!["http://localhost:3000".to_owned()]);
    }
    Ok(origins)
}

/// The message does not repeat the value, which may have a password.
fn refuse_password(name: &'static str, url: &str) -> Result<(), ConfigError> {
    match Url::parse(url) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            fail(name, "has a username or a password, which an origin never has")
        }
        _ => Ok(()),
    }
}

/// The origin that browsers see, however it is written.
pub(super) fn public_origin(env: &Variables) -> Result<Option<String>, ConfigError> {
    const NAME: &str = "PUBLIC_URL";
    refuse_password(NAME, env.get(NAME).unwrap_or_default())?;
    env.optional(NAME, |value| {
        let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https") && !value.contains('*'));
        let url = url.filter(|url| url.query().is_none() && url.fragment().is_none());
        let url = url.ok_or("is not an origin such as `https://admin.example.com`")?;
        if url.path() != "/" {
            return Err("has a path, but Gatepost works only at the root of a host: give it a host name of its own");
        }
        Ok(url.origin().ascii_serialization())
    })
}

/// What is wrong with a web origin: a scheme, a host and a port, compared as a string (RFC 6454, section 4).
fn origin_problem(origin: &str) -> Option<String> {
    let Some(url) = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https")) else {
        return Some("is not an origin such as `https://app.example.com`".to_owned());
    };
    let usual = url.origin().ascii_serialization();
    if usual == origin && !origin.contains('*') {
        return None;
    }
    let wrong = if origin.contains('*') {
        return Some("has a `*`; list every origin".to_owned());
    } else if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        "has a path, which an origin never has"
    } else if origin.ends_with('/') {
        "ends with a slash, which an origin never does"
    } else if origin.eq_ignore_ascii_case(&usual) {
        "has capital letters, which browsers never send"
    } else if url.port().is_none() && origin.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok()) {
        "has the default port, which browsers leave out"
    } else {
        "is not written as browsers send it"
    };
    Some(format!("{wrong}; write `{usual}`"))
}

pub(super) fn cors_allowed_headers(env: &Variables) -> Result<Vec<String>, ConfigError> {
    const NAME: &str = "CORS_ALLOWED_HEADERS";
    let names = env.list(NAME);
    // `*` would be a name that browsers ask for, and not any name.
    if let Some(bad) = names.iter().find(|name| !is_token(name) || *name == "*") {
        return fail(NAME, format!("`{}` is not the name of a header, such as `x-requested-with`", bad.escape_debug()));
    }
    if names.is_empty() {
        return Ok(cors::DEFAULT_HEADERS.map(str::to_owned).to_vec());
    }
    Ok(names.iter().map(|name| name.to_ascii_lowercase()).collect())
}
