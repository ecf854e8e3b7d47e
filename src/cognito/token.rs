//! Reading a JSON Web Token (RFC 7515, RFC 7519), strictly: what a genuine pool never sends is refused
//! (RFC 8725). Nothing here trusts the signature; [`super::verifier`] does the judging.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::refusal::Refusal;

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
    /// The signature, in base64url.
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
        let members = decode(header)?;
        if members.get("alg").and_then(Value::as_str) != Some("RS256") {
            return Err(Refusal::AlgorithmNotAllowed);
        }
        // No extension is understood, so each one that must be understood is refused (RFC 7515, 4.1.11). Nor
        // is a key that a token brings along: it would not be used, but only an attacker sends one.
        if FORBIDDEN_MEMBERS.iter().any(|name| members.contains_key(*name))
            || members.get("b64").is_some_and(|b64| *b64 != Value::Bool(true))
        {
            return Err(Refusal::HeaderNotSupported);
        }
        // An empty or bent signature is told from a wrong one before any key is sought.
        let bent = URL_SAFE_NO_PAD.decode(signature).map_or(true, |signature| signature.is_empty());
        if bent {
            return Err(Refusal::TokenMalformed);
        }
        match members.get("kid").and_then(Value::as_str) {
            Some(kid) if !kid.is_empty() && kid.len() <= MAX_KID_CHARS => {
                let signed = &token[..header.len() + 1 + claims.len()];
                Ok(Token { kid: kid.to_owned(), signed, signature, claims })
            }
            _ => Err(Refusal::KeyIdInvalid),
        }
    }

    /// Decodes the claims; to be called once the signature is known to be good.
    pub fn claims(&self) -> Result<Claims, Refusal> {
        let members = decode(self.claims)?;
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
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
fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(verified)) => verified == "true",
        _ => false,
    }
}

/// Seconds since 1970 (RFC 7519, section 2): a JSON number, a fraction allowed, within reason.
fn numeric_date(value: &Value) -> Result<i64, Refusal> {
    match value.as_f64() {
        // Within these bounds a double holds whole seconds exactly.
        Some(seconds) if (0.0..=MAX_TIME).contains(&seconds) => Ok(seconds.floor() as i64),
        _ => Err(Refusal::ClaimInvalid),
    }
}

/// Base64url without padding, of a JSON object without duplicate members.
fn decode(segment: &str) -> Result<Map<String, Value>, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(segment).map_err(|_| Refusal::TokenMalformed)?;
    match serde_json::from_slice(&bytes) {
        Ok(Unique(Value::Object(members))) => Ok(members),
        _ => Err(Refusal::TokenMalformed),
    }
}

/// Any JSON value in which no object has two members of one name: parsers disagree on which one counts,
/// and an attacker would choose the parser.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unique, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        let mut values = Vec::new();
        while let Some(Unique(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Unique(values.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unique, A::Error> {
        let mut members = Map::new();
        while let Some((name, Unique(value))) = entries.next_entry::<String, Unique>()? {
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("duplicate member"));
            }
        }
        Ok(Unique(members.into()))
    }
}
