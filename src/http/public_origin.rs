//! The names that browsers know this site by, where a proxy in front of it has changed `Host`.

use std::borrow::Cow;
use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HeaderValue, X_FORWARDED_HOST};

use super::client_address::is_from_trusted_proxy;
use super::header_values::{elements, split, unquoted};

/// The origin that browsers see, such as `https://admin.example.com:8443`, if it is set. Part of the application data.
#[derive(Clone)]
pub struct PublicOrigin(pub Option<String>);

/// An IP address as it stands in `Host` and in URLs.
pub fn host_of_address(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// The hosts that a trusted proxy says the browser has asked for. What another peer says does not count.
pub fn forwarded_hosts(request: &HttpRequest) -> Vec<String> {
    if is_from_trusted_proxy(request) { claimed_hosts(request) } else { Vec::new() }
}

/// The hosts in `X-Forwarded-Host` and in `Forwarded` (RFC 7239). Each proxy appends to a list, so the first one is
/// what the browser has asked for.
pub fn claimed_hosts(request: &HttpRequest) -> Vec<String> {
    let first = |name| request.headers().get(name).map(HeaderValue::to_str).and_then(Result::ok);
    let of_x = first(X_FORWARDED_HOST).and_then(|hosts| hosts.split(',').next()).map(|host| host.trim().to_owned());
    let of_forwarded = first(FORWARDED).and_then(host_of);
    of_x.into_iter().chain(of_forwarded).filter(|host| !host.is_empty()).collect()
}

/// `host` in the first element of `Forwarded`. Some proxies leave out the quotation marks that a port needs.
fn host_of(forwarded: &str) -> Option<String> {
    let mut pairs = split(elements(forwarded).next()?, ';').into_iter().filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("host"))?;
    match value.trim().strip_prefix('"') {
        Some(quoted) => unquoted(quoted).map(Cow::into_owned),
        None => Some(value.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_element_of_forwarded_names_the_host() {
        for (header, expected) in [
            ("host=admin.example.com", Some("admin.example.com")),
            ("for=192.0.2.1;proto=https;host=admin.example.com", Some("admin.example.com")),
            ("for=192.0.2.1; Host=\"admin.example.com:8443\", host=inner", Some("admin.example.com:8443")),
            ("for=\"[2001:db8::1]:4711\";host=\"a\\.b\";by=x", Some("a.b")),
            ("for=\"a;host=forged\";host=true", Some("true")),
            ("for=192.0.2.1, host=inner", None),
            ("host=\"admin.example.com", None),
            ("for", None),
            ("", None),
        ] {
            assert_eq!(host_of(header).as_deref(), expected, "{header}");
        }
    }
}
