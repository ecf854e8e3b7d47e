//! The readers of bodies: what is malformed, cut, deep or large is refused, and harms nobody.

use serde_json::json;

use super::original::ALLOW;
use crate::harness::TestServer;
use crate::harness::client::Answer;

#[tokio::test]
async fn a_parse_error_says_where_it_is() {
    let (server, token) = TestServer::with_alice().await;
    for (body, place) in
        [("{\"name\":", "line 1 column 8"), ("{\n 'name'", "line 2 column 2"), ("{\"a\":1,\n\"a\":2}", "line 2")]
    {
        let detail = server.post(&token, body).await.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(place), "{body:?}: {detail}");
    }
}

#[tokio::test]
async fn a_multipart_body_that_is_cut_or_bent_anywhere_is_read_or_refused() {
    let (server, token) = TestServer::with_alice().await;
    let body =
        b"--b\r\nContent-Disposition: form-data; name=\"name\"\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n";
    let mut bent: Vec<Vec<u8>> = (1..body.len()).map(|end| body[..end].to_vec()).collect();
    for at in 0..body.len() {
        bent.push([&body[..at], &body[at + 1..]].concat());
        bent.push([&body[..at], &[body[at] ^ 0x80], &body[at + 1..]].concat());
    }
    let parts = b"--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n".repeat(5000);
    bent.push([&parts[..], &body[..]].concat());
    bent.push(b"--b\r\n".repeat(10_000));
    bent.push([&b"--b\r\n"[..], &b"A: b\r\n".repeat(10_000), b"\r\nx\r\n--b--"].concat());
    for body in bent {
        let call =
            server.call("POST", "/articles/").token(&token).body("multipart/form-data; boundary=b", body.clone());
        let answer = call.send().await;
        let context = format!("{}: {answer:?}", String::from_utf8_lossy(&body[..body.len().min(200)]));
        match answer.status {
            201 => assert!(answer.json()["name"].is_string(), "{context}"),
            status => {
                assert_eq!(status, 400, "{context}");
                let is_parse_error = answer.text().starts_with(r#"{"detail":"Multipart form parse error - "#);
                assert!(is_parse_error || answer.json()["name"].is_array(), "{context}");
            }
        }
    }
    assert_eq!(server.post_article(&token, "still there").await.status, 201);
}

#[tokio::test]
async fn a_body_may_come_in_chunks_and_not_be_larger_than_the_limit() {
    let server = TestServer::start_with(|config| config.max_body_bytes = 1000).await;
    let token = server.alice().await;
    let head = format!(
        "POST /articles/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    );
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n10\r\n\"name\":\"chunked\"\r\n1\r\n}}\r\n0\r\n\r\n"
    );
    let answer = server.exchange(&chunked).await.text();
    assert!(answer.starts_with("HTTP/1.1 201 ") && answer.ends_with(r#"{"id":1,"name":"chunked"}"#), "{answer}");

    let chunks = format!("200\r\n{}\r\n", " ".repeat(0x200)).repeat(2);
    let large = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    let answer = server.exchange(&large).await.text();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    let padded = |length: usize| format!("{{\"name\":\"padded\"}}{}", " ".repeat(length - 17));
    assert_eq!(server.post(&token, &padded(1000)).await.status, 201);
    let answer = server.post(&token, &padded(1001)).await;
    assert_eq!((answer.status, answer.code().as_str(), answer.header("allow")), (413, "body_too_large", ALLOW));
    assert_eq!(server.count("articles").await, 2);
}

#[tokio::test]
async fn a_deeply_nested_body_is_read_without_harm() {
    let (server, token) = TestServer::with_alice().await;
    const DEEP: usize = 100_000;
    let (open, close) = ("[".repeat(DEEP), "]".repeat(DEEP));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEEP), "}".repeat(DEEP));
    for (case, body, detail) in [
        (
            "a list",
            format!("{open}{close}"),
            json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] }),
        ),
        ("a name", format!(r#"{{"name":{open}{close}}}"#), json!({ "name": ["Not a valid string."] })),
        ("a name of objects", format!(r#"{{"name":{objects}}}"#), json!({ "name": ["Not a valid string."] })),
    ] {
        let answer = server.post(&token, &body).await;
        assert_eq!((answer.status, answer.json()), (400, detail), "{case}");
    }
    let answer = server.post(&token, &open).await;
    assert!(answer.status == 400 && answer.text().starts_with(r#"{"detail":"JSON parse error - "#), "{answer:?}");
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
    let (server, token) = TestServer::with_alice().await;
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
    assert_eq!(server.count("articles").await, 0);
    server.assert_serves("all of them").await;
}

#[tokio::test]
async fn a_charset_that_is_wrong_or_unknown_is_refused_and_a_right_one_is_read() {
    let (server, token) = TestServer::with_alice().await;
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

/// Bodies of every kind with a name: their media type without a charset, and the bytes for those of the name.
fn bodies(name: &[u8]) -> [(&'static str, Vec<u8>); 4] {
    let escaped: String = name.iter().map(|byte| format!("%{byte:02x}")).collect();
    let part = b"--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n";
    [
        ("application/json", [b"{\"name\":\"", name, b"\"}"].concat()),
        ("application/x-www-form-urlencoded", [b"name=", name].concat()),
        ("application/x-www-form-urlencoded", format!("name={escaped}").into_bytes()),
        ("multipart/form-data; boundary=b", [part, name, b"\r\n--b--\r\n"].concat()),
    ]
}

#[tokio::test]
async fn every_kind_of_body_is_decoded_by_its_charset_or_refused() {
    let (server, token) = TestServer::with_alice().await;
    for (charset, name, expected) in [
        ("", "caf\u{e9}".as_bytes(), Ok("caf\u{e9}")),
        ("; charset=UTF-8", "caf\u{e9}".as_bytes(), Ok("caf\u{e9}")),
        (" ;\tCharset=\"utf-8\" ", "caf\u{e9}".as_bytes(), Ok("caf\u{e9}")),
        (";;charset=utf8;", "caf\u{e9}".as_bytes(), Ok("caf\u{e9}")),
        ("; charset=us-ascii", b"cafe", Ok("cafe")),
        ("; charset=iso-8859-1", b"caf\xe9", Ok("caf\u{e9}")),
        ("; charset=windows-1252", b"\x80", Ok("\u{20ac}")),
        ("; charset=shift_jis", b"\x83e", Ok("\u{30c6}")),
        ("", b"caf\xe9", Err(400)),
        ("; charset=utf-8", b"\xed\xa0\x80", Err(400)),
        ("; charset=us-ascii", "caf\u{e9}".as_bytes(), Err(400)),
        ("; charset=us-ascii", b"caf\xe9", Err(400)),
        ("; charset=klingon", b"x", Err(415)),
        ("; charset=utf-7", b"x", Err(415)),
        ("; charset=\"utf-8", b"x", Err(415)),
    ] {
        for (kind, body) in bodies(name) {
            let content_type = format!("{kind}{charset}");
            let case = format!("{content_type}: {}", body.escape_ascii());
            let answer = server.call("POST", "/articles/").token(&token).body(&content_type, body).send().await;
            match expected {
                Ok(name) => assert_eq!((answer.status, answer.json()["name"].as_str()), (201, Some(name)), "{case}"),
                Err(status) => assert_api_error(&case, &answer, status),
            }
        }
    }
    assert_eq!(server.count("articles WHERE name LIKE '%\u{fffd}%'").await, 0);
}

#[tokio::test]
async fn a_part_may_have_a_charset_of_its_own_and_no_coding() {
    let (server, token) = TestServer::with_alice().await;
    for (header, content, expected) in [
        ("Content-Type: text/plain; charset=iso-8859-1", &b"caf\xe9"[..], Ok("caf\u{e9}")),
        ("Content-Type: text/plain ; charset=\"UTF-8\"", "caf\u{e9}".as_bytes(), Ok("caf\u{e9}")),
        ("Content-Type: text/plain", "caf\u{e9}".as_bytes(), Ok("caf\u{e9}")),
        ("Content-Transfer-Encoding: 8bit", "caf\u{e9}".as_bytes(), Ok("caf\u{e9}")),
        ("Content-Type: text/plain; charset=klingon", b"x", Err(())),
        ("Content-Type: text/plain; charset=us-ascii", "caf\u{e9}".as_bytes(), Err(())),
        ("Content-Transfer-Encoding: base64", b"eA==", Err(())),
        ("Content-Transfer-Encoding: quoted-printable", b"=78", Err(())),
        ("Content-Encoding: gzip", b"x", Err(())),
    ] {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"name\"\r\n{header}\r\n\r\n");
        let body = [head.as_bytes(), content, b"\r\n--b--\r\n"].concat();
        let call = server.call("POST", "/articles/").token(&token).body("multipart/form-data; boundary=b", body);
        let answer = call.send().await;
        match expected {
            Ok(name) => assert_eq!((answer.status, answer.json()["name"].as_str()), (201, Some(name)), "{header}"),
            Err(()) => assert_api_error(header, &answer, 400),
        }
    }
}

#[tokio::test]
async fn a_parts_name_is_read_as_the_rfc_writes_it() {
    let (server, token) = TestServer::with_alice().await;
    for (disposition, status) in [
        (r#"form-data; name="name""#, 201),
        ("form-data;name=name", 201),
        (r#"FORM-DATA ; NAME="name""#, 201),
        (r#"form-data; other="; name=x"; name="name""#, 201),
        (r#"form-data; name="n\ame""#, 201),
        (r#"form-data; name="name"; filename="a; name=b""#, 400),
        (r#"form-data; filename="x\"; name=\"name"; name="other""#, 400),
        (r#"form-data; name="name"#, 400),
        ("form-data", 400),
        ("form-data; name=\"\u{ff}\"", 400),
    ] {
        // As Latin-1, so that the last one is no UTF-8.
        let disposition: Vec<u8> = disposition.chars().map(|character| character as u8).collect();
        let body = [b"--b\r\nContent-Disposition: ", &disposition[..], b"\r\n\r\nx\r\n--b--\r\n"].concat();
        let call = server.call("POST", "/articles/").token(&token).body("multipart/form-data; boundary=b", body);
        assert_eq!(call.status().await, status, "{}", disposition.escape_ascii());
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused_before_it_is_read() {
    let (server, token) = TestServer::with_alice().await;
    for (kind, body) in bodies(b"x") {
        for coding in ["gzip", "GZIP", "br", "identity, gzip", "deflate", "zstd", "aws-chunked"] {
            let call = server.call("POST", "/articles/").token(&token).header("content-encoding", coding);
            let answer = call.body(kind, body.clone()).send().await;
            assert_eq!((answer.status, answer.header("accept-encoding")), (415, "identity"), "{coding}: {answer:?}");
            assert_eq!(answer.code(), "unsupported_content_coding", "{coding}");
        }
        for coding in ["identity", "Identity", "", ", identity ,"] {
            let call = server.call("POST", "/articles/").token(&token).header("content-encoding", coding);
            assert_eq!(call.body(kind, body.clone()).status().await, 201, "{coding}");
        }
    }
    // Nothing of this body is ever sent.
    let head = format!(
        "POST /articles/ HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 100\r\nconnection: close\r\n\r\n"
    );
    let answer = server.exchange(head).await.text();
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
    // A media type that is not supported says nothing of codings.
    let answer = server.call("POST", "/articles/").token(&token).body("text/plain", "x").send().await;
    assert_eq!((answer.status, answer.header("accept-encoding")), (415, ""));
}
