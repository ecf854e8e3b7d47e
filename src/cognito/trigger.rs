//! [`TriggerKeys`]: what the endpoints of the pool's triggers share. Each call is signed with HMAC-SHA256 (RFC 2104) over
//! `v1.<unix seconds>.<body>`.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use aws_lc_rs::hmac;
use chrono::Utc;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::crypto::{Secret, equal, hex};
use crate::error::{Error, TriggerRefusal};
use crate::http::body::Body;
use crate::http::charset::Charset;
use crate::http::media_type::MediaType;
use crate::http::rate_limit::RateLimits;

pub const TIMESTAMP: &str = "X-Gatepost-Timestamp";
pub const SIGNATURE: &str = "X-Gatepost-Signature";

/// Cognito's events have 1 to 4 KiB.
const MAX_EVENT_BYTES: usize = 64 * 1024;
/// In seconds, between the signature and now.
const MAX_SKEW: i64 = 300;

/// A trigger may sign with any of them.
pub struct TriggerKeys(Vec<hmac::Key>);

impl TriggerKeys {
    pub fn new(secrets: Vec<Secret>) -> TriggerKeys {
        let key = |secret: Secret| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        TriggerKeys(secrets.into_iter().map(key).collect())
    }

    /// The event of a signed call. `disabled` is the refusal if there are no keys.
    pub async fn event<T: DeserializeOwned>(
        &self,
        request: &HttpRequest,
        mut body: Body,
        disabled: TriggerRefusal,
    ) -> Result<T, Error> {
        // Whatever media type the event has, it is JSON.
        let charset = match MediaType::of(request.headers()) {
            Some(_) => body.media_type().map(|(_, charset)| charset),
            None => Ok(Charset::UTF_8),
        };
        let body = body.bytes(MAX_EVENT_BYTES).await?;
        let authenticated = if self.0.is_empty() { Err(disabled) } else { self.authenticate(request.headers(), &body) };
        if let Err(refusal) = authenticated {
            RateLimits::of(request)?.count_stranger(request)?;
            return Err(refusal.into());
        }
        let text = charset?.decode(&body).map_err(|_| TriggerRefusal::EventMalformed)?;
        Ok(serde_json::from_str(&text).map_err(|_| TriggerRefusal::EventMalformed)?)
    }

    fn authenticate(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), TriggerRefusal> {
        let only = |name| {
            let mut values = headers.get_all(name);
            values.next().filter(|_| values.next().is_none())?.to_str().ok()
        };
        let (Some(timestamp), Some(signature)) = (only(TIMESTAMP), only(SIGNATURE)) else {
            return Err(TriggerRefusal::SignatureMissing);
        };
        let is_signed = signature.strip_prefix("v1=").is_some_and(|tag| {
            let message = [b"v1.", timestamp.as_bytes(), b".", body].concat();
            self.0.iter().any(|key| equal(&hex(hmac::sign(key, &message).as_ref()), tag))
        });
        if !is_signed {
            return Err(TriggerRefusal::SignatureInvalid);
        }
        match timestamp.parse::<i64>() {
            Ok(signed_at) if Utc::now().timestamp().abs_diff(signed_at) <= MAX_SKEW as u64 => Ok(()),
            _ => Err(TriggerRefusal::SignatureExpired),
        }
    }
}

/// A member that counts as absent if it has another form.
pub fn none_if_malformed<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw: &RawValue = Deserialize::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}
