//! Where the server listens, and what it tells systemd.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::harness::client::Call;
use crate::harness::eventually;
use crate::harness::jwks::JwksFixture;
use crate::harness::pool::TestKey;
use crate::harness::program::Program;

/// Gives the program its standard input as the socket that systemd passes.
const PASS: [&str; 4] = ["sh", "-c", "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh"];

#[tokio::test]
async fn a_start_at_a_port_that_is_taken_leaves_nothing_behind() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|address| (taken, address.to_string())).expect("an address");
    for name in ["BIND_ADDRESS", "METRICS_ADDRESS"] {
        let program = Program::new().set(name, &taken.1);
        let outcome = program.run(&["serve"]).await;
        outcome.assert_error(&format!("{name}: cannot listen on {}: Address already in use", taken.1));
        let left = std::fs::read_dir(program.path("")).expect("a folder").count();
        assert_eq!(left, 0, "{name}");
    }
}

/// A server at a Unix socket in this program's folder, which only a genuine pool may have.
async fn at_socket(jwks: &JwksFixture) -> Program {
    let program = Program::with_keys_at(jwks.url());
    let socket = format!("unix:{}", program.path("gatepost.sock").display());
    program.set("BIND_ADDRESS", &socket)
}

/// The status of an answer that comes through the socket.
async fn ask(socket: &Path, path: &str, headers: &str) -> u16 {
    let mut stream = UnixStream::connect(socket).await.expect("the server accepts");
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the server answers");
    answer[9..12].parse().expect("a status")
}

#[tokio::test]
async fn a_unix_socket_serves_and_is_for_owner_and_group_alone() {
    let jwks = JwksFixture::start(&[&TestKey::nth(0)]).await;
    let program = at_socket(&jwks).await;
    let socket = program.path("gatepost.sock");
    let server = program.serve().await;
    assert!(server.stdout().contains(&format!("  socket     unix:{}\n", socket.display())), "{}", server.stdout());
    assert_eq!(ask(&socket, "/healthz", "").await, 200);
    assert_eq!(ask(&socket, "/articles/", "").await, 401);
    let mode = std::fs::metadata(&socket).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o660, "{mode:o}");
    assert_eq!(program.run(&["health"]).await.success(), "ok\n");
    program.run(&["serve"]).await.assert_error("Address already in use");
    assert_eq!(ask(&socket, "/healthz", "").await, 200, "the second start has left it alone");
    // What a killed process leaves is no obstacle.
    server.kill();
    program.run(&["health"]).await.assert_error("Connection refused");
    let again = program.serve().await;
    assert_eq!(ask(&socket, "/healthz", "").await, 200);
    drop(again);
}

#[tokio::test]
async fn a_file_where_the_socket_should_be_is_kept() {
    let jwks = JwksFixture::start(&[&TestKey::nth(0)]).await;
    let program = at_socket(&jwks).await;
    std::fs::write(program.path("gatepost.sock"), "mine").expect("a file");
    program.run(&["serve"]).await.assert_error("there is a file that is no socket");
    assert_eq!(std::fs::read_to_string(program.path("gatepost.sock")).expect("the file"), "mine");
}

#[tokio::test]
async fn behind_a_unix_socket_clients_are_told_apart_if_the_proxy_is_trusted() {
    let jwks = JwksFixture::start(&[&TestKey::nth(0)]).await;
    for (trusted, expected) in [("unix:", [401, 401, 429]), ("127.0.0.1", [401, 429, 429])] {
        let program = at_socket(&jwks).await.set("RATE_LIMIT_ADDRESS", "1/h").set("TRUSTED_PROXIES", trusted);
        let server = program.serve().await;
        let mut answers = [0; 3];
        for (answer, client) in answers.iter_mut().zip(["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
            let header = format!("x-forwarded-for: {client}\r\n");
            *answer = ask(&program.path("gatepost.sock"), "/articles/", &header).await;
        }
        assert_eq!(answers, expected, "{trusted}");
        let warning = "TRUSTED_PROXIES lacks `unix:`, so all clients count as one";
        assert_eq!(server.stderr().contains(warning), trusted != "unix:", "{}", server.stderr());
    }
}

#[tokio::test]
async fn the_local_user_pool_is_not_offered_at_sockets_that_others_can_reach() {
    let program = Program::new().set("BIND_ADDRESS", "unix:/tmp/gatepost-test.sock");
    program.run(&["serve"]).await.assert_error("BIND_ADDRESS: the local user pool must not be reachable");
    let everywhere = TcpListener::bind("0.0.0.0:0").expect("a port");
    let mut command = std::process::Command::new(PASS[0]);
    command.args(&PASS[1..]).arg(env!("CARGO_BIN_EXE_gatepost")).arg("serve").env("APP_ENV", "development");
    let folder = tempfile::TempDir::new().expect("a folder");
    let output = command.current_dir(folder.path()).stdin(Stdio::from(OwnedFd::from(everywhere))).output();
    let problem = String::from_utf8(output.expect("the program runs").stderr).expect("UTF-8");
    assert!(problem.contains("gatepost: systemd passes a socket that others can reach"), "{problem}");
}

#[tokio::test]
async fn a_restart_with_the_socket_that_systemd_keeps_refuses_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let socket = || Stdio::from(OwnedFd::from(listener.try_clone().expect("a descriptor")));
    let program = Program::new().by(&PASS);
    let mut server = program.serve_with(socket()).await;
    assert_eq!(server.address, address);
    let (is_over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (is_over, answered) = (is_over.clone(), answered.clone());
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let answer = Call::new(address, "GET", "/healthz").header("connection", "close").try_send().await;
                    assert_eq!(answer.expect("each request is answered").status, 200);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..3 {
        let seen = answered.load(Ordering::Relaxed);
        eventually("requests are answered", async || answered.load(Ordering::Relaxed) > seen + 100).await;
        server.signal("TERM");
        assert!(server.exit().await.success());
        server = program.serve_with(socket()).await;
    }
    let seen = answered.load(Ordering::Relaxed);
    eventually("requests are answered", async || answered.load(Ordering::Relaxed) > seen + 100).await;
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("no request has failed");
    }
}

#[tokio::test]
async fn systemd_may_pass_a_unix_socket_and_no_more_than_one() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let socket = folder.path().join("passed.sock");
    let listener = UnixListener::bind(&socket).expect("a socket");
    let jwks = JwksFixture::start(&[&TestKey::nth(0)]).await;
    let program = Program::with_keys_at(jwks.url()).by(&PASS);
    let server = program.serve_with(Stdio::from(OwnedFd::from(listener))).await;
    assert_eq!(ask(&socket, "/healthz", "").await, 200);
    drop(server);
    let two = ["sh", "-c", "LISTEN_FDS=2 LISTEN_PID=$$ exec \"$@\"", "sh"];
    let outcome = Program::new().by(&two).run(&["serve"]).await;
    outcome.assert_error("systemd passes 2 sockets, and there can be only one");
}

/// What systemd has been told, message by message.
fn told(socket: &UnixDatagram, all: &mut String) -> String {
    let mut buffer = [0; 4096];
    while let Ok(length) = socket.recv(&mut buffer) {
        all.push_str(&String::from_utf8_lossy(&buffer[..length]));
        all.push('\n');
    }
    all.clone()
}

#[tokio::test]
async fn systemd_is_told_when_it_serves_that_it_answers_and_when_it_stops() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_millis(10))).expect("a timeout");
    let mut all = String::new();
    let program = Program::new().set("NOTIFY_SOCKET", path.to_str().expect("a path")).set("WATCHDOG_USEC", "600000");
    let program = program.set("PUBLIC_URL", "https://api.example.com");
    let mut server = program.serve().await;
    let status = format!("STATUS=Serving https://api.example.com at {}", server.address);
    eventually("it is ready", async || told(&socket, &mut all).contains("READY=1")).await;
    assert!(all.contains(&status), "{all}");
    eventually("it answers itself", async || told(&socket, &mut all).matches("WATCHDOG=1").count() > 2).await;
    assert!(!all.contains("STOPPING=1"), "{all}");
    server.signal("TERM");
    assert!(server.exit().await.success());
    assert!(told(&socket, &mut all).contains("STOPPING=1"), "{all}");
}
