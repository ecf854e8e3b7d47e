//! The load: connections that each send one request after the other and time the answers. It reads of an
//! answer no more than it must, so that the load costs less than what it measures.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// What to send.
pub enum Load {
    /// The same request for a while.
    Repeat(Vec<u8>, Duration),
    /// Each of these requests once.
    Once(Vec<Vec<u8>>),
}

/// What came of it.
#[derive(Clone, Copy)]
pub struct Measured {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Measured {
    pub fn new(mut latencies: Vec<Duration>, elapsed: Duration) -> Measured {
        latencies.sort();
        let at = |share: f64| {
            let index = ((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1));
            latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
        };
        Measured { per_second: latencies.len() as f64 / elapsed.as_secs_f64(), p50_ms: at(0.5), p99_ms: at(0.99) }
    }
}

/// Sends one request and returns the body of its answer.
pub async fn once(address: SocketAddr, request: &[u8]) -> Outcome<Vec<u8>> {
    let mut client = Client::connect(address).await?;
    client.exchange(request).await?;
    Ok(client.body.clone())
}

/// Puts the load on a server. Every answer has to be a 2xx.
pub async fn measure(address: SocketAddr, clients: usize, load: Load) -> Outcome<Measured> {
    let (repeat, queue, deadline) = match load {
        Load::Repeat(request, period) => (request, VecDeque::new(), Some(period)),
        Load::Once(requests) => (Vec::new(), requests.into(), None),
    };
    let shared = Rc::new((repeat, RefCell::new(queue)));
    let started = Instant::now();
    let tasks = tokio::task::LocalSet::new();
    let mut handles = Vec::new();
    for _ in 0..clients {
        let shared = shared.clone();
        handles.push(tasks.spawn_local(async move {
            let mut client = Client::connect(address).await?;
            let mut latencies = Vec::with_capacity(1 << 16);
            loop {
                let next = shared.1.borrow_mut().pop_front();
                let request = match (&next, deadline) {
                    (Some(request), _) => request,
                    (None, Some(period)) if started.elapsed() < period => &shared.0,
                    _ => return Outcome::Ok(latencies),
                };
                let begun = Instant::now();
                client.exchange(request).await?;
                latencies.push(begun.elapsed());
            }
        }));
    }
    tasks.await;
    let elapsed = started.elapsed();
    let mut latencies = Vec::new();
    for handle in handles {
        latencies.extend(handle.await??);
    }
    Ok(Measured::new(latencies, elapsed))
}

struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr) -> Outcome<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, buffer: vec![0; 64 * 1024], body: Vec::new() })
    }

    async fn exchange(&mut self, request: &[u8]) -> Outcome<()> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            filled += read;
            let Some(head) = find(&self.buffer[..filled], b"\r\n\r\n") else { continue };
            let length = content_length(&self.buffer[..head])?;
            if filled < head + 4 + length {
                continue;
            }
            if !self.buffer.starts_with(b"HTTP/1.1 2") {
                return Err(String::from_utf8_lossy(&self.buffer[..filled]).into_owned().into());
            }
            self.body.clear();
            self.body.extend_from_slice(&self.buffer[head + 4..filled]);
            return Ok(());
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn content_length(head: &[u8]) -> Outcome<usize> {
    let name = b"content-length: ";
    let start = find(head, name).ok_or("the answer has no content-length")? + name.len();
    let digits = head[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |n, digit| n * 10 + usize::from(digit - b'0'));
    Ok(digits)
}
