//! A service as its clients know it: by its address.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::client::{Answer, Call};
use super::eventually;
use super::exchange::{Exchange, Then, exchange};
use super::pool::claims;

/// What answers: a server within the test, or the program as a process of its own.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    pub address: SocketAddr,
}

impl Service {
    /// Begins a request.
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.address, method, path)
    }

    /// GET without a token.
    pub async fn fetch(&self, path: &str) -> Answer {
        self.call("GET", path).send().await
    }

    /// GET with a token.
    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path).token(token).send().await
    }

    /// Begins a PUT, PATCH or DELETE with a token, and with a body unless it is empty.
    pub fn change(&self, method: &str, path: &str, token: &str, body: &str) -> Call {
        let call = self.call(method, path).token(token);
        if body.is_empty() { call } else { call.json(body) }
    }

    /// POST of JSON to `/articles/`.
    pub async fn post(&self, token: &str, body: &str) -> Answer {
        self.call("POST", "/articles/").token(token).json(body).send().await
    }

    /// POST of an article with this name.
    pub async fn post_article(&self, token: &str, name: &str) -> Answer {
        self.post(token, &json!({ "name": name }).to_string()).await
    }

    /// The user whom the service takes the bearer of a token for. Fails where it refuses the token.
    #[track_caller]
    pub fn me(&self, token: &str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.get("/me/", token).await;
            assert_eq!(answer.status, 200, "{caller}: {}: {}", claims(token), answer.text());
            answer.json()
        }
    }

    /// Sends bytes as they are, and reads until the service closes the connection.
    pub async fn exchange(&self, bytes: impl AsRef<[u8]>) -> Exchange {
        exchange(self.address, bytes.as_ref(), Then::Wait).await
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&self) {
        eventually("the service is ready", async || self.fetch("/readyz").await.status == 200).await;
    }

    /// Fails unless it still answers after this.
    pub async fn assert_serves(&self, what: &str) {
        assert_eq!(self.fetch("/healthz").await.status, 200, "after {what}");
    }
}
