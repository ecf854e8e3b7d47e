//! The load: connections that send one request after another and measure response times.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::client::Client;

/// What to send.
pub enum Load {
    /// Repeats these requests in turn for this long.
    Repeat(Vec<Vec<u8>>, Duration),
    /// Sends each request once.
    Once(Vec<Vec<u8>>),
}

/// The results of a load.
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

/// Sends one request and returns the response body.
pub async fn once(address: SocketAddr, request: &[u8]) -> Outcome<Vec<u8>> {
    Ok(Client::connect(address).await?.exchange(request).await?.to_vec())
}

/// Puts the load on a server. Fails unless every status is 2xx.
pub async fn measure(address: SocketAddr, clients: usize, load: Load) -> Outcome<Measured> {
    let (repeat, queue, deadline) = match load {
        Load::Repeat(requests, period) => (requests, VecDeque::new(), Some(period)),
        Load::Once(requests) => (Vec::new(), requests.into(), None),
    };
    let shared = Rc::new((repeat, RefCell::new(queue), Cell::new(0)));
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
                    (None, Some(period)) if started.elapsed() < period => {
                        &shared.0[shared.2.replace(shared.2.get() + 1) % shared.0.len()]
                    }
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
