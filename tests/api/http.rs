//! HTTP itself, spoken well and badly: broken requests and bodies, slow clients, hosts, paths, headers of
//! every answer, request ids, the log and the probes.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::client::Answer;
use crate::harness::jwks::Behaviour;
use crate::harness::pool::{TestKey, TestPool};
use crate::harness::program::Program;
use crate::harness::{TestServer, eventually};

/// No answer to anything sent at once takes so long.
const PATIENCE: Duration = Duration::from_secs(8);

/// What came back on a connection until the server closed it.
struct Exchange {
    bytes: Vec<u8>,
    /// Whether the server closed it before the patience was over.
    ended: bool,
}

impl Exchange {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The statuses of all answers. No body in these tests holds what looks like a status line.
    fn statuses(&self) -> Vec<u16> {
        self.text().split("HTTP/1.").skip(1).map(|answer| answer[2..5].parse().expect("a status")).collect()
    }
}

/// What a client does when all is sent.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// Waits for the server.
    Wait,
    /// Says that nothing more will come.
    End,
}

/// Sends bytes as they are, reading at the same time.
async fn exchange(address: SocketAddr, bytes: &[u8], then: Then) -> Exchange {
    let stream = TcpStream::connect(address).await.expect("the server accepts");
    let (mut reader, mut writer) = stream.into_split();
    let write = async {
        // The server may answer and close before all is sent.
        let _ = writer.write_all(bytes).await;
        if then == Then::End {
            let _ = writer.shutdown().await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let mut read = async || {
        let mut buffer = [0; 16384];
        loop {
            match reader.read(&mut buffer).await {
                Ok(0) | Err(_) => return true,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
            }
        }
    };
    let ended = tokio::select! {
        ended = read() => ended,
        () = write => unreachable!("the writer stays"),
        () = tokio::time::sleep(PATIENCE) => false,
    };
    Exchange { bytes: answer, ended }
}

#[track_caller]
fn assert_refused(case: &str, exchange: &Exchange) {
    let statuses = exchange.statuses();
    assert!(exchange.ended, "{case}: the connection hangs after {:?}", exchange.text());
    // An answer, or none where the server has reason to think that nobody listens; never two, which
    // would mean that what follows a refused head is taken for another request.
    assert!(statuses.len() <= 1, "{case}: {:?}", exchange.text());
    assert!(statuses.iter().all(|status| (400..500).contains(status)), "{case}: {:?}", exchange.text());
}

async fn assert_serves(case: &str, server: &TestServer) {
    assert_eq!(server.call("GET", "/healthz").send().await.status, 200, "after {case}");
}

/// A refused body: 4xx in the API's shape.
#[track_caller]
fn assert_api_error(case: &str, answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{case}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/json", "{case}");
    let body = answer.json();
    let members = body.as_object().unwrap_or_else(|| panic!("{case}: {body}"));
    let is_shaped = match members.get("detail") {
        Some(detail) => detail.as_str().is_some_and(|detail| !detail.is_empty()),
        // Errors of fields: each a list of sentences.
        None => {
            !members.is_empty()
                && members.values().all(|errors| errors.as_array().is_some_and(|errors| !errors.is_empty()))
        }
    };
    assert!(is_shaped, "{case}: {body}");
}

#[tokio::test]
async fn malformed_json_of_every_kind_is_a_400_in_the_apis_shape() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000)).into_bytes();
    let text = |text: &str| text.as_bytes().to_vec();
    let rows = [
        ("a lone brace", text("{")),
        ("white space", text(" \r\n\t ")),
        ("no value", text(r#"{"name":"#)),
        ("no value, closed", text(r#"{"name":}"#)),
        ("no colon", text(r#"{"name" "x"}"#)),
        ("single quotes", text("{'name':'x'}")),
        ("unquoted name", text(r#"{name:"x"}"#)),
        ("comma at the end", text(r#"{"name":"x",}"#)),
        ("comma at the begin", text(r#"{,"name":"x"}"#)),
        ("comment", text(r#"{"name":"x"/* y */}"#)),
        ("two documents", text(r#"{"name":"x"}{"name":"y"}"#)),
        ("text behind it", text(r#"{"name":"x"} x"#)),
        ("NaN", text(r#"{"name":NaN}"#)),
        ("Infinity", text(r#"{"name":-Infinity}"#)),
        ("leading zero", text(r#"{"name":01}"#)),
        ("plus sign", text(r#"{"name":+1}"#)),
        ("bare point", text(r#"{"name":.5}"#)),
        ("hexadecimal", text(r#"{"name":0x10}"#)),
        ("too great a number", text(r#"{"name":1e999}"#)),
        ("unknown word", text(r#"{"name":undefined}"#)),
        ("capital word", text(r#"{"name":True}"#)),
        ("open string", text(r#"{"name":"x"#)),
        ("unknown escape", text(r#"{"name":"\x41"}"#)),
        ("short escape", text(r#"{"name":"\u12"}"#)),
        ("raw newline in a string", text("{\"name\":\"a\nb\"}")),
        ("raw NUL in a string", text("{\"name\":\"a\0b\"}")),
        ("NUL behind it", text("{\"name\":\"x\"}\0")),
        ("vertical tab as white space", text("{\u{b}\"name\":\"x\"}")),
        ("no-break space as white space", text("{\u{a0}\"name\":\"x\"}")),
        ("byte order mark", b"\xef\xbb\xbf{\"name\":\"x\"}".to_vec()),
        ("UTF-16", "{\"name\":\"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("invalid UTF-8", b"{\"name\":\"\xff\xfe\"}".to_vec()),
        ("overlong UTF-8", b"{\"name\":\"\xc0\xaf\"}".to_vec()),
        ("a surrogate in UTF-8", b"{\"name\":\"\xed\xa0\x80\"}".to_vec()),
        ("cut UTF-8", b"{\"name\":\"\xe2\x82".to_vec()),
        ("one name twice", text(r#"{"name":"x","name":"y"}"#)),
        ("one name twice, escaped", text(r#"{"name":"x","\u006eame":"y"}"#)),
        ("100,000 arrays", deep("[", "]")),
        ("100,000 arrays, not closed", b"[".repeat(100_000)),
        ("100,000 objects", deep("{\"a\":", "}")),
        ("100,000 arrays as the name", [br#"{"name":"#.to_vec(), deep("[", "]"), b"}".to_vec()].concat()),
        (
            "100,000 objects as the name",
            format!("{{\"name\":{}1{}}}", "{\"a\":".repeat(100_000), "}".repeat(100_000)).into_bytes(),
        ),
        ("binary", (0..=255).collect()),
        ("an array", text("[]")),
        ("a number", text("1")),
    ];
    for (case, body) in rows {
        let answer = server.call("POST", "/articles/").token(&token).json(body).send().await;
        assert_api_error(case, &answer, 400);
        assert!(!answer.header("x-request-id").is_empty(), "{case}");
    }
    assert_eq!(server.number("SELECT count(*) FROM articles").await, 0);
    assert_serves("all of them", &server).await;
}

#[tokio::test]
async fn a_charset_that_is_wrong_or_unknown_is_refused_and_a_right_one_is_read() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let utf16: Vec<u8> = "{\"name\":\"caf\u{e9}\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let rows: [(&str, &[u8], u16); 10] = [
        ("application/json; charset=klingon", b"{\"name\":\"x\"}", 415),
        ("application/json; charset=\"\"", b"{\"name\":\"x\"}", 415),
        ("application/json; charset=utf-8", b"{\"name\":\"caf\xe9\"}", 400),
        ("application/json; charset=utf-16le", b"{\"name\":\"x\"}\0", 400),
        ("application/json; charset=UTF-8", "{\"name\":\"caf\u{e9}\"}".as_bytes(), 201),
        ("application/json; charset=latin-1", b"{\"name\":\"caf\xe9\"}", 201),
        ("application/json; charset=utf-16le", &utf16, 201),
        ("application/jsonp", b"{\"name\":\"x\"}", 415),
        ("application/json, text/html", b"{\"name\":\"x\"}", 415),
        ("json", b"{\"name\":\"x\"}", 415),
    ];
    for (content_type, body, status) in rows {
        let answer = server.call("POST", "/articles/").token(&token).body(content_type, body).send().await;
        let case = format!("{content_type}, {}", String::from_utf8_lossy(body));
        if status == 201 {
            assert_eq!((answer.status, answer.json()["name"].as_str()), (201, Some("caf\u{e9}")), "{case}");
        } else {
            assert_api_error(&case, &answer, status);
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let head = |more: &str| {
        format!("POST /articles/ HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\ncontent-type: application/json\r\n{more}\r\n\r\n").into_bytes()
    };
    let chunked = |size: usize| {
        [head("transfer-encoding: chunked"), format!("{size:x}\r\n").into_bytes(), vec![b' '; size]].concat()
    };
    let rows = [
        // Nothing of the body is ever sent: whoever waits for it waits in vain.
        ("announced", head("content-length: 10485760"), true),
        ("announced and too long a number", head("content-length: 18446744073709551615"), true),
        ("announced, with Expect", head("content-length: 10485760\r\nexpect: 100-continue"), true),
        // The last chunk never comes.
        ("in chunks", chunked(1_048_577 + 1000), true),
        ("10 MB sent", [head("content-length: 10485760"), vec![b' '; 10_485_760]].concat(), false),
        ("10 MB in chunks", chunked(10_485_760), false),
    ];
    for (case, bytes, is_read) in rows {
        let exchange = exchange(server.address, &bytes, Then::Wait).await;
        assert!(exchange.ended, "{case}: {:?}", exchange.text());
        let text = exchange.text().replace("HTTP/1.1 100 Continue\r\n\r\n", "");
        // A client that goes on sending may lose the answer to the reset that ends it.
        if is_read || !text.is_empty() {
            assert!(text.starts_with("HTTP/1.1 413 "), "{case}: {text}");
            assert!(text.contains("\"code\":\"body_too_large\"") && text.contains("\"detail\":"), "{case}: {text}");
        }
        assert_serves(case, &server).await;
    }
    let just_fits = format!("{}{{\"name\":\"fits\"}}", " ".repeat(1_048_576 - 15));
    assert_eq!(just_fits.len(), 1_048_576);
    assert_eq!(server.post(&token, &just_fits).await.status, 201);
}

#[tokio::test]
async fn requests_that_are_broken_are_refused_and_nothing_hangs() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let get = |more: &[u8]| [b"GET /articles/ HTTP/1.1\r\nhost: localhost\r\n", more].concat();
    let post = |more: &str| {
        let start = format!(
            "POST /articles/ HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\ncontent-type: application/json\r\n"
        );
        [start.as_bytes(), more.as_bytes()].concat()
    };
    // Behind each of the bodies below: must never be taken for a request of its own.
    let smuggled = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let body = r#"{"name":"x"}"#;
    let ending_chunks = format!("c\r\n{body}\r\n0\r\n\r\n");
    let complete = [
        (
            "Content-Length with Transfer-Encoding",
            post(&format!("content-length: 12\r\ntransfer-encoding: chunked\r\n\r\n{ending_chunks}{smuggled}")),
        ),
        (
            "Transfer-Encoding with Content-Length",
            post(&format!("transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n{ending_chunks}{smuggled}")),
        ),
        (
            "Transfer-Encoding twice",
            post(&format!("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n{ending_chunks}{smuggled}")),
        ),
        ("Transfer-Encoding gzip", post(&format!("transfer-encoding: gzip\r\n\r\n{ending_chunks}{smuggled}"))),
        (
            "Transfer-Encoding gzip, chunked",
            post(&format!("transfer-encoding: gzip, chunked\r\n\r\n{ending_chunks}{smuggled}")),
        ),
        (
            "Transfer-Encoding chunked, identity",
            post(&format!("transfer-encoding: chunked, identity\r\n\r\n{ending_chunks}{smuggled}")),
        ),
        (
            "Transfer-Encoding identity",
            post(&format!("transfer-encoding: identity\r\ncontent-length: 12\r\n\r\n{body}{smuggled}")),
        ),
        (
            "Transfer-Encoding with a vertical tab",
            post(&format!("transfer-encoding: \x0bchunked\r\n\r\n{ending_chunks}{smuggled}")),
        ),
        (
            "Transfer-Encoding with a space before the colon",
            post(&format!("transfer-encoding : chunked\r\n\r\n{ending_chunks}{smuggled}")),
        ),
        (
            "Transfer-Encoding in HTTP/1.0",
            b"POST /articles/ HTTP/1.0\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        ),
        (
            "Content-Length twice, the same",
            post(&format!("content-length: 12\r\ncontent-length: 12\r\n\r\n{body}{smuggled}")),
        ),
        (
            "Content-Length twice, not the same",
            post(&format!("content-length: 12\r\ncontent-length: 0\r\n\r\n{body}{smuggled}")),
        ),
        ("Content-Length as a list", post(&format!("content-length: 12, 12\r\n\r\n{body}{smuggled}"))),
        ("Content-Length negative", post(&format!("content-length: -12\r\n\r\n{body}{smuggled}"))),
        ("Content-Length with plus", post(&format!("content-length: +12\r\n\r\n{body}{smuggled}"))),
        ("Content-Length hexadecimal", post(&format!("content-length: 0xc\r\n\r\n{body}{smuggled}"))),
        (
            "Content-Length beyond 64 bits",
            post(&format!("content-length: 99999999999999999999\r\n\r\n{body}{smuggled}")),
        ),
        ("Content-Length empty", post(&format!("content-length: \r\n\r\n{body}{smuggled}"))),
        ("a chunk's size is no number", post("transfer-encoding: chunked\r\n\r\nzz\r\nxx\r\n0\r\n\r\n")),
        ("a chunk's size is negative", post("transfer-encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n")),
        (
            "a chunk's size is beyond 64 bits",
            post("transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n"),
        ),
        ("a chunk's size with 0x", post(&format!("transfer-encoding: chunked\r\n\r\n0xc\r\n{body}\r\n0\r\n\r\n"))),
        ("a chunk without its end", post(&format!("transfer-encoding: chunked\r\n\r\nc\r\n{body}0\r\n\r\n{smuggled}"))),
        (
            "a chunk longer than said",
            post(&format!("transfer-encoding: chunked\r\n\r\n4\r\n{body}\r\n0\r\n\r\n{smuggled}")),
        ),
        ("a chunk's line ends in LF alone", post(&format!("transfer-encoding: chunked\r\n\r\nc\n{body}\r\n0\r\n\r\n"))),
        (
            "a chunk's extension has a line feed",
            post(&format!("transfer-encoding: chunked\r\n\r\nc;a\nb\r\n{body}\r\n0\r\n\r\n")),
        ),
        ("no colon", get(b"authorization\r\n\r\n")),
        ("no name", get(b": x\r\n\r\n")),
        ("a space in a name", get(b"x y: z\r\n\r\n")),
        ("a space before the colon", get(b"x : y\r\n\r\n")),
        ("a folded line", get(b"x: y\r\n z\r\n\r\n")),
        ("NUL in a value", get(b"x: a\0b\r\n\r\n")),
        ("NUL in a name", get(b"x\0y: b\r\n\r\n")),
        ("CR alone in a value", get(b"x: a\rb\r\n\r\n")),
        ("CR alone as a line's end", get(b"x: a\ry: b\r\n\r\n")),
        ("a bell in a value", get(b"x: \x07\r\n\r\n")),
        ("two hosts", get(b"host: localhost\r\n\r\n")),
        ("no host", b"GET /healthz HTTP/1.1\r\n\r\n".to_vec()),
        ("97 headers", get(&[b"x: y\r\n".repeat(97), b"\r\n".to_vec()].concat())),
        ("10,000 headers", get(&[b"x: y\r\n".repeat(10_000), b"\r\n".to_vec()].concat())),
        ("a header of 1 MB", get(&[b"x: ".to_vec(), b"y".repeat(1_048_576), b"\r\n\r\n".to_vec()].concat())),
        ("a header of 1 MB without end", get(&[b"x: ".to_vec(), b"y".repeat(1_048_576)].concat())),
        ("a name of 1 MB", get(&[b"y".repeat(1_048_576), b": x\r\n\r\n".to_vec()].concat())),
        (
            "a target of 70 KB",
            [b"GET /".to_vec(), b"a".repeat(70_000), b" HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()].concat(),
        ),
        (
            "a target of 1 MB",
            [b"GET /".to_vec(), b"a".repeat(1_048_576), b" HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()].concat(),
        ),
        ("a target with a space", b"GET /articles/ x HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()),
        ("a target with NUL", b"GET /\0 HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()),
        ("a target without its slash", b"GET articles/ HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()),
        ("no target", b"GET HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()),
        ("a method with a control character", b"G\x01T / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()),
        ("HTTP/0.9", b"GET /\r\n\r\n".to_vec()),
        ("HTTP/3.0", b"GET / HTTP/3.0\r\nhost: localhost\r\n\r\n".to_vec()),
        ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("http in lower case", b"GET / http/1.1\r\nhost: localhost\r\n\r\n".to_vec()),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello hello\r\n\r\n".to_vec()),
        ("binary", (0..=255).collect()),
    ];
    for (case, bytes) in complete {
        assert_refused(case, &exchange(server.address, &bytes, Then::Wait).await);
    }
    assert_serves("broken requests", &server).await;
    let incomplete = [
        ("nothing", Vec::new()),
        ("half a line", b"GET /art".to_vec()),
        ("half a head", get(b"x: y")),
        ("a body shorter than said", post(&format!("content-length: 13\r\n\r\n{body}"))),
        ("no body", post("content-length: 12\r\n\r\n")),
        ("chunks without end", post(&format!("transfer-encoding: chunked\r\n\r\nc\r\n{body}\r\n"))),
        ("half a chunk", post("transfer-encoding: chunked\r\n\r\nc\r\n{\"na")),
        ("half a chunk's size", post("transfer-encoding: chunked\r\n\r\nc")),
    ];
    for (case, bytes) in incomplete {
        assert_refused(case, &exchange(server.address, &bytes, Then::End).await);
    }
    assert_serves("incomplete requests", &server).await;
    assert_eq!(server.number("SELECT count(*) FROM articles").await, 0);
}

#[tokio::test]
async fn unusual_requests_are_answered_as_the_rfcs_say() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let chunks = r#"1;ext="x";y=z
{
b
"name":"x"}
0
trailer: x

"#;
    let chunks = chunks.replace('\n', "\r\n");
    let chunked = format!(
        "POST /articles/ HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{chunks}"
    );
    let rows = [
        ("HTTP/1.0", "GET /healthz HTTP/1.0\r\nhost: localhost\r\n\r\n", 200),
        ("HTTP/1.0 without a host", "GET /articles/ HTTP/1.0\r\n\r\n", 400),
        (
            "an absolute target of ours",
            "GET http://localhost/healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            200,
        ),
        (
            "an absolute target of ours, page",
            "GET http://localhost/nope HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            404,
        ),
        (
            "an absolute target elsewhere",
            "GET http://evil.example/articles/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            400,
        ),
        (
            "an absolute target with a user",
            "GET http://localhost@evil.example/articles/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            400,
        ),
        ("empty lines first", "\r\n\r\nGET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 200),
        ("OPTIONS *", "OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 404),
        ("odd but good chunks", chunked.as_str(), 201),
        (
            "GET with a body",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
            200,
        ),
        ("a method nobody knows", "BREW /articles/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 401),
        (
            "an upgrade nobody offers",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n",
            200,
        ),
    ];
    for (case, bytes, status) in rows {
        let exchange = exchange(server.address, bytes.as_bytes(), Then::End).await;
        assert_eq!((exchange.statuses(), exchange.ended), (vec![status], true), "{case}: {}", exchange.text());
    }
    for (case, bytes) in [
        ("CONNECT", "CONNECT localhost:80 HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        ("CONNECT elsewhere", "CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n"),
    ] {
        assert_refused(case, &exchange(server.address, bytes.as_bytes(), Then::End).await);
    }
    // RFC 9112, section 2.2 lets a server take LF for a line's end; it must do so everywhere or nowhere.
    let lf =
        exchange(server.address, b"GET /healthz HTTP/1.1\nhost: localhost\nconnection: close\n\n", Then::End).await;
    assert!(matches!(lf.statuses()[..], [] | [200] | [400]), "{}", lf.text());
    assert_serves("all of them", &server).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let mut requests = String::new();
    for n in 0..40 {
        let close = if n == 39 { "connection: close\r\n" } else { "" };
        requests += &match n % 4 {
            0 => format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-request-id: number-{n}\r\n{close}\r\n"),
            1 => format!(
                "GET /me/ HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\nx-request-id: number-{n}\r\n{close}\r\n"
            ),
            2 => format!(
                "POST /articles/ HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\ncontent-type: application/json\r\ncontent-length: 12\r\nx-request-id: number-{n}\r\n{close}\r\n{{\"name\":\"x\"}}"
            ),
            _ => format!("GET /nope HTTP/1.1\r\nhost: localhost\r\nx-request-id: number-{n}\r\n{close}\r\n"),
        };
    }
    let exchange = exchange(server.address, requests.as_bytes(), Then::Wait).await;
    let expected: Vec<u16> = (0..40).map(|n| [200, 200, 201, 404][n % 4]).collect();
    assert_eq!(exchange.statuses(), expected);
    let text = exchange.text();
    let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert_eq!(ids, (0..40).map(|n| format!("number-{n}")).collect::<Vec<_>>());
}

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
    let url = pool.jwks.url();
    // A process of its own, so that both ends of so many connections need not share one limit of files.
    let folder = Program::for_pool(&[("COGNITO_JWKS_URL", url.as_str()), ("COGNITO_CREATE_USERS", "true")]);
    let program = folder.serve().await;
    eventually("it is ready", async || program.call("GET", "/readyz").send().await.status == 200).await;
    let token = pool.token("alice").sign();
    assert_eq!(program.call("GET", "/me/").token(&token).send().await.status, 200);
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
        assert_eq!(program.call("GET", "/me/").token(&token).send().await.status, 200, "request {n}");
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
async fn only_the_hosts_of_the_list_are_answered() {
    let server = TestServer::start_with(|config| {
        config.allowed_hosts = ["localhost", ".example.com", "[::1]", "192.0.2.7"].map(str::to_owned).to_vec();
    })
    .await;
    let rows: [(&[u8], bool); 44] = [
        (b"localhost", true),
        (b"LOCALHOST", true),
        (b"localhost:8000", true),
        (b"localhost.", true),
        (b"localhost.:80", true),
        (b"  localhost  ", true),
        (b"example.com", true),
        (b"a.example.com", true),
        (b"A.b.Example.COM:443", true),
        (b"[::1]", true),
        (b"[::1]:80", true),
        (b"192.0.2.7", true),
        (b"192.0.2.7:65535", true),
        (b"", false),
        (b":80", false),
        (b".", false),
        (b"evil.com", false),
        (b"localhost.evil.com", false),
        (b"evillocalhost", false),
        (b"evil.localhost", false),
        (b"evilexample.com", false),
        (b"example.com.evil.com", false),
        (b"localhost..", false),
        (b"localhost@evil.com", false),
        (b"evil.com@localhost", false),
        (b"user:pw@localhost", false),
        (b"localhost:80@evil.com", false),
        (b"localhost:80:80", false),
        (b"localhost:http", false),
        (b"localhost:-1", false),
        (b"evil.com:localhost", false),
        (b"localhost/", false),
        (b"localhost?", false),
        (b"localhost#", false),
        (b"localhost\\evil.com", false),
        (b"localhost, evil.com", false),
        (b"localhost evil.com", false),
        (b"http://localhost", false),
        (b"l\xc3\xb6calhost", false),
        (b"\xff", false),
        (b"::1", false),
        (b"[::1", false),
        (b"[::1]evil.com", false),
        (b"[::2]", false),
    ];
    for (host, is_answered) in rows {
        let request = [b"GET /nope HTTP/1.1\r\nconnection: close\r\nhost: ", host, b"\r\n\r\n"].concat();
        let exchange = exchange(server.address, &request, Then::Wait).await;
        let expected = if is_answered { 404 } else { 400 };
        let text = exchange.text();
        assert_eq!(exchange.statuses(), [expected], "{:?}: {text}", String::from_utf8_lossy(host));
        if !is_answered && text.contains("<html") {
            assert!(!text.contains("evil"), "the host comes back: {text}");
        }
        // Probes name whatever they like. What is no host at all may be refused before that.
        if !is_answered && host.iter().all(u8::is_ascii) {
            let request = [b"GET /healthz HTTP/1.1\r\nconnection: close\r\nhost: ", host, b"\r\n\r\n"].concat();
            let exchange = crate::http::exchange(server.address, &request, Then::Wait).await;
            assert_eq!(exchange.statuses(), [200], "a probe, {:?}", String::from_utf8_lossy(host));
        }
    }
    // What a proxy says beside `Host` changes nothing.
    for (host, forwarded, status) in [("localhost", "evil.com", 404), ("evil.com", "localhost", 400)] {
        let call = server.call("GET", "/nope").header("host", host).header("x-forwarded-host", forwarded);
        assert_eq!(call.header("forwarded", format!("host={forwarded}")).send().await.status, status, "{host}");
    }
}

#[tokio::test]
async fn the_star_allows_any_host_that_is_one() {
    let server = TestServer::start_with(|config| config.allowed_hosts = vec!["*".to_owned()]).await;
    for (host, status) in [("evil.com", 404), ("[::2]:8", 404), ("a@b", 400), ("a/b", 400), ("", 400)] {
        assert_eq!(server.call("GET", "/nope").header("host", host).send().await.status, status, "{host}");
    }
}

#[tokio::test]
async fn paths_lead_nowhere_but_where_they_say() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    assert_eq!(server.post(&token, r#"{"name":"x"}"#).await.status, 201);
    let rows = [
        ("/articles/1/", 200),
        ("/articles/../me/", 404),
        ("/articles/./", 404),
        ("/articles/%2e%2e/me/", 404),
        ("/articles/..%2fme/", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/../../etc/passwd", 404),
        ("/static/../Cargo.toml", 404),
        ("/static/%2e%2e/Cargo.toml", 404),
        ("/static/..%2fCargo.toml", 404),
        ("/static/..%5cCargo.toml", 404),
        ("/static/..\\Cargo.toml", 404),
        ("/static/", 404),
        ("/static/gatepost.css", 404),
        ("/static/gatepost.css/", 404),
        ("/static/gatepost.css%00.html", 404),
        ("//articles/", 404),
        ("/articles//", 404),
        ("/articles//1/", 404),
        ("//evil.example/articles/", 404),
        ("/articles%2f", 404),
        ("/%2farticles/", 404),
        ("/articles/1%2f", 404),
        ("/articles/1%00/", 404),
        ("/articles/1;x=1/", 404),
        ("/articles/1/..", 404),
        ("/articles/-1/", 404),
        ("/articles/1.0/", 404),
        ("/articles/%D9%A1/", 404),
        ("/articles/99999999999999999999/", 404),
        ("/ARTICLES/", 404),
        ("/.env", 404),
        ("/.git/config", 404),
        ("/healthz/", 404),
        ("/healthz/../articles/", 404),
        ("/me/me/", 404),
        ("/%", 404),
        ("/%zz/", 404),
        ("/%ff%fe/", 404),
    ];
    for (path, status) in rows {
        // By hand: a client would tidy the path up.
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\nconnection: close\r\n\r\n");
        let exchange = exchange(server.address, request.as_bytes(), Then::Wait).await;
        assert_eq!(exchange.statuses(), [status], "{path}: {}", exchange.text());
    }
}

#[tokio::test]
async fn the_method_is_the_requests_own_whatever_is_said_beside_it() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    for (n, name) in ["x-http-method-override", "x-http-method", "x-method-override"].into_iter().enumerate() {
        let call = server.call("POST", "/articles/?_method=DELETE&method=DELETE").token(&token).header(name, "DELETE");
        assert_eq!(call.json(r#"{"name":"x","_method":"DELETE"}"#).send().await.status, 201, "{name}");
        let one = server.call("GET", "/articles/1/?_method=DELETE").token(&token).header(name, "DELETE").send().await;
        assert_eq!(one.status, 200, "{name}");
        assert_eq!(server.number("SELECT count(*) FROM articles").await, n as i64 + 1, "{name}");
    }
}

fn style_sheet() -> String {
    gatepost::http::assets::url("gatepost.css")
}

/// An answer of every kind, each with its name.
async fn every_answer(server: &TestServer, token: &str, more: (&str, &str)) -> Vec<(&'static str, u16, Answer)> {
    let call = |method: &str, path: &str| server.call(method, path).header(more.0, more.1);
    let known = |method: &str, path: &str| call(method, path).token(token);
    let article = known("POST", "/articles/").json(r#"{"name":"x"}"#).send().await;
    let path = article.header("location").to_owned();
    let tag = known("GET", &path).send().await.header("etag").to_owned();
    let preflight = call("OPTIONS", "/articles/")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST");
    vec![
        ("created", 201, article),
        ("root", 404, call("GET", "/").send().await),
        ("unknown path", 404, call("GET", "/nope").send().await),
        ("bad host", 400, call("GET", "/").header("host", "evil.com").send().await),
        ("no token", 401, call("GET", "/articles/").send().await),
        ("bad token", 401, call("GET", "/articles/").token("a.b.c").send().await),
        ("list", 200, known("GET", "/articles/").send().await),
        ("list without its slash", 200, known("GET", "/articles").send().await),
        ("head", 200, known("HEAD", "/articles/").send().await),
        ("list as a page", 200, known("GET", "/articles/").header("accept", "text/html").send().await),
        ("refusal as a page", 401, call("GET", "/articles/").header("accept", "text/html").send().await),
        ("one", 200, known("GET", &path).send().await),
        ("one, not modified", 304, known("GET", &path).header("if-none-match", tag).send().await),
        ("one that is not there", 404, known("GET", "/articles/999/").send().await),
        ("me", 200, known("GET", "/me/").send().await),
        ("me as a page", 200, known("GET", "/me/").header("accept", "text/html").send().await),
        ("options", 200, known("OPTIONS", "/articles/").send().await),
        ("preflight", 200, preflight.send().await),
        ("wrong method", 405, known("PUT", "/articles/").send().await),
        ("not acceptable", 406, known("GET", "/articles/").header("accept", "image/png").send().await),
        ("malformed", 400, known("POST", "/articles/").json("{").send().await),
        ("invalid", 400, known("POST", "/articles/").json("{}").send().await),
        ("unsupported", 415, known("POST", "/articles/").body("text/plain", "x").send().await),
        ("too large", 413, known("POST", "/articles/").json(vec![b' '; 1_048_577]).send().await),
        ("failed condition", 412, known("PATCH", &path).header("if-match", "\"x\"").json("{}").send().await),
        ("deleted", 204, known("DELETE", &path).send().await),
        ("healthz", 200, call("GET", "/healthz").send().await),
        ("readyz", 200, call("GET", "/readyz").send().await),
        ("style sheet", 200, call("GET", &style_sheet()).send().await),
        ("style sheet, wrong method", 405, call("POST", &style_sheet()).send().await),
    ]
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.ready().await;
    for (case, status, answer) in every_answer(&server, &token, ("x-forwarded-proto", "http")).await {
        assert_eq!(answer.status, status, "{case}");
        let csp = answer.header("content-security-policy");
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(csp.split("; ").any(|one| one == directive), "{case}: {directive} is missing in {csp}");
        }
        assert!(!csp.contains("unsafe") && !csp.contains('*') && !csp.contains("data:"), "{case}: {csp}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{case}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{case}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{case}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{case}");
        let expected = if case == "style sheet" { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), expected, "{case}");
        assert_eq!(answer.header("strict-transport-security"), "", "{case}: there is no TLS");
        assert!(answer.header("x-request-id").len() >= 8, "{case}");
        for name in ["server", "x-powered-by"] {
            assert_eq!(answer.header(name), "", "{case}: {name} tells what need not be known");
        }
        for name in answer.headers.keys().filter(|name| !matches!(name.as_str(), "vary" | "link")) {
            assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{case}: {name}");
        }
        let body = answer.text().to_ascii_lowercase();
        if answer.header("content-type").starts_with("text/html") {
            // The policy would stop these, so that a page with them would be a broken page.
            let own = format!("<script src=\"{}\" defer></script>", gatepost::http::assets::url("api.js"));
            let body = body.replace(&own, "");
            for forbidden in ["<script", "<style", " style=", " onclick=", "javascript:", "http-equiv"] {
                assert!(!body.contains(forbidden), "{case}: {forbidden} in {body}");
            }
            assert!(answer.header("content-type").contains("charset=utf-8"), "{case}");
        }
    }
}

#[tokio::test]
async fn browsers_are_told_to_insist_on_tls_only_behind_tls() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.ready().await;
    for (case, _, answer) in every_answer(&server, &token, ("x-forwarded-proto", "https")).await {
        let value = answer.header("strict-transport-security");
        let seconds: u64 =
            value.split(';').next().and_then(|age| age.strip_prefix("max-age=")?.parse().ok()).unwrap_or_default();
        assert!(seconds >= 15_768_000, "{case}: {value:?} is less than half a year");
    }
}

#[tokio::test]
async fn that_nothing_is_there_is_said_in_json_to_who_names_it_and_by_a_page_to_all_others() {
    let server = TestServer::start().await;
    let get = async |accept: &str| server.call("GET", "/nope").header("accept", accept).send().await;
    for accept in ["application/json", "application/json, text/plain, */*", "text/html;q=0.5, application/json;q=0.5"] {
        let answer = get(accept).await;
        answer.assert(404, r#"{"detail":"There is nothing at this URL.","code":"not_found"}"#);
        assert!(answer.header("vary").contains("Accept"), "{accept}: {answer:?}");
    }
    let refused = server.call("GET", "/articles/").header("host", "evil.com").header("accept", "application/json");
    let detail = "The request names a host that this service does not answer for.";
    refused.send().await.assert(400, &format!(r#"{{"detail":"{detail}","code":"host_not_allowed"}}"#));
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for accept in ["", "*/*", "application/*", browser, "text/html, application/json;q=0.9", "application/json;q=0"] {
        let answer = get(accept).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, "text/html; charset=utf-8"), "{accept}");
        assert!(answer.header("vary").contains("Accept"), "{accept}: {answer:?}");
    }
}

#[tokio::test]
async fn a_harmless_request_id_is_taken_over_and_any_other_replaced() {
    let server = TestServer::start().await;
    for id in ["12345678", "0b7e1f2a-5c1d-4e6f-8a9b-0c1d2e3f4a5b", "Root_1-67891233-abcdef", &"x".repeat(64)] {
        let answer = server.call("GET", "/articles/").header("x-request-id", id).send().await;
        assert_eq!(answer.header("x-request-id"), id);
    }
    let rows: [&[u8]; 10] = [
        b"",
        b"short",
        &[b'x'; 65],
        &[b'x'; 60_000],
        b"has a space",
        b"<script>alert(1)</script>",
        b"abc\tdefgh",
        b"\"quoted-id\"",
        b"caf\xc3\xa9-caf\xc3\xa9",
        b"../../etc/passwd",
    ];
    let mut seen = std::collections::HashSet::new();
    for id in rows {
        let answer = server.call("GET", "/articles/").header("x-request-id", id).send().await;
        let replaced = answer.header("x-request-id").to_owned();
        let is_plain = replaced.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        assert!(
            is_plain && (8..=64).contains(&replaced.len()),
            "{:?} became {replaced:?}",
            String::from_utf8_lossy(id)
        );
        assert!(seen.insert(replaced), "two requests have one id");
    }
}

#[tokio::test]
async fn failures_on_our_side_name_the_request_in_their_body() {
    let pool = TestPool::start().await;
    pool.jwks.behave(Behaviour::HangUp);
    let server = TestServer::start_for(pool, |_| {}).await;
    let token = server.alice().await;
    let call = || server.call("GET", "/me/").token(&token).header("x-request-id", "report-me-1");
    let answer = call().send().await;
    assert_eq!((answer.status, answer.json()["request_id"].as_str()), (503, Some("report-me-1")));
    let page = call().header("accept", "text/html").send().await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("report-me-1"), "{}", page.text());
    // Where nothing went wrong on our side there is nothing to report.
    assert!(server.call("GET", "/me/").send().await.json().get("request_id").is_none());
}

/// The log's lines, each of which has to be a JSON object with the members that every line has.
fn parsed(log: &[String]) -> Vec<Value> {
    let parse = |line: &String| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for name in ["time", "level", "target", "message"] {
            assert!(value[name].is_string(), "{name} is missing: {line}");
        }
        value
    };
    log.iter().map(parse).collect()
}

#[tokio::test]
async fn the_json_log_has_a_line_for_each_request_and_no_path_forges_one() {
    let pool = TestPool::start().await;
    let url = pool.jwks.url();
    let folder = Program::for_pool(&[
        ("COGNITO_JWKS_URL", url.as_str()),
        ("COGNITO_CREATE_USERS", "true"),
        ("LOG_FORMAT", "json"),
        ("RUST_LOG", "info"),
    ]);
    let program = folder.serve().await;
    eventually("it is ready", async || program.call("GET", "/readyz").send().await.status == 200).await;
    let line_of = async |id: &str| {
        let mut found = Vec::new();
        eventually("the request is logged", async || {
            found = parsed(&program.log())
                .into_iter()
                .filter(|line| line["request_id"] == id && line["target"] == "gatepost::access")
                .collect();
            !found.is_empty()
        })
        .await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    };
    let answer = program.call("GET", "/me/?secret=in-the-query").token(&pool.token("alice").sign()).send().await;
    assert_eq!(answer.status, 200);
    let line = line_of(answer.header("x-request-id")).await;
    assert_eq!(
        (&line["level"], &line["message"], &line["status"]),
        (&json!("INFO"), &json!("GET /me/ 200"), &json!(200))
    );
    assert_eq!(line["user"], answer.json()["id"], "{line}");
    assert!(line["duration_ms"].is_number(), "{line}");
    let time = line["time"].as_str().expect("text");
    assert!(time.ends_with('Z') && time.len() == "2030-01-01T00:00:00.000Z".len(), "{time}");

    let refused =
        program.call("GET", "/me/").token(&pool.token("alice").signed_by(&TestKey::nth(3)).sign()).send().await;
    let line = line_of(refused.header("x-request-id")).await;
    assert_eq!((&line["status"], line.get("user")), (&json!(401), None));
    let why = parsed(&program.log())
        .into_iter()
        .find(|line| line["message"] == "refused: signature_invalid")
        .expect("the reason is logged");
    assert_eq!(why["request_id"], refused.header("x-request-id"));

    let forged = r#"{"level":"ERROR","message":"forged"}"#;
    for (n, path) in [
        format!("/nope%0a{}", forged.replace('"', "%22")),
        format!("/nope%0d%0a{forged}"),
        format!("/nope\",\"status\":200,\"x\":\"{forged}"),
        "/nope%1b%5b31m%e2%80%a8%e2%80%ae".to_owned(),
        "/nope\u{2028}\u{202e}".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-request-id: hostile-{n}\r\nconnection: close\r\n\r\n");
        let exchange = exchange(program.address, request.as_bytes(), Then::Wait).await;
        assert!(matches!(exchange.statuses()[..], [404] | [400]), "{path}: {}", exchange.text());
        if exchange.statuses() == [404] {
            let line = line_of(&format!("hostile-{n}")).await;
            assert_eq!(line["status"], 404, "{path}");
            let message = line["message"].as_str().expect("text");
            assert!(!message.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}')), "{message:?}");
        }
    }
    let lines = parsed(&program.log());
    assert!(lines.iter().all(|line| line["level"] != "ERROR" && line["message"] != "forged"), "{lines:?}");
    let log = program.log().join("\n");
    assert!(!log.contains("in-the-query") && !log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn healthz_says_that_the_process_is_there_and_asks_for_nothing() {
    let pool = TestPool::start().await;
    pool.jwks.behave(Behaviour::HangUp);
    let server = TestServer::start_for(pool, |_| {}).await;
    server.call("GET", "/healthz").send().await.assert(200, r#"{"status":"ok"}"#);
    server
        .call("GET", "/healthz")
        .token("nonsense")
        .header("host", "10.0.0.1:8000")
        .send()
        .await
        .assert(200, r#"{"status":"ok"}"#);
    for path in ["/healthz", "/readyz", &style_sheet()] {
        let head = server.call("HEAD", path).send().await;
        let get = server.call("GET", path).send().await;
        assert_eq!(
            (head.status, head.body.len(), head.header("content-type")),
            (get.status, 0, get.header("content-type")),
            "{path}"
        );
        let post = server.call("POST", path).send().await;
        assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"), "{path}");
    }
}

#[tokio::test]
async fn readyz_names_each_thing_that_is_missing() {
    let server = TestServer::start().await;
    server.ready().await;
    let ready = server.call("GET", "/readyz").header("host", "10.0.0.1:8000").send().await;
    ready.assert(200, r#"{"status":"ready","checks":{"database":"ok","migrations":"ok","keys":"ok"}}"#);
    for (case, statement) in [
        ("a newer program was here", "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')"),
        ("migrations are pending", "DELETE FROM __diesel_schema_migrations"),
    ] {
        server.sql(statement).await;
        let answer = server.call("GET", "/readyz").send().await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{case}");
        let expected = json!({
            "status": "not ready",
            "checks": { "database": "ok", "migrations": "the migrations of the database and the program differ", "keys": "ok" },
        });
        assert_eq!(answer.json(), expected, "{case}");
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
        program.log().iter().any(|line| line.contains("no file descriptor is left"))
    })
    .await;
    drop(idle);
    eventually("it answers again", async || {
        program.call("GET", "/healthz").try_send().await.is_ok_and(|answer| answer.status == 200)
    })
    .await;
}
