//! Tokens that name keys nobody has: how often they cause a fetch.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{NEVER, fresh, on_demand, status_and_code, third, unknown};
use crate::harness::jwks::{Behaviour, key_set};
use crate::harness::{TestServer, eventually};

#[tokio::test]
async fn unknown_keys_cause_one_fetch_in_a_cool_down() {
    let server = TestServer::start_with(|config| on_demand(config, NEVER)).await;
    server.user("alice").await;
    server.ready().await;
    for n in 0..20 {
        assert_eq!(status_and_code(&server, &unknown(&format!("kid-{n}"))).await, (401, "key_unknown".to_owned()));
    }
    assert_eq!(server.pool.jwks.fetches(), 2, "one at the start and one for twenty unknown keys");
}

#[tokio::test]
async fn a_new_key_is_found_once_the_cool_down_is_over() {
    let server = TestServer::start_with(|config| on_demand(config, Duration::from_secs(2))).await;
    server.user("alice").await;
    server.ready().await;
    assert_eq!(status_and_code(&server, &unknown("nobody's")).await.1, "key_unknown");
    let began = Instant::now();
    server.pool.jwks.publish(&[&third()]);
    let token = fresh(&server).key(&third()).sign();
    eventually("the new key is found", async || server.get("/me/", &token).await.status == 200).await;
    let times = server.pool.jwks.times();
    assert_eq!(times.len(), 3, "one at the start, one for the unknown key, one for the new one");
    // A little less than the cool-down, because the fixture's clock starts when a request arrives.
    assert!(times[2] - times[1] > Duration::from_millis(1500), "{:?}", times[2] - times[1]);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn many_requests_with_a_new_key_share_one_fetch() {
    let server = TestServer::start_with(|config| on_demand(config, NEVER)).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.behave(Behaviour::Late(Duration::from_millis(500), key_set(&[&third()])));
    let answers = join_all((0..50).map(|_| {
        let token = fresh(&server).key(&third()).sign();
        let call = server.call("GET", "/me/").token(&token);
        async move { call.status().await }
    }))
    .await;
    assert_eq!(answers, [200; 50]);
    assert_eq!(server.pool.jwks.fetches(), 2, "one at the start and one for fifty requests");
}

#[tokio::test]
async fn after_a_stalled_fetch_unknown_keys_are_answered_at_once_until_the_cool_down_is_over() {
    // Shorter than a stalled fetch, which must not use it up.
    let server = TestServer::start_with(|config| on_demand(config, Duration::from_secs(4))).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.behave(Behaviour::Stall);
    assert_eq!(status_and_code(&server, &unknown("first")).await.1, "key_unknown");
    let began = Instant::now();
    assert_eq!(status_and_code(&server, &unknown("second")).await.1, "key_unknown");
    assert!(began.elapsed() < Duration::from_secs(4), "the second waited {:?}", began.elapsed());
}

/// Requests with unknown keys, over ten connections: at least so many, and on until they are stopped.
#[derive(Clone)]
struct Flood {
    address: SocketAddr,
    at_least: usize,
    stopped: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Flood {
    fn start(address: SocketAddr, at_least: usize) -> (Flood, tokio::task::JoinHandle<()>) {
        let flood = Flood { address, at_least, stopped: Arc::default(), refused: Arc::default() };
        let running = flood.clone();
        let task = tokio::spawn(async move {
            join_all((0..10).map(|connection| flood_connection(running.clone(), connection))).await;
        });
        (flood, task)
    }

    fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

async fn flood_connection(flood: Flood, connection: usize) {
    let mut stream = TcpStream::connect(flood.address).await.expect("the server accepts");
    let mut answer = vec![0; 65536];
    let mut n = 0;
    while n < flood.at_least / 10 || !flood.stopped.load(Ordering::SeqCst) {
        // Ten at a time, pipelined.
        let requests: String = (n..n + 10)
            .map(|n| {
                let token = unknown(&format!("{connection}-{n}"));
                format!("GET /me/ HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n")
            })
            .collect();
        stream.write_all(requests.as_bytes()).await.expect("the server reads");
        let (mut text, mut refused) = (String::new(), 0);
        while refused < 10 {
            let read = stream.read(&mut answer).await.expect("the server answers");
            assert_ne!(read, 0, "the server closed in the flood after {text}");
            text.push_str(&String::from_utf8_lossy(&answer[..read]));
            refused = text.matches("\"code\":\"key_unknown\"").count();
        }
        flood.refused.fetch_add(10, Ordering::SeqCst);
        n += 10;
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_neither_causes_a_storm_of_fetches_nor_keeps_a_new_key_out() {
    let cooldown = Duration::from_secs(1);
    let server = TestServer::start_with(|config| on_demand(config, cooldown)).await;
    let known = server.alice().await;
    server.ready().await;
    let began = Instant::now();
    let (flood, task) = Flood::start(server.address, 5000);
    eventually("the flood has begun", async || flood.refused() > 100).await;
    server.pool.jwks.publish(&[&server.pool.id_key, &third()]);
    let new = fresh(&server).key(&third()).sign();
    eventually("the new key is found in the flood", async || server.get("/me/", &new).await.status == 200).await;
    assert_eq!(status_and_code(&server, &known).await, (200, String::new()));
    flood.stopped.store(true, Ordering::SeqCst);
    task.await.expect("the flood is answered");
    assert!(flood.refused() >= 5000);
    let most = 2 + began.elapsed().as_secs() as usize;
    let fetches = server.pool.jwks.fetches();
    assert!(fetches <= most, "{fetches} fetches in {:?} with a cool-down of 1 s", began.elapsed());
    assert_eq!(server.fetch("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_while_the_source_stalls_holds_nobody_else_up() {
    let server = TestServer::start_with(|config| on_demand(config, Duration::from_secs(1))).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.behave(Behaviour::Stall);
    let began = Instant::now();
    let (flood, task) = Flood::start(server.address, 1000);
    flood.stopped.store(true, Ordering::SeqCst);
    eventually("a fetch stalls", async || server.pool.jwks.fetches() == 2).await;
    for n in 0..20 {
        let request = Instant::now();
        assert_eq!(status_and_code(&server, &fresh(&server).sign()).await, (200, String::new()), "request {n}");
        assert!(request.elapsed() < Duration::from_secs(4), "request {n} waited {:?}", request.elapsed());
    }
    task.await.expect("the flood is answered");
    // A stalled fetch takes five seconds, and the pause after it is at least one.
    let most = 2 + began.elapsed().as_secs() as usize / 6;
    let fetches = server.pool.jwks.fetches();
    assert!(fetches <= most, "{fetches} fetches in {:?}", began.elapsed());
    server.pool.jwks.publish(&[&third()]);
    let new = fresh(&server).key(&third()).sign();
    eventually("the new key is found after the flood", async || server.get("/me/", &new).await.status == 200).await;
}
