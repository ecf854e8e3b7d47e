//! E-mail addresses: which are valid, and which are the same.
//!
//! An internationalized domain has two spellings, such as `bücher.example` and `xn--bcher-kva.example`. Addresses are kept
//! as they were typed and compared in the second form (IDNA, UTS 46).

use std::net::{Ipv4Addr, Ipv6Addr};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Maximum length of a label of a domain (RFC 1035).
const MAX_LABEL_CHARS: usize = 63;
/// Maximum length of a domain (RFC 1035).
const MAX_DOMAIN_CHARS: usize = 253;

/// Whether an address is valid. What Django's `EmailValidator` refuses is refused, except for letters and digits beyond
/// ASCII before the @ (RFC 6531). Cognito verifies that mail arrives.
pub fn is_valid(email: &str) -> bool {
    email.rsplit_once('@').is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain))
}

/// The form in which addresses are compared. Different mailboxes may have the same, see [`is_same`].
pub fn key(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{}", local.to_lowercase(), ascii(domain)),
        None => email.to_lowercase(),
    }
}

/// Whether both are certainly the same mailbox. Letters beyond ASCII that only look or fold alike are not.
pub fn is_same(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((local, domain)), Some((other_local, other_domain))) => {
            let is_same_domain = domain.eq_ignore_ascii_case(other_domain)
                || (is_plain(domain) && is_plain(other_domain) && ascii(domain) == ascii(other_domain));
            local.eq_ignore_ascii_case(other_local) && is_same_domain
        }
        _ => one.eq_ignore_ascii_case(other),
    }
}

fn ascii(domain: &str) -> String {
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase())
}

/// Whether a domain has only characters that it is registered with, apart from case and the way to write accents. IDNA
/// also maps look-alikes, such as full-width letters, and drops invisible characters.
fn is_plain(domain: &str) -> bool {
    let folds_to_ascii = |c: char| !c.is_ascii() && c.to_lowercase().any(|lower| lower.is_ascii());
    let is_plain = |label: &str| {
        let lower: String = label.chars().flat_map(char::to_lowercase).nfc().collect();
        label.is_ascii() || idna::domain_to_unicode(label).0 == lower
    };
    !domain.contains(folds_to_ascii) && domain.split('.').all(is_plain)
}

fn is_local_part(local: &str) -> bool {
    let is_beyond_ascii = |c: char| !c.is_ascii() && (c.is_alphanumeric() || is_combining_mark(c));
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c) || is_beyond_ascii(c);
    let is_dot_atom = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
    is_dot_atom || local.strip_prefix('"').and_then(|local| local.strip_suffix('"')).is_some_and(is_quoted)
}

fn is_quoted(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' { chars.next() } else { Some(c).filter(|c| *c != '"') };
        if !c.is_some_and(|c| c.is_ascii_graphic() && c != '@') {
            return false;
        }
    }
    true
}

fn is_domain(domain: &str) -> bool {
    let literal = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']'));
    match literal {
        Some(ip) => ip.parse::<Ipv4Addr>().is_ok() || ip.parse::<Ipv6Addr>().is_ok(),
        None => domain == "localhost" || is_domain_name(domain),
    }
}

fn is_domain_name(domain: &str) -> bool {
    let Ok(ascii) = idna::domain_to_ascii(domain) else { return false };
    let is_short = ascii.len() <= MAX_DOMAIN_CHARS && ascii.split('.').all(|label| label.len() <= MAX_LABEL_CHARS);
    let has_top_level = domain.rsplit_once('.').is_some_and(|(_, label)| is_top_level(label));
    is_short && has_top_level && domain.split('.').all(is_label) && is_plain(domain)
}

fn is_label(label: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '-' || ('\u{a1}'..='\u{ffff}').contains(&c);
    let is_at_edge = |c: char| c == '-';
    let length = label.chars().count();
    (1..=MAX_LABEL_CHARS).contains(&length)
        && !label.starts_with(is_at_edge)
        && !label.ends_with(is_at_edge)
        && label.chars().all(|c| is_fit(c) && !c.is_whitespace())
}

fn is_top_level(label: &str) -> bool {
    let is_word = label.chars().count() >= 2 && !label.contains(|c: char| c.is_ascii_digit());
    let punycode = label.to_ascii_lowercase();
    let punycode = punycode.strip_prefix("xn--").filter(|rest| !rest.is_empty());
    is_word || punycode.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_domain_are_one_address() {
        for other in [
            "Kim@b\u{fc}cher.example",
            "kim@bu\u{308}cher.example",
            "KIM@B\u{dc}CHER.EXAMPLE",
            "kim@xn--bcher-kva.example",
            "kim@XN--BCHER-KVA.Example",
        ] {
            assert!(is_valid(other), "{other:?}");
            assert_eq!(key(other), "kim@xn--bcher-kva.example", "{other:?}");
            assert!(
                is_same(other, "kim@b\u{fc}cher.example") && is_same("kim@xn--bcher-kva.example", other),
                "{other:?}"
            );
        }
    }

    #[test]
    fn domains_that_idna_only_maps_to_another_are_not_the_same_address() {
        for (one, other) in [
            ("kim@example.com", "kim@\u{ff45}xample.com"),
            ("kim@example.com", "kim@exam\u{ad}ple.com"),
            ("kim@example.com", "kim@exam\u{200b}ple.com"),
            ("kim@kris.com", "kim@\u{212a}ris.com"),
            ("kim@example.com", "kim@ex\u{430}mple.com"),
            ("kim@strasse.example", "kim@stra\u{df}e.example"),
        ] {
            assert!(!is_same(one, other) && !is_same(other, one), "{other:?}");
        }
    }
}
