//! Password hashes in Django's formats. Users who came from Django keep theirs until they sign in; new ones are Argon2id.
//!
//! All parameters come from the hash (<https://docs.djangoproject.com/en/stable/topics/auth/passwords/>), so each has a
//! limit: a hash that takes too much work is not tried.

use std::fmt;
use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::SHA256;
use aws_lc_rs::{digest, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::crypto::hex;

const MAX_ITERATIONS: u32 = 10_000_000;
/// In KiB: 1 GiB.
const MAX_ARGON2_MEMORY: u32 = 1 << 20;
/// KiB times passes. Four passes over the greatest memory take seconds.
const MAX_ARGON2_WORK: u64 = 1 << 22;
const MAX_SCRYPT_MEMORY: u64 = 256 << 20;
const MAX_SCRYPT_PARALLELISM: u32 = 16;
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=16;
/// The part of a bcrypt hash after the salt.
const BCRYPT_DIGEST: std::ops::RangeFrom<usize> = 29..;

/// The schemes that Django has dropped.
const DROPPED: [&str; 4] = ["sha1", "crypt", "unsalted_md5", "unsalted_sha1"];

pub struct DjangoHash {
    work: Work,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

/// The scheme and its parameters, which decide how long a check takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    Pbkdf2Sha256(NonZeroU32),
    Pbkdf2Sha1(NonZeroU32),
    Argon2 { algorithm: Algorithm, version: Version, params: Params },
    BcryptSha256(u32),
    Bcrypt(u32),
    Scrypt { log_n: u8, r: u32, p: u32 },
    Md5,
}

/// Why no password can match. The names are those of known schemes: a text that is no hash may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Empty, or marked by Django as unusable.
    NoPassword,
    Unsupported(&'static str),
    Malformed(&'static str),
    TooCostly(&'static str),
    Unknown,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::NoPassword => f.write_str("there is no password"),
            Unusable::Unsupported(scheme) => write!(f, "the scheme {scheme} is not supported"),
            Unusable::Malformed(scheme) => write!(f, "it is not a complete {scheme} hash"),
            Unusable::TooCostly(scheme) => write!(f, "its {scheme} parameters would take too much time or memory"),
            Unusable::Unknown => f.write_str("its scheme is unknown"),
        }
    }
}

impl DjangoHash {
    pub fn parse(text: &str) -> Result<DjangoHash, Unusable> {
        if text.is_empty() || text.starts_with('!') {
            return Err(Unusable::NoPassword);
        }
        let Some((scheme, rest)) = text.split_once('$') else {
            let is_md5 = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            return Err(if is_md5 { Unusable::Unsupported("unsalted_md5") } else { Unusable::Unknown });
        };
        let fields: Vec<&str> = rest.split('$').collect();
        match scheme {
            "pbkdf2_sha256" => pbkdf2("pbkdf2_sha256", Work::Pbkdf2Sha256, &fields, 32),
            "pbkdf2_sha1" => pbkdf2("pbkdf2_sha1", Work::Pbkdf2Sha1, &fields, 20),
            "argon2" => argon2(&text["argon2".len()..]),
            "bcrypt_sha256" => bcrypt("bcrypt_sha256", Work::BcryptSha256, rest),
            "bcrypt" => bcrypt("bcrypt", Work::Bcrypt, rest),
            "scrypt" => scrypt(&fields),
            "md5" => md5(&fields),
            other => {
                Err(DROPPED.into_iter().find(|known| *known == other).map_or(Unusable::Unknown, Unusable::Unsupported))
            }
        }
    }

    pub fn verify(&self, password: &str) -> bool {
        let derived = self.work.derive(password, &self.salt, self.digest.len());
        derived.is_some_and(|derived| verify_slices_are_equal(&derived, &self.digest).is_ok())
    }

    pub fn work(&self) -> &Work {
        &self.work
    }
}

fn pbkdf2(
    scheme: &'static str,
    work: fn(NonZeroU32) -> Work,
    fields: &[&str],
    length: usize,
) -> Result<DjangoHash, Unusable> {
    let malformed = Unusable::Malformed(scheme);
    let [iterations, salt, digest] = *fields else { return Err(malformed) };
    let iterations = number(iterations).ok_or(malformed)?;
    let (salt, digest) = (salted(salt).ok_or(malformed)?, STANDARD.decode(digest).map_err(|_| malformed)?);
    // PBKDF2 derives as many bytes as it is asked for, so a shortened digest would match.
    if digest.len() != length {
        return Err(malformed);
    }
    let iterations = u32::try_from(iterations).ok().filter(|iterations| *iterations <= MAX_ITERATIONS);
    let iterations = iterations.and_then(NonZeroU32::new).ok_or(Unusable::TooCostly(scheme))?;
    Ok(DjangoHash { work: work(iterations), salt, digest })
}

fn argon2(phc: &str) -> Result<DjangoHash, Unusable> {
    let malformed = Unusable::Malformed("argon2");
    let parsed = PasswordHash::new(phc).map_err(|_| malformed)?;
    let algorithm = Algorithm::new(parsed.algorithm.as_str()).map_err(|_| malformed)?;
    // The format's default, unlike the crate's, is the older version.
    let version = parsed.version.map_or(Ok(Version::V0x10), Version::try_from).map_err(|_| malformed)?;
    let params = Params::try_from(&parsed).map_err(|_| malformed)?;
    let (Some(salt), Some(digest)) = (&parsed.salt, &parsed.hash) else { return Err(malformed) };
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if params.m_cost() > MAX_ARGON2_MEMORY || work > MAX_ARGON2_WORK {
        return Err(Unusable::TooCostly("argon2"));
    }
    let (salt, digest) = (salt.to_vec(), digest.as_bytes().to_vec());
    Ok(DjangoHash { work: Work::Argon2 { algorithm, version, params }, salt, digest })
}

fn bcrypt(scheme: &'static str, work: fn(u32) -> Work, text: &str) -> Result<DjangoHash, Unusable> {
    let malformed = Unusable::Malformed(scheme);
    if !["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
        return Err(malformed);
    }
    let parts: bcrypt::HashParts = text.parse().map_err(|_| malformed)?;
    if !BCRYPT_COSTS.contains(&parts.get_cost()) {
        return Err(Unusable::TooCostly(scheme));
    }
    let digest = text.get(BCRYPT_DIGEST).ok_or(malformed)?.as_bytes().to_vec();
    Ok(DjangoHash { work: work(parts.get_cost()), salt: parts.get_salt_raw().to_vec(), digest })
}

fn scrypt(fields: &[&str]) -> Result<DjangoHash, Unusable> {
    let (malformed, too_costly) = (Unusable::Malformed("scrypt"), Unusable::TooCostly("scrypt"));
    let [n, salt, r, p, digest] = *fields else { return Err(malformed) };
    let [n, r, p] = [n, r, p].map(number);
    let (Some(n), Some(r), Some(p)) = (n, r, p) else { return Err(malformed) };
    let (salt, digest) = (salted(salt).ok_or(malformed)?, STANDARD.decode(digest).map_err(|_| malformed)?);
    if digest.len() != 64 || !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
        return Err(malformed);
    }
    let memory = n.checked_mul(r).and_then(|blocks| blocks.checked_mul(128));
    if memory.is_none_or(|memory| memory > MAX_SCRYPT_MEMORY) || p > MAX_SCRYPT_PARALLELISM.into() {
        return Err(too_costly);
    }
    let (log_n, r, p) = (n.ilog2() as u8, r as u32, p as u32);
    Ok(DjangoHash { work: Work::Scrypt { log_n, r, p }, salt, digest })
}

fn md5(fields: &[&str]) -> Result<DjangoHash, Unusable> {
    match *fields {
        ["", _] => Err(Unusable::Unsupported("unsalted_md5")),
        [salt, digest] if digest.len() == 32 => {
            Ok(DjangoHash { work: Work::Md5, salt: salt.as_bytes().to_vec(), digest: digest.as_bytes().to_vec() })
        }
        _ => Err(Unusable::Malformed("md5")),
    }
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // What is beyond 64 bits is beyond every limit.
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A salt is text, not base64. Django refuses an empty one.
fn salted(salt: &str) -> Option<Vec<u8>> {
    (!salt.is_empty()).then(|| salt.as_bytes().to_vec())
}

impl Work {
    /// Adds it to a list, of which each member stands for all that are within it.
    pub fn add_to(self, works: &mut Vec<Work>) {
        if works.iter().any(|work| self.is_within(work)) {
            return;
        }
        works.retain(|work| !work.is_within(&self));
        works.push(self);
    }

    /// Whether it is the same, or the beginning of the other: iterations come one after the other.
    pub fn is_within(&self, other: &Work) -> bool {
        self == other || other.without(self).is_some()
    }

    /// What is left to do after `done`, which is within it.
    pub fn without(&self, done: &Work) -> Option<Work> {
        let rest = |all: &NonZeroU32, done: &NonZeroU32| all.get().checked_sub(done.get()).and_then(NonZeroU32::new);
        match (self, done) {
            (Work::Pbkdf2Sha256(all), Work::Pbkdf2Sha256(done)) => rest(all, done).map(Work::Pbkdf2Sha256),
            (Work::Pbkdf2Sha1(all), Work::Pbkdf2Sha1(done)) => rest(all, done).map(Work::Pbkdf2Sha1),
            _ => None,
        }
    }

    /// Takes as long as checking a hash with this work.
    pub fn spend(&self, password: &str) {
        std::hint::black_box(self.derive(password, b"0123456789abcdef", self.digest_length()));
    }

    fn digest_length(&self) -> usize {
        match self {
            Work::Pbkdf2Sha1(_) => 20,
            Work::Argon2 { params, .. } => params.output_len().unwrap_or(32),
            Work::Scrypt { .. } => 64,
            _ => 32,
        }
    }

    /// `None` if the password cannot be hashed in this way.
    fn derive(&self, password: &str, salt: &[u8], length: usize) -> Option<Vec<u8>> {
        let (password, mut derived) = (password.as_bytes(), vec![0; length]);
        match self {
            Work::Pbkdf2Sha256(iterations) => {
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, *iterations, salt, password, &mut derived);
            }
            Work::Pbkdf2Sha1(iterations) => {
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, *iterations, salt, password, &mut derived);
            }
            Work::Argon2 { algorithm, version, params } => {
                let argon2 = Argon2::new(*algorithm, *version, params.clone());
                argon2.hash_password_into(password, salt, &mut derived).ok()?;
            }
            Work::BcryptSha256(cost) => {
                let sha256 = hex(digest::digest(&SHA256, password).as_ref());
                return bcrypt_digest(sha256.as_bytes(), *cost, salt);
            }
            Work::Bcrypt(cost) => return bcrypt_digest(password, *cost, salt),
            Work::Scrypt { log_n, r, p } => {
                scrypt::scrypt(password, salt, &scrypt::Params::new(*log_n, *r, *p).ok()?, &mut derived).ok()?;
            }
            Work::Md5 => {
                return Some(hex(&Md5::new().chain_update(salt).chain_update(password).finalize()).into_bytes());
            }
        }
        Some(derived)
    }
}

/// Of the first 72 bytes. bcrypt ends a password at a NUL, which would make different passwords equal.
fn bcrypt_digest(password: &[u8], cost: u32, salt: &[u8]) -> Option<Vec<u8>> {
    if password.contains(&0) {
        return None;
    }
    let hash = bcrypt::hash_with_salt(password, cost, salt.try_into().ok()?).ok()?.to_string();
    hash.get(BCRYPT_DIGEST).map(|digest| digest.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "Zażółć 7 gęślą";
    /// Made by Django 5.2 and, where Django no longer makes them, by the libraries it uses.
    const HASHES: &[&str] = &[
        "pbkdf2_sha256$1200$SalzüBergŁódź$6F73679GbPxBYOIsqh3LuD4c/x0NMW3S9B1VZw53RVg=",
        "pbkdf2_sha1$1300$seasalt2seasalt2$25b+QFkbCP4o1AsZBHj2igilToA=",
        "scrypt$1024$seasalt3seasalt3$8$1$tLiFMCyjxAMCyMzLj/YPBE/10gVn+/+qB4VZ86PU1Kw5BJctDrbW5H6J2T8zCPuZpsTSXti16vK3PGSedrS26Q==",
        "scrypt$2048$seasalt3seasalt3$8$5$QuIVu12aGRXgfhjCQb/oqeQJ1MDd9Psxvgyaz4QJB0Lv7/u2eyyMpU3iv0W7J+csQmmJ4upRJlBHAwb2RLcZpg==",
        "md5$seasalt4$35133774fcef3c9716791d9a94f6687a",
        "bcrypt_sha256$$2b$04$TA5iF7v185s7gRuVW0nNyu397xTcn3W/9f9AYhMKg6/WbnOxe6jOK",
        "bcrypt$$2a$04$mu/6twID.2xNRKpzP44TreH8fcpCf7ufdQ.G1VgG.f/Lu0nwqz5xe",
        "argon2$argon2id$v=19$m=1024,t=2,p=8$c2Vhc2FsdDVzZWFzYWx0NQ$xXBbE8V/AOL91pbSIj2QDo91+U1ylJaB2EFCNBW/LvM",
        "argon2$argon2i$v=19$m=512,t=2,p=2$c2Vhc2FsdDVzZWFzYWx0NQ$W4IITdHXSwOz6TqR/lzadg",
        "argon2$argon2d$v=19$m=64,t=1,p=1$c2Vhc2FsdDVzZWFzYWx0NQ$fPRIGddOfEcUEuI8xTWKWkrDqgTPlW2asuiFdQxX8PA",
        "argon2$argon2i$m=512,t=2,p=2$c2Vhc2FsdDVzZWFzYWx0NQ$gw5g7zwsr7cxJG7qVCG2xw",
    ];

    #[test]
    fn of_works_that_differ_in_iterations_the_longest_stands_for_all() {
        let pbkdf2 = |iterations| Work::Pbkdf2Sha256(NonZeroU32::new(iterations).expect("not zero"));
        let mut works = Vec::new();
        for work in [pbkdf2(30), pbkdf2(10), Work::Bcrypt(4), pbkdf2(50), Work::Bcrypt(5), pbkdf2(50), Work::Bcrypt(4)]
        {
            work.add_to(&mut works);
        }
        assert_eq!(works, [Work::Bcrypt(4), pbkdf2(50), Work::Bcrypt(5)]);
        assert_eq!((pbkdf2(50).without(&pbkdf2(10)), pbkdf2(50).without(&pbkdf2(50))), (Some(pbkdf2(40)), None));
        assert!(pbkdf2(10).is_within(&pbkdf2(50)) && pbkdf2(50).is_within(&pbkdf2(50)));
        assert!(!pbkdf2(51).is_within(&pbkdf2(50)) && !Work::Bcrypt(4).is_within(&Work::Bcrypt(5)));
    }

    fn problem(hash: &str) -> Unusable {
        DjangoHash::parse(hash).err().unwrap_or_else(|| panic!("{hash} is taken"))
    }

    #[test]
    fn only_the_very_password_matches_a_hash_of_each_scheme() {
        for hash in HASHES {
            let parsed = DjangoHash::parse(hash).unwrap_or_else(|problem| panic!("{hash}: {problem}"));
            assert!(parsed.verify(PASSWORD), "{hash}");
            for other in
                ["", "zażółć 7 gęślą", "Zażółć 7 gęślą ", "Zaz\u{307}o\u{301}\u{142}c\u{301} 7 gęślą", "Zażółć 7 gęśl"]
            {
                assert!(!parsed.verify(other), "{hash} {other}");
            }
            parsed.work().spend(PASSWORD);
        }
    }

    #[test]
    fn a_hash_that_was_cut_matches_nothing() {
        for hash in HASHES {
            for length in (0..hash.len()).filter(|length| hash.is_char_boundary(*length)) {
                let matches = DjangoHash::parse(&hash[..length]).is_ok_and(|cut| cut.verify(PASSWORD));
                assert!(!matches, "{}", &hash[..length]);
            }
            assert!(DjangoHash::parse(&format!("{hash}$")).is_err() && DjangoHash::parse(&format!("{hash}=")).is_err());
        }
        // 16 of 32 bytes, which PBKDF2 would derive as gladly.
        assert_eq!(
            problem("pbkdf2_sha256$1200$SalzüBergŁódź$6F73679GbPxBYOIsqh3LuA=="),
            Unusable::Malformed("pbkdf2_sha256")
        );
    }

    #[test]
    fn bcrypt_takes_the_first_72_bytes_and_no_nul() {
        let hash = DjangoHash::parse("bcrypt$$2b$04$ctSv4HLtY04d5hs35ozUQea3nPEbn2OTpvSqqHfw6rC5hO3GtJKFO");
        let hash = hash.expect("a hash");
        assert!(hash.verify(&"x".repeat(72)) && hash.verify(&"x".repeat(80)) && !hash.verify(&"x".repeat(71)));
        assert!(!hash.verify(&format!("{}\0", "x".repeat(72))));
    }

    #[test]
    fn what_takes_too_much_work_is_not_tried() {
        let digest = STANDARD.encode([0; 32]);
        let long = STANDARD.encode([0; 64]);
        let phc = "c2Vhc2FsdDVzZWFzYWx0NQ$fPRIGddOfEcUEuI8xTWKWkrDqgTPlW2asuiFdQxX8PA";
        for (scheme, hash) in [
            ("pbkdf2_sha256", format!("pbkdf2_sha256$10000001$salt${digest}")),
            ("pbkdf2_sha256", format!("pbkdf2_sha256$99999999999999999999999$salt${digest}")),
            ("pbkdf2_sha256", format!("pbkdf2_sha256$0$salt${digest}")),
            ("argon2", format!("argon2$argon2id$v=19$m=1048577,t=1,p=1${phc}")),
            ("argon2", format!("argon2$argon2id$v=19$m=512,t=4000000000,p=1${phc}")),
            ("scrypt", format!("scrypt$262144$salt$9$1${long}")),
            ("scrypt", format!("scrypt$1024$salt$8$17${long}")),
            ("scrypt", format!("scrypt$9223372036854775808$salt$4294967295$4294967295${long}")),
            ("bcrypt", "bcrypt$$2b$17$XE.ecDsfR6p4kWw6tcH7WeToYbV3wR1agT6KGNUaDGxOIgXeUS7F2".to_owned()),
        ] {
            assert_eq!(problem(&hash), Unusable::TooCostly(scheme), "{hash}");
        }
        let greatest = format!("pbkdf2_sha256$10000000$salt${digest}");
        assert!(DjangoHash::parse(&greatest).is_ok() && DjangoHash::parse(&greatest.replace("10000000", "1")).is_ok());
        assert_eq!(problem(&format!("scrypt$1000$salt$8$1${long}")), Unusable::Malformed("scrypt"));
    }

    #[test]
    fn only_known_schemes_are_named() {
        for (hash, expected) in [
            ("", Unusable::NoPassword),
            ("!", Unusable::NoPassword),
            ("!QvGrmyMsQ5kqnQPtCzT1vD6gQFJ0uDYBd5BJaRFf", Unusable::NoPassword),
            ("sha1$salt$2f0a34e0b4e9ccdd7ff4c1d5a2d9ec0c2b9bb2a6", Unusable::Unsupported("sha1")),
            ("md5$$35133774fcef3c9716791d9a94f6687a", Unusable::Unsupported("unsalted_md5")),
            ("35133774fcef3c9716791d9a94f6687a", Unusable::Unsupported("unsalted_md5")),
            ("crypt$$ab1hv2Lg7ltQo", Unusable::Unsupported("crypt")),
            ("hunter2", Unusable::Unknown),
            ("hunter2$3$salt", Unusable::Unknown),
            ("$argon2id$v=19$m=19456,t=2,p=1$Z2F0ZXBvc3Q$4bRCFFb", Unusable::Unknown),
            ("argon2$hunter2", Unusable::Malformed("argon2")),
            ("bcrypt$$2x$04$XE.ecDsfR6p4kWw6tcH7WeToYbV3wR1agT6KGNUaDGxOIgXeUS7F2", Unusable::Malformed("bcrypt")),
        ] {
            assert_eq!(problem(hash), expected, "{hash}");
            assert!(!problem(hash).to_string().contains("hunter2"));
        }
    }
}
