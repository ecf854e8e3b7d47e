//! The names that browsers know this site by, where a proxy in front of it has changed `Host`.

use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HeaderValue, X_FORWARDED_HOST};

use super::client_address::is_from_trusted_proxy;

/// The origin that browsers see, such as `https://admin.example.com:8443`, if it is set. Part of the application data.
#[derive(Clone)]
pub struct PublicOrigin(pub Option<String>);

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

/// `host` in the first element of `Forwarded`.
fn host_of(forwarded: &str) -> Option<String> {
    let mut rest = forwarded.trim_start();
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = after.find([';', ',']).unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        if name.trim().eq_ignore_ascii_case("host") {
            return Some(value);
        }
        rest = after.trim_start().strip_prefix(';')?.trim_start();
    }
}

/// A quoted string (RFC 9110, section 5.6.4) behind its first quotation mark, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
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
