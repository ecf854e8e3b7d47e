//! Strict parsing of JSON Web Tokens (RFC 7515, RFC 7519): anything that Cognito never sends is refused (RFC 8725).
//! [`super::verifier`] checks the signature.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::Refusal;

/// Cognito's have 1 to 8 KiB.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// Cognito's have 44 characters.
const MAX_KID_CHARS: usize = 256;
/// Cognito never sends these, and each would need support.
const FORBIDDEN_MEMBERS: [&str; 5] = ["crit", "jwk", "jku", "x5u", "x5c"];
/// The last second of the year 9999. A later time is a mistake or an attack.
const MAX_TIME: f64 = 253_402_300_799.0;

/// The header is checked; the claims are not decoded yet.
#[derive(Debug)]
pub struct Token<'a> {
    pub kid: String,
    /// Header and claims as received.
    pub signed: &'a str,
    pub signature: &'a str,
    claims: &'a str,
}

impl<'a> Token<'a> {
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
        // No extension is supported, so every critical one is refused (RFC 7515, section 4.1.11). A key in the header
        // is refused too: it would be ignored, but only an attacker sends one.
        if FORBIDDEN_MEMBERS.iter().any(|name| members.get(name).is_some())
            || members.get("b64").is_some_and(|b64| *b64 != Member::Flag(true))
        {
            return Err(Refusal::HeaderNotSupported);
        }
        // A malformed signature is a malformed token, whatever its key.
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

    /// Decodes the claims. Call this only after verifying the signature.
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
            nonce: members.text("nonce").map(str::to_owned),
            acr: members.text("acr").map(str::to_owned),
            groups: texts(members.get("cognito:groups"))?,
            scope: members.text("scope").map(str::to_owned),
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    pub sub: String,
    pub iss: Option<String>,
    /// `id` or `access`.
    pub token_use: Option<String>,
    /// In an ID token.
    pub aud: Option<String>,
    /// In an access token.
    pub client_id: Option<String>,
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    /// In Unix seconds, like all times here.
    pub exp: i64,
    pub iat: Option<i64>,
    pub nbf: Option<i64>,
    pub auth_time: Option<i64>,
    /// Binds the token to a sign-in (OpenID Connect Core 1.0, section 2).
    pub nonce: Option<String>,
    /// How the user signed in: `urn:cognito:loa:N`.
    pub acr: Option<String>,
    /// The user's groups in the pool: `cognito:groups`.
    pub groups: Vec<String>,
    pub scope: Option<String>,
}

impl Claims {
    /// Whether a client has the token for itself (client credentials, RFC 6749, section 4.4). All others have a user.
    pub fn is_machine(&self) -> bool {
        let is_own = self.client_id.as_ref() == Some(&self.sub);
        is_own && self.username.is_none() && self.token_use.as_deref() == Some("access")
    }
}

/// Cognito sends a boolean; emulators and the trigger's event send the string "true".
fn is_true(member: Option<&Member>) -> bool {
    match member {
        Some(Member::Flag(verified)) => *verified,
        Some(Member::Text(verified)) => verified == "true",
        _ => false,
    }
}

/// A NumericDate (RFC 7519, section 2), possibly with a fraction.
fn numeric_date(member: &Member) -> Result<i64, Refusal> {
    match member {
        // In this range a double represents whole seconds exactly.
        Member::Number(seconds) if (0.0..=MAX_TIME).contains(seconds) => Ok(seconds.floor() as i64),
        _ => Err(Refusal::ClaimInvalid),
    }
}

/// A user has at most 100 groups, but a trigger may add others, so the size of a token is the only limit.
fn texts(member: Option<&Member>) -> Result<Vec<String>, Refusal> {
    match member {
        None => Ok(Vec::new()),
        Some(Member::Texts(texts)) => Ok(texts.iter().map(|text| text.clone().into_owned()).collect()),
        Some(_) => Err(Refusal::ClaimInvalid),
    }
}

fn decode(segment: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| Refusal::TokenMalformed)
}

/// Duplicate names are errors at any depth: parsers disagree on which one counts, and an attacker could exploit that.
/// Strings are borrowed, because parsing the claims is the main cost of a verification after the signature.
struct Members<'a>(Vec<(Cow<'a, str>, Member<'a>)>);

#[derive(Debug, PartialEq)]
enum Member<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Flag(bool),
    /// A list of texts alone.
    Texts(Vec<Cow<'a, str>>),
    /// Null, another list or an object.
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
                // About as many as Cognito's tokens have.
                members.reserve(16);
            }
            members.push((name, member));
        }
        let mut names: Vec<&str> = members.iter().map(|(name, _): &(Cow<str>, _)| &**name).collect();
        // By length first, which distinguishes most names cheaply.
        names.sort_unstable_by_key(|name| (name.len(), *name));
        match names.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(de::Error::custom("duplicate member")),
            false => Ok(Members(members)),
        }
    }
}

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
        let mut texts = Some(Vec::new());
        while let Some(item) = items.next_element()? {
            match (item, &mut texts) {
                (Member::Text(text), Some(texts)) => texts.push(text),
                _ => texts = None,
            }
        }
        Ok(texts.map_or(Member::Other, Member::Texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Member<'de>, A::Error> {
        Members::read(entries).map(|_| Member::Other)
    }
}
