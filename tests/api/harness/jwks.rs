//! A source of keys that rotates, dies, stalls and lies at the test's word, and counts who asks.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use super::pool::TestKey;

/// What the source does with a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Answers 200 with this body.
    Body(Vec<u8>),
    /// Answers with this status line, these further header lines and this body.
    Answer { status: &'static str, headers: String, body: Vec<u8> },
    /// Closes the connection without a word.
    HangUp,
    /// Takes the request and never answers.
    Stall,
    /// Answers like `Body`, after a while.
    Late(Duration, Vec<u8>),
    /// Sends an endless body.
    Endless,
    /// Sends a body byte by byte, five in a second, and never ends.
    Drip,
}

/// The source.
pub struct JwksFixture {
    address: SocketAddr,
    behaviour: Arc<Mutex<Behaviour>>,
    fetches: Arc<Mutex<Vec<Instant>>>,
    task: JoinHandle<()>,
}

impl JwksFixture {
    /// A source that publishes these keys.
    pub async fn start(keys: &[&TestKey]) -> JwksFixture {
        JwksFixture::start_with(Behaviour::Body(key_set(keys))).await
    }

    pub async fn start_with(behaviour: Behaviour) -> JwksFixture {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let behaviour = Arc::new(Mutex::new(behaviour));
        let fetches = Arc::new(Mutex::new(Vec::new()));
        let (shared, counter) = (behaviour.clone(), fetches.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, shared.clone(), counter.clone()));
            }
        });
        JwksFixture { address, behaviour, fetches, task }
    }

    pub fn url(&self) -> Url {
        format!("http://{}/{}/.well-known/jwks.json", self.address, super::pool::POOL_ID).parse().expect("a URL")
    }

    /// Publishes these keys and no others from now on.
    pub fn publish(&self, keys: &[&TestKey]) {
        self.behave(Behaviour::Body(key_set(keys)));
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("the lock") = behaviour;
    }

    /// How many requests there were.
    pub fn fetches(&self) -> usize {
        self.times().len()
    }

    /// When the requests came.
    pub fn times(&self) -> Vec<Instant> {
        self.fetches.lock().expect("the lock").clone()
    }

    /// Waits until a whole fetch has begun and ended from now on: each source is asked by one at a time,
    /// so that whoever asks for the second time from now has taken in the first answer.
    pub async fn fetched_anew(&self) {
        let before = self.fetches();
        super::eventually("the keys are fetched anew", async || self.fetches() >= before + 2).await;
    }
}

impl Drop for JwksFixture {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The document that publishes keys.
pub fn key_set(keys: &[&TestKey]) -> Vec<u8> {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys }).to_string().into_bytes()
}

async fn answer(mut stream: TcpStream, behaviour: Arc<Mutex<Behaviour>>, fetches: Arc<Mutex<Vec<Instant>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    fetches.lock().expect("the lock").push(Instant::now());
    let behaviour = behaviour.lock().expect("the lock").clone();
    // Whoever does not ask for plain bytes may get others.
    let request = String::from_utf8_lossy(&request).to_ascii_lowercase();
    if !request.contains("\r\naccept-encoding: identity\r\n") {
        let _ =
            stream.write_all(b"HTTP/1.1 406 Not Acceptable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        return;
    }
    let (status, headers, body) = match behaviour {
        Behaviour::Body(body) => ("200 OK", String::new(), body),
        Behaviour::Answer { status, headers, body } => (status, headers, body),
        Behaviour::HangUp => return,
        Behaviour::Stall => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            return;
        }
        Behaviour::Late(pause, body) => {
            tokio::time::sleep(pause).await;
            ("200 OK", String::new(), body)
        }
        Behaviour::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n").await;
            while stream.write_all(&[b' '; 65536]).await.is_ok() {}
            return;
        }
        Behaviour::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n").await;
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            return;
        }
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
}
