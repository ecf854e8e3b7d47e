//! A provider's discovery and token endpoint, which answer what the test says and keep what was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use gatepost::cognito::provider::ProviderSettings;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use super::pool::ISSUER;

/// The admin's app client.
pub const ADMIN_CLIENT: &str = "7adminclient23456789abcdef";

/// Status line, further header lines and body.
type Reply = (&'static str, &'static str, String);

pub struct ProviderFixture {
    address: SocketAddr,
    discovery: Arc<Mutex<Reply>>,
    token: Arc<Mutex<Option<Reply>>>,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl ProviderFixture {
    pub async fn start() -> ProviderFixture {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let discovery = Arc::new(Mutex::new(("200 OK", "", String::new())));
        let (token, requests) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(Vec::new())));
        let shared = (discovery.clone(), token.clone(), requests.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, shared.clone()));
            }
        });
        let fixture = ProviderFixture { address, discovery, token, requests, task };
        fixture.discovers(&fixture.url(""));
        fixture
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The settings of an admin that knows its endpoints.
    pub fn settings(&self) -> ProviderSettings {
        let url = |path: &str| Some(self.url(path).parse::<Url>().expect("a URL"));
        ProviderSettings {
            issuer: ISSUER.to_owned(),
            client_id: ADMIN_CLIENT.to_owned(),
            client_secret: None,
            authorization_url: url("/oauth2/authorize"),
            token_url: url("/oauth2/token"),
            logout_url: url("/logout"),
            acr: Vec::new(),
        }
    }

    /// Discovery names this issuer from now on.
    pub fn discovers(&self, issuer: &str) {
        let document = json!({
            "issuer": issuer,
            "authorization_endpoint": self.url("/oauth2/authorize"),
            "token_endpoint": self.url("/oauth2/token"),
            "end_session_endpoint": self.url("/logout"),
        });
        *self.discovery.lock().expect("the lock") = ("200 OK", "", document.to_string());
    }

    /// Discovery names nothing but the issuer from now on.
    pub fn discovers_no_endpoints(&self) {
        let document = json!({ "issuer": self.url("") });
        *self.discovery.lock().expect("the lock") = ("200 OK", "", document.to_string());
    }

    /// The token endpoint answers this from now on.
    pub fn replies(&self, status: &'static str, headers: &'static str, body: impl ToString) {
        *self.token.lock().expect("the lock") = Some((status, headers, body.to_string()));
    }

    /// The token endpoint answers with this ID token.
    pub fn issues(&self, token: &str) {
        self.replies("200 OK", "", json!({ "id_token": token, "access_token": "a", "refresh_token": "r" }));
    }

    /// The token endpoint closes the connection without an answer.
    pub fn hangs_up(&self) {
        *self.token.lock().expect("the lock") = None;
    }

    /// The token endpoint says how long its answer is, and sends none of it.
    pub fn stalls(&self) {
        self.replies("200 OK", "content-length: 100\r\nx-stalls: yes\r\n", "");
    }

    /// What the token endpoint was asked: heads and bodies.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("the lock").clone()
    }
}

impl Drop for ProviderFixture {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Shared = (Arc<Mutex<Reply>>, Arc<Mutex<Option<Reply>>>, Arc<Mutex<Vec<String>>>);

async fn answer(mut stream: TcpStream, (discovery, token, requests): Shared) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head.split_once("content-length: ").and_then(|(_, rest)| rest.split("\r\n").next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let reply = if head.starts_with("get ") {
        Some(discovery.lock().expect("the lock").clone())
    } else {
        request.extend_from_slice(&body);
        requests.lock().expect("the lock").push(String::from_utf8_lossy(&request).into_owned());
        token.lock().expect("the lock").clone()
    };
    if let Some((status, headers, body)) = reply {
        if headers.contains("x-stalls") {
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\n{headers}\r\n").as_bytes()).await;
            let _ = stream.read_u8().await;
            return;
        }
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    }
}
