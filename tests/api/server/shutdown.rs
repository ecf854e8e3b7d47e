//! How the server stops.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::eventually;
use crate::harness::load::{Load, assert_kept, client, sound_names};
use crate::harness::program::Program;

/// Sends the head of a request and reads until the server has said this.
async fn converse(stream: &mut TcpStream, text: &str, until: &str) -> String {
    stream.write_all(text.as_bytes()).await.expect("the server listens");
    let mut said = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&said).contains(until) {
            let mut buffer = [0; 4096];
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(read) => said.extend_from_slice(&buffer[..read]),
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), reading).await;
    assert!(in_time.is_ok(), "the server says nothing of {until}");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn sigterm_lets_running_requests_finish_and_ends_with_0_while_clients_idle() {
    let (program, client) = (Program::new(), client());
    let token = program.token().await;
    let mut server = program.serve().await;
    assert_eq!(server.post_article(&token, "before").await.status, 201);
    let mut idle = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
        let answer = converse(&mut stream, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n", "ok\"}").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        idle.push(stream);
    }
    idle.push(TcpStream::connect(server.address).await.expect("the server accepts"));
    let mut load = Load::start(&client, server.address, &token, "load");
    load.has_acknowledged(10).await;
    let mut running = TcpStream::connect(server.address).await.expect("the server accepts");
    let body = r#"{"name":"running"}"#;
    let head = format!(
        "POST /articles/ HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let interim = converse(&mut running, &head, "\r\n\r\n").await;
    assert!(interim.starts_with("HTTP/1.1 100"), "{interim}");

    server.signal("TERM");
    eventually("nobody else is let in", async || TcpStream::connect(server.address).await.is_err()).await;
    let answer = converse(&mut running, body, r#""name":"running"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "the request that ran is finished: {answer}");
    let finished = Instant::now();
    assert_eq!(server.exit().await.code(), Some(0), "{}", server.stderr());
    // An idle connection would be dropped after 15 s, and all of them after 20 s.
    assert!(finished.elapsed() < Duration::from_secs(10), "idle clients hold it up: {:?}", finished.elapsed());
    let mut acknowledged = BTreeSet::from(["before".to_owned(), "running".to_owned()]);
    acknowledged.extend(load.acknowledged().await);
    let found = sound_names(&mut program.database());
    assert_kept(&found, &acknowledged);
    assert!(server.stderr().contains("stopped"), "{}", server.stderr());
}

/// Sends requests on one connection, each after the response to the one before, until a response closes the connection.
async fn use_until_closed(address: std::net::SocketAddr) -> Result<(), String> {
    let mut stream = TcpStream::connect(address).await.expect("the server accepts");
    for answered in 0.. {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .map_err(|error| error.to_string())?;
        let mut said = String::new();
        while !said.ends_with("ok\"}") {
            let mut buffer = [0; 4096];
            match stream.read(&mut buffer).await {
                Ok(read @ 1..) => said.push_str(&String::from_utf8_lossy(&buffer[..read])),
                end => return Err(format!("after {answered} responses: {end:?} {said}")),
            }
        }
        if said.to_ascii_lowercase().contains("connection: close") {
            return Ok(());
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_request_on_a_kept_connection_is_lost_when_the_server_stops() {
    let program = Program::new();
    let mut server = program.serve().await;
    let clients: Vec<_> = (0..20).map(|_| tokio::spawn(use_until_closed(server.address))).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.signal("TERM");
    for client in clients {
        assert_eq!(client.await.expect("the client lives"), Ok(()));
    }
    assert_eq!(server.exit().await.code(), Some(0), "{}", server.stderr());
}

#[tokio::test]
async fn sigint_stops_the_server_too() {
    let program = Program::new();
    let mut server = program.serve().await;
    let _idle = TcpStream::connect(server.address).await.expect("the server accepts");
    server.signal("INT");
    assert_eq!(server.exit().await.code(), Some(0), "{}", server.stderr());
}
