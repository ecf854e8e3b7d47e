//! `?next=`: the page that opens after sign-in.

use url::Url;

/// The parameter of the URL that shows a kept form again.
pub const KEPT: &str = "_kept";

/// Whether the page shows a kept form.
pub fn is_kept(next: &str) -> bool {
    let query = next.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == KEPT)
}

pub fn sign_in_address(next: &str) -> String {
    with_next("/admin/login/", next)
}

pub fn with_next(page: &str, next: &str) -> String {
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    // A query may contain a slash, which is easier to read.
    format!("{page}?next={}", next.replace("%2F", "/"))
}

/// `next`, if every browser reads it as a path of this site.
pub fn own_path(next: &str) -> String {
    let own = || {
        let is_plain =
            next.starts_with('/') && !next.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace());
        let base = Url::parse("http://own.invalid/").ok().filter(|_| is_plain)?;
        let url = base.join(next).ok().filter(|url| url.origin() == base.origin())?;
        // A proxy may decode the start of the path, and a browser would take it for a host.
        let start = url.path().to_ascii_lowercase();
        let is_one_slash = !start[1..].starts_with('/') && !start.starts_with("/%2f") && !start.starts_with("/%5c");
        is_one_slash.then(|| url[url::Position::BeforePath..].to_owned())
    };
    own().unwrap_or_else(|| "/admin/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_followed() {
        for own in [
            "/admin/",
            "/admin/articles/?q=a%20b&o=-1",
            "/articles/",
            "/",
            "/admin/users/1/change/?next=//evil.example",
        ] {
            assert_eq!(own_path(own), own);
        }
        for foreign in [
            "",
            "admin/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: x=y",
            "/ /evil.example",
            " //evil.example",
            "\u{a0}//evil.example",
            "/\0/evil.example",
            "https://evil.example/",
            "https:evil.example",
            "HTTPS:/evil.example",
            "http://own.invalid/",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "/.//evil.example",
            "/..//evil.example",
            "/x/..//evil.example",
            "/%2fevil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%5C%5Cevil.example",
            "/%2e//evil.example",
            "%2f%2fevil.example",
            "?next=//evil.example",
            "#//evil.example",
            "@evil.example",
            "/\u{2028}/evil.example",
            "/admin\\..\\..\\evil",
        ] {
            assert_eq!(own_path(foreign), "/admin/", "{foreign:?}");
        }
    }
}
