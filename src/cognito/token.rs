//! Reading a JSON Web Token (RFC 7515, RFC 7519), strictly: what a genuine pool never sends is refused
//! (RFC 8725). Nothing here trusts the signature; [`super::verifier`] does the judging.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::Refusal;

/// The largest token that the verifier lets come this far. Genuine ones are 1 to 8 KiB.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest key id that is looked up. Cognito's have 44 characters.
const MAX_KID_CHARS: usize = 256;
/// Members of the header that a genuine token never has and that ask for more than is given.
const FORBIDDEN_MEMBERS: [&str; 5] = ["crit", "jwk", "jku", "x5u", "x5c"];
/// The last second of the year 9999: a later time is a mistake or an attack.
const MAX_TIME: f64 = 253_402_300_799.0;

/// A token taken apart: its header was judged, its claims not even decoded.
#[derive(Debug)]
pub struct Token<'a> {
    /// The signing key's id: an opaque string.
    pub kid: String,
    /// What was signed: header and claims as they came.
    pub signed: &'a str,
    /// The signature: base64url, and not empty.
    pub signature: &'a str,
    claims: &'a str,
}

impl<'a> Token<'a> {
    /// Takes a token apart and judges its header.
    pub fn parse(token: &'a str) -> Result<Token<'a>, Refusal> {
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::TokenMalformed);
        };
        if claims.is_empty() {
            return Err(Refusal::TokenMalformed);
        }
        let header_bytes = decode(header)?;
        let members = Members::parse(&header_bytes)?;
        if members.text("alg") != Some("RS256") {
            return Err(Refusal::AlgorithmNotAllowed);
        }
        // No extension is understood, so each one that must be understood is refused (RFC 7515, 4.1.11). Nor
        // is a key that a token brings along: it would not be used, but only an attacker sends one.
        if FORBIDDEN_MEMBERS.iter().any(|name| members.get(name).is_some())
            || members.get("b64").is_some_and(|b64| *b64 != Member::Flag(true))
        {
            return Err(Refusal::HeaderNotSupported);
        }
        // An empty or bent signature is told from a wrong one before any key is sought.
        if decode(signature)?.is_empty() {
            return Err(Refusal::TokenMalformed);
        }
        match members.text("kid") {
            Some(kid) if !kid.is_empty() && kid.len() <= MAX_KID_CHARS => {
                let signed = &token[..header.len() + 1 + claims.len()];
                Ok(Token { kid: kid.to_owned(), signed, signature, claims })
            }
            _ => Err(Refusal::KeyIdInvalid),
        }
    }

    /// Decodes the claims; to be called once the signature is known to be good.
    pub fn claims(&self) -> Result<Claims, Refusal> {
        let bytes = decode(self.claims)?;
        let members = Members::parse(&bytes)?;
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Member::Text(text)) => Ok(Some(text.clone().into_owned())),
            Some(_) => Err(Refusal::ClaimInvalid),
        };
        let time = |name: &str| members.get(name).map(numeric_date).transpose();
        let sub = text("sub")?
            .filter(|sub| !sub.is_empty() && sub.len() <= 255 && !sub.contains('\0'))
            .ok_or(Refusal::ClaimInvalid)?;
        Ok(Claims {
            sub,
            iss: text("iss")?,
            token_use: text("token_use")?,
            aud: text("aud")?,
            client_id: text("client_id")?,
            username: text("cognito:username")?.or(text("username")?),
            email: text("email")?,
            email_verified: is_true(members.get("email_verified")),
            exp: time("exp")?.ok_or(Refusal::ClaimInvalid)?,
            iat: time("iat")?,
            nbf: time("nbf")?,
            auth_time: time("auth_time")?,
        })
    }
}

/// The claims that matter here; all others are tolerated and never trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// The Cognito user within the pool.
    pub sub: String,
    /// The issuer.
    pub iss: Option<String>,
    /// `id` or `access`.
    pub token_use: Option<String>,
    /// The app client, in an ID token.
    pub aud: Option<String>,
    /// The app client, in an access token.
    pub client_id: Option<String>,
    /// The user's name in the pool.
    pub username: Option<String>,
    /// The user's e-mail, in an ID token.
    pub email: Option<String>,
    /// Whether Cognito has verified the e-mail.
    pub email_verified: bool,
    /// End of validity, in seconds since 1970.
    pub exp: i64,
    /// Time of issue, in seconds since 1970.
    pub iat: Option<i64>,
    /// Begin of validity, in seconds since 1970.
    pub nbf: Option<i64>,
    /// Time of sign-in, in seconds since 1970.
    pub auth_time: Option<i64>,
}

/// Cognito sends a boolean, emulators and the trigger's event the string "true". Nothing else is true.
fn is_true(member: Option<&Member>) -> bool {
    match member {
        Some(Member::Flag(verified)) => *verified,
        Some(Member::Text(verified)) => verified == "true",
        _ => false,
    }
}

/// Seconds since 1970 (RFC 7519, section 2): a JSON number, a fraction allowed, within reason.
fn numeric_date(member: &Member) -> Result<i64, Refusal> {
    match member {
        // Within these bounds a double holds whole seconds exactly.
        Member::Number(seconds) if (0.0..=MAX_TIME).contains(seconds) => Ok(seconds.floor() as i64),
        _ => Err(Refusal::ClaimInvalid),
    }
}

/// Base64url without padding.
fn decode(segment: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| Refusal::TokenMalformed)
}

/// The members of a JSON object in which, at any depth, no object has two members of one name: parsers disagree
/// on which one counts, and an attacker would choose the parser. Texts stay where they came, since reading the
/// claims of a new token is what its verification costs beside the signature.
struct Members<'a>(Vec<(Cow<'a, str>, Member<'a>)>);

/// A member's value, as far as it can matter.
#[derive(Debug, PartialEq)]
enum Member<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Flag(bool),
    /// Null, a list or an object.
    Other,
}

impl<'a> Members<'a> {
    fn parse(json: &'a [u8]) -> Result<Members<'a>, Refusal> {
        serde_json::from_slice(json).map_err(|_| Refusal::TokenMalformed)
    }

    fn get(&self, name: &str) -> Option<&Member<'a>> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, member)| member)
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Member::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn read<A: MapAccess<'a>>(mut entries: A) -> Result<Members<'a>, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), member)) = entries.next_entry()? {
            if members.is_empty() {
                // As many as a token of a pool has.
                members.reserve(16);
            }
            members.push((name, member));
        }
        let mut names: Vec<&str> = members.iter().map(|(name, _): &(Cow<str>, _)| &**name).collect();
        // By length first, which tells most of them apart.
        names.sort_unstable_by_key(|name| (name.len(), *name));
        match names.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(de::Error::custom("duplicate member")),
            false => Ok(Members(members)),
        }
    }
}

/// A member's name.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Members<'de>, A::Error> {
        Members::read(entries)
    }
}

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Member<'de>, D::Error> {
        deserializer.deserialize_any(MemberVisitor)
    }
}

struct MemberVisitor;

impl<'de> Visitor<'de> for MemberVisitor {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Member<'de>, E> {
        Ok(Member::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Member<'de>, E> {
        Ok(Member::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Member<'de>, E> {
        Ok(Member::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Member<'de>, E> {
        Ok(Member::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Member<'de>, E> {
        Ok(Member::Text(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Member<'de>, E> {
        Ok(Member::Text(value.to_owned().into()))
    }

    fn visit_unit<E>(self) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Member<'de>, A::Error> {
        while items.next_element::<Member>()?.is_some() {}
        Ok(Member::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Member<'de>, A::Error> {
        Members::read(entries).map(|_| Member::Other)
    }
}
