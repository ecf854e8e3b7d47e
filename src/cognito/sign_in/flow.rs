//! A sign-in that is under way. It lives in an encrypted cookie of its own, so that several tabs do not disturb each
//! other and nothing is stored for strangers.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieJar, Key};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::cognito::provider::{Endpoints, ProviderSettings};
use crate::crypto::{equal, fingerprint, random_token};
use crate::error::Error;
use crate::http::cookies;

pub const SIGN_IN: &str = "/admin/login/cognito/";
/// Where Cognito leads back to.
pub const CALLBACK: &str = "/admin/login/cognito/callback/";
pub const SIGN_OUT: &str = "/admin/logout/cognito/";

/// The path of a sign-in that leads on to `next`. Forced, it asks the provider even if it has a session.
pub fn sign_in_path(next: &str, is_forced: bool) -> String {
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("{SIGN_IN}?next={next}{}", if is_forced { "&again=1" } else { "" })
}

/// How long a sign-in may take. Cognito's code lives five minutes.
pub const AGE: Duration = Duration::minutes(10);

#[derive(Debug, Serialize, Deserialize)]
pub struct Flow {
    /// Proves that the answer belongs to this browser.
    pub state: String,
    /// Binds the ID token to this flow.
    pub nonce: String,
    /// Proves to the provider that the code comes from who asked for it (RFC 7636).
    pub verifier: String,
    /// Where the way leads on.
    pub next: String,
    pub redirect_uri: String,
    /// In Unix seconds.
    begun: i64,
}

impl Flow {
    pub fn begin(next: String, redirect_uri: String) -> Result<Flow, Error> {
        let (state, nonce, verifier) = (random_token()?, random_token()?, random_token()?);
        Ok(Flow { state, nonce, verifier, next, redirect_uri, begun: Utc::now().timestamp() })
    }

    /// The URL of the authorization request. `max_age`: how long ago the sign-in there may be. If forced, the provider asks
    /// again, whoever is signed in there.
    pub fn authorization_url(
        &self,
        endpoints: &Endpoints,
        settings: &ProviderSettings,
        max_age: std::time::Duration,
        is_forced: bool,
    ) -> Url {
        let mut url = endpoints.authorization.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            // RFC 7636, `S256`.
            .append_pair("code_challenge", &fingerprint(&self.verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("max_age", &max_age.as_secs().to_string());
        if is_forced {
            query.append_pair("prompt", "login");
        }
        if !settings.acr.is_empty() {
            query.append_pair("acr_values", &settings.acr.join(" "));
        }
        drop(query);
        url
    }

    /// The name of the cookie for a state; `None` for what is no state of ours.
    pub fn cookie_name(state: &str) -> Option<String> {
        let is_ours = state.len() == 43 && state.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        is_ours.then(|| format!("{}{}", cookies::SIGN_IN, &state[..16]))
    }

    /// The cookie's value. It is bound to the cookie's name.
    pub fn seal(&self, name: &str, key: &Key) -> Result<String, Error> {
        let text = serde_json::to_string(self).map_err(|error| Error::Internal(error.to_string()))?;
        let mut jar = CookieJar::new();
        jar.private_mut(key).add(Cookie::new(name.to_owned(), text));
        let sealed = jar.get(name).map(|cookie| cookie.value().to_owned());
        sealed.ok_or_else(|| Error::Internal("a cookie could not be encrypted".to_owned()))
    }

    /// The flow in a cookie, if it is that of this state and not too old.
    pub fn open(name: &str, value: &str, key: &Key, state: &str) -> Option<Flow> {
        let mut jar = CookieJar::new();
        jar.add_original(Cookie::new(name.to_owned(), value.to_owned()));
        let flow: Flow = serde_json::from_str(jar.private(key).get(name)?.value()).ok()?;
        let age = Utc::now().timestamp() - flow.begun;
        (equal(&flow.state, state) && (0..AGE.whole_seconds()).contains(&age)).then_some(flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_read_only_by_its_own_state_under_its_own_key_and_in_time() {
        let (key, other) = (Key::from(&[7; 64]), Key::from(&[8; 64]));
        let flow = Flow::begin("/admin/".to_owned(), "http://localhost/".to_owned()).expect("a flow");
        let name = Flow::cookie_name(&flow.state).expect("a name");
        let sealed = flow.seal(&name, &key).expect("a cookie");
        assert!(!sealed.contains(&flow.verifier), "the verifier is not to be read");
        let opened = Flow::open(&name, &sealed, &key, &flow.state).expect("the flow");
        assert_eq!((opened.verifier, opened.nonce), (flow.verifier.clone(), flow.nonce.clone()));
        let state = Flow::begin(String::new(), String::new()).expect("a flow").state;
        assert!(Flow::open(&name, &sealed, &key, &state).is_none(), "another state");
        assert!(Flow::open(&name, &sealed, &other, &flow.state).is_none(), "another key");
        assert!(Flow::open("sign_in_0123456789abcdef", &sealed, &key, &flow.state).is_none(), "another cookie");
        for (begun, is_open) in [(9, true), (11, false), (-1, false)] {
            let late = Flow { begun: Utc::now().timestamp() - begun * 60, state: flow.state.clone(), ..opened_like() };
            let sealed = late.seal(&name, &key).expect("a cookie");
            assert_eq!(Flow::open(&name, &sealed, &key, &flow.state).is_some(), is_open, "{begun} minutes");
        }
        for state in ["", "short", &"=".repeat(43), &"a".repeat(44)] {
            assert_eq!(Flow::cookie_name(state), None, "{state}");
        }
    }

    fn opened_like() -> Flow {
        Flow::begin(String::new(), String::new()).expect("a flow")
    }
}
