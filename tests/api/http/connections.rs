//! Clients that take their time, and more of them than there are file descriptors.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::eventually;
use crate::harness::pool::TestPool;
use crate::harness::program::Program;

/// Slow clients of one kind: what each sends at once, and what it then drips, byte by byte, for ever.
struct Slow {
    kind: &'static str,
    clients: usize,
    at_once: String,
    dripped: &'static [u8],
    /// How long one may stay, with a generous margin for a busy machine.
    at_most: Duration,
}

/// One slow client; how long it was let be, and what it was told at the end.
async fn be_slow(address: SocketAddr, at_once: String, dripped: &'static [u8]) -> (Duration, String) {
    let mut stream = TcpStream::connect(address).await.expect("the server accepts");
    let began = Instant::now();
    let mut told = Vec::new();
    let _ = stream.write_all(at_once.as_bytes()).await;
    let mut dripped = dripped.iter().cycle();
    loop {
        let mut buffer = [0; 4096];
        match tokio::time::timeout(Duration::from_millis(500), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(read)) => told.extend_from_slice(&buffer[..read]),
            Err(_) => {
                if let Some(byte) = dripped.next()
                    && stream.write_all(&[*byte]).await.is_err()
                {
                    break;
                }
            }
        }
        if began.elapsed() > Duration::from_secs(60) {
            break;
        }
    }
    (began.elapsed(), String::from_utf8_lossy(&told).into_owned())
}

#[tokio::test]
async fn slow_clients_are_cut_off_and_hold_nobody_up() {
    let pool = TestPool::start().await;
    // A process of its own, so that both ends of so many connections need not share one limit of files.
    let folder = Program::with_keys_at(pool.jwks.url()).set("COGNITO_CREATE_USERS", "true");
    let program = folder.serve().await;
    program.ready().await;
    let token = pool.token("alice").sign();
    assert_eq!(program.call("GET", "/me/").token(&token).status().await, 200);
    let healthz = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n";
    let post = format!(
        "POST /articles/ HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\ncontent-type: application/json\r\n"
    );
    let [head, body, next] = [18, 32, 40].map(Duration::from_secs);
    let kinds = [
        Slow { kind: "idle", clients: 200, at_once: String::new(), dripped: b"", at_most: head },
        Slow { kind: "head", clients: 100, at_once: "GET / HTTP/1.1\r\nx: ".to_owned(), dripped: b"y", at_most: head },
        Slow { kind: "empty lines", clients: 5, at_once: String::new(), dripped: b"\r\n", at_most: head },
        Slow {
            kind: "idle after a request",
            clients: 5,
            at_once: format!("{healthz}\r\n"),
            dripped: b"",
            at_most: next,
        },
        Slow {
            kind: "second head",
            clients: 5,
            at_once: format!("{healthz}\r\n{healthz}x: "),
            dripped: b"y",
            at_most: next,
        },
        Slow {
            kind: "body",
            clients: 20,
            at_once: format!("{post}content-length: 9999\r\n\r\n"),
            dripped: b" ",
            at_most: body,
        },
        Slow {
            kind: "chunk",
            clients: 5,
            at_once: format!("{post}transfer-encoding: chunked\r\n\r\nffff\r\n"),
            dripped: b" ",
            at_most: body,
        },
        Slow {
            kind: "body nobody reads",
            clients: 5,
            at_once: format!("{healthz}content-length: 9999\r\n\r\n"),
            dripped: b" ",
            at_most: next,
        },
        Slow {
            kind: "chunk nobody reads",
            clients: 5,
            at_once: format!("{healthz}transfer-encoding: chunked\r\n\r\nffff\r\n"),
            dripped: b" ",
            at_most: next,
        },
    ];
    let mut clients = JoinSet::new();
    for slow in &kinds {
        for _ in 0..slow.clients {
            let (kind, at_once, dripped, at_most, address) =
                (slow.kind, slow.at_once.clone(), slow.dripped, slow.at_most, program.address);
            clients.spawn(async move { (kind, at_most, be_slow(address, at_once, dripped).await) });
        }
    }
    // While all of them are there.
    for n in 0..50 {
        let began = Instant::now();
        assert_eq!(program.call("GET", "/me/").token(&token).status().await, 200, "request {n}");
        assert!(began.elapsed() < Duration::from_secs(4), "request {n} took {:?}", began.elapsed());
    }
    let (mut late, mut told_why) = (Vec::new(), BTreeSet::new());
    while let Some(client) = clients.join_next().await {
        let (kind, at_most, (stayed, told)) = client.expect("no panic");
        if stayed > at_most {
            late.push(format!("{kind}: {stayed:?}"));
        }
        // One that was starved of its turn on a busy machine may find the connection gone, answer and all.
        if told.is_empty() {
            continue;
        }
        told_why.insert(kind);
        match kind {
            "head" => assert!(told.starts_with("HTTP/1.1 408 "), "{kind}: {told}"),
            "body" | "chunk" => {
                assert!(
                    told.starts_with("HTTP/1.1 408 ") && told.contains("\"code\":\"request_timeout\""),
                    "{kind}: {told}"
                );
            }
            _ => {}
        }
    }
    assert!(late.is_empty(), "{late:?}");
    for kind in ["head", "body", "chunk"] {
        assert!(told_why.contains(kind), "no client of kind {kind} was told why");
    }
}

#[tokio::test]
async fn when_descriptors_run_out_connections_are_refused_and_the_service_recovers() {
    let folder = Program::new().by(&["sh", "-c", "ulimit -n 100; exec \"$0\" \"$@\""]);
    let program = folder.serve().await;
    let mut idle = Vec::new();
    for _ in 0..150 {
        idle.push(TcpStream::connect(program.address).await.expect("a place in the queue"));
    }
    eventually("a connection without a watch is refused", async || {
        program.log().iter().any(|line| line.contains("the process is out of file descriptors"))
    })
    .await;
    drop(idle);
    eventually("it answers again", async || {
        program.call("GET", "/healthz").try_send().await.is_ok_and(|answer| answer.status == 200)
    })
    .await;
}
