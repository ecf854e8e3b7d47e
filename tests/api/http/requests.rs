//! Requests that are broken, unusual, too large or pipelined.

use crate::harness::TestServer;
use crate::harness::exchange::{Exchange, Then, exchange};

#[track_caller]
fn assert_refused(case: &str, exchange: &Exchange) {
    let statuses = exchange.statuses();
    assert!(exchange.ended, "{case}: the connection hangs after {:?}", exchange.text());
    // An answer, or none where the server has reason to think that nobody listens; never two, which
    // would mean that what follows a refused head is taken for another request.
    assert!(statuses.len() <= 1, "{case}: {:?}", exchange.text());
    assert!(statuses.iter().all(|status| (400..500).contains(status)), "{case}: {:?}", exchange.text());
}

#[tokio::test]
async fn requests_that_are_broken_are_refused_and_nothing_hangs() {
    let (server, token) = TestServer::with_alice().await;
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
        assert_refused(case, &server.exchange(&bytes).await);
    }
    server.assert_serves("broken requests").await;
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
    server.assert_serves("incomplete requests").await;
    assert_eq!(server.count("articles").await, 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let (server, token) = TestServer::with_alice().await;
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
        let exchange = server.exchange(&bytes).await;
        assert!(exchange.ended, "{case}: {:?}", exchange.text());
        let text = exchange.text().replace("HTTP/1.1 100 Continue\r\n\r\n", "");
        // A client that goes on sending may lose the answer to the reset that ends it.
        if is_read || !text.is_empty() {
            assert!(text.starts_with("HTTP/1.1 413 "), "{case}: {text}");
            assert!(text.contains("\"code\":\"body_too_large\"") && text.contains("\"detail\":"), "{case}: {text}");
        }
        server.assert_serves(case).await;
    }
    let just_fits = format!("{}{{\"name\":\"fits\"}}", " ".repeat(1_048_576 - 15));
    assert_eq!(just_fits.len(), 1_048_576);
    assert_eq!(server.post(&token, &just_fits).await.status, 201);
}

#[tokio::test]
async fn unusual_requests_are_answered_as_the_rfcs_say() {
    let (server, token) = TestServer::with_alice().await;
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
    server.assert_serves("all of them").await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let (server, token) = TestServer::with_alice().await;
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
    let exchange = server.exchange(requests).await;
    let expected: Vec<u16> = (0..40).map(|n| [200, 200, 201, 404][n % 4]).collect();
    assert_eq!(exchange.statuses(), expected);
    let text = exchange.text();
    let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert_eq!(ids, (0..40).map(|n| format!("number-{n}")).collect::<Vec<_>>());
}
