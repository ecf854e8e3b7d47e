//! [`Enrolment`]: a secret that its user has not confirmed yet. It lives in the session, encrypted.

use actix_session::Session;
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use chrono::Utc;
use serde::{Deserialize, Serialize};
use url::Url;

use super::qr::QrSvg;
use crate::admin::auth::origin::host;
use crate::admin::auth::session;
use crate::crypto::Seal;
use crate::crypto::totp::{TotpSecret, base32, step_at};
use crate::error::Error;
use crate::users::models::User;
use crate::users::second_factor::{self, Code, in_fours};

const NAME: &str = "enrolment";
const AGE: Duration = Duration::minutes(15);

#[derive(Serialize, Deserialize)]
pub struct Enrolment {
    pub sealed: String,
    /// In Unix seconds.
    begun: i64,
}

impl Enrolment {
    /// With a new secret.
    pub fn begin(session: &Session, user: &User, key: &Seal) -> Result<(), Error> {
        let sealed = second_factor::seal(&TotpSecret::generate()?, user.id, key)?;
        session::insert(session, NAME, Enrolment { sealed, begun: Utc::now().timestamp() })
    }

    /// `None` if there is none, or if it is too old.
    pub fn of(session: &Session) -> Option<Enrolment> {
        let enrolment: Enrolment = session.get(NAME).ok().flatten()?;
        (Utc::now().timestamp() - enrolment.begun < AGE.whole_seconds()).then_some(enrolment)
    }

    pub fn end(session: &Session) {
        session.remove(NAME);
    }

    pub fn secret(&self, user: &User, key: &Seal) -> Option<TotpSecret> {
        second_factor::open(&self.sealed, user.id, key)
    }
}

/// The step of a code that the user's app shows now.
pub fn confirmed_step(secret: &TotpSecret, typed: &str) -> Option<i64> {
    match Code::parse(typed)? {
        Code::OneTime(code) => secret.step_of(&code, step_at(Utc::now().timestamp())),
        Code::Recovery(_) => None,
    }
}

/// What the user's app needs to know.
pub struct Instructions {
    pub qr: QrSvg,
    /// In groups of four.
    pub secret: String,
    pub uri: String,
}

impl Instructions {
    pub fn new(request: &HttpRequest, user: &User, secret: &TotpSecret) -> Result<Instructions, Error> {
        let secret = base32(secret.as_bytes());
        let host = Url::parse(&format!("http://{}/", host(request).unwrap_or_default())).ok();
        let host = host.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let (issuer, username) = (encoded(format!("Gatepost {host}").trim()), encoded(&user.username));
        let uri = format!("otpauth://totp/{issuer}:{username}?secret={secret}&issuer={issuer}");
        Ok(Instructions { qr: QrSvg::new(&uri)?, secret: in_fours(&secret, " "), uri })
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
