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
