//! gzip and brotli: who gets them, what they leave as it is, and what they do to entity tags.

use std::io::Read;

use crate::harness::TestServer;
use crate::harness::client::Answer;

/// The body as it was before it was compressed.
#[track_caller]
fn decoded(answer: &Answer) -> Vec<u8> {
    let mut body = Vec::new();
    match answer.header("content-encoding") {
        "" => body.clone_from(&answer.body),
        "gzip" => drop(flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut body).expect("gzip")),
        "br" => drop(brotli::Decompressor::new(&answer.body[..], 4096).read_to_end(&mut body).expect("brotli")),
        other => panic!("an unknown coding: {other}"),
    }
    body
}

fn varies_by_coding(answer: &Answer) -> bool {
    let values = answer.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(", ")).any(|name| name.eq_ignore_ascii_case("accept-encoding"))
}

async fn get(server: &TestServer, path: &str, token: &str, accept_encoding: &str) -> Answer {
    server.call("GET", path).token(token).header("accept-encoding", accept_encoding).send().await
}

#[tokio::test]
async fn lists_are_compressed_for_who_accepts_it() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(1000).await;
    // In place, and on a thread of its own.
    for path in ["/articles/?limit=100", "/articles/?limit=1000"] {
        let plain = server.get(path, &token).await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, ""));
        assert!(varies_by_coding(&plain), "{plain:?}");
        for (accept, coding) in
            [("gzip", "gzip"), ("br", "br"), ("gzip, deflate, br, zstd", "br"), ("br;q=0.1, gzip", "gzip")]
        {
            let answer = get(&server, path, &token, accept).await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, coding), "{accept}");
            assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{accept}");
            assert!(answer.body.len() * 4 < plain.body.len(), "{accept}: {} bytes", answer.body.len());
            assert!(decoded(&answer) == plain.body, "{accept}: another body");
            assert!(varies_by_coding(&answer), "{accept}: {answer:?}");
            for name in ["content-type", "link", "x-total-count", "allow", "cache-control"] {
                assert_eq!(answer.header(name), plain.header(name), "{accept}: {name}");
            }
        }
        for accept in ["identity", "deflate", "zstd", "gzip;q=0, br;q=0", ""] {
            let answer = get(&server, path, &token, accept).await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, ""), "{accept}");
            assert!(answer.body == plain.body && varies_by_coding(&answer), "{accept}");
        }
    }
}

#[tokio::test]
async fn head_tells_of_the_compressed_answer() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(100).await;
    let get = get(&server, "/articles/", &token, "gzip").await;
    let head = server.call("HEAD", "/articles/").token(&token).header("accept-encoding", "gzip").send().await;
    assert!(head.body.is_empty());
    for name in ["content-encoding", "content-length", "etag", "content-type", "vary"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
}

#[tokio::test]
async fn small_bodies_are_sent_as_they_are() {
    let (server, token) = TestServer::with_alice().await;
    let answer = get(&server, "/me/", &token, "gzip, br").await;
    assert_eq!((answer.status, answer.header("content-encoding")), (200, ""));
    assert!(varies_by_coding(&answer));
    // Around the limit of 1024 bytes: each article is 20 bytes longer than its name, and there are commas.
    for (length, coding) in [(1023, ""), (1024, "gzip")] {
        server.sql("DELETE FROM articles").await;
        let mut left = length - 2;
        for id in 101.. {
            let size = left.min(70);
            // Nothing shorter than an article with an empty name may be left over.
            let size = if (1..22).contains(&(left - size)) { 40 } else { size };
            let separator = usize::from(id > 101);
            let name = "x".repeat(size - 20 - separator);
            let insert = format!(
                "INSERT INTO articles (id, name, created_at, updated_at) VALUES ({id}, '{name}', '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
            );
            server.sql(insert).await;
            left -= size;
            if left == 0 {
                break;
            }
        }
        assert_eq!(server.get("/articles/", &token).await.body.len(), length, "the test's own arithmetic");
        let answer = get(&server, "/articles/", &token, "gzip").await;
        assert_eq!(answer.header("content-encoding"), coding, "{length} bytes");
    }
    // Who does not take it as it is gets it compressed all the same.
    let answer = get(&server, "/me/", &token, "gzip, identity;q=0").await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert_eq!(decoded(&answer), server.get("/me/", &token).await.body);
}

#[tokio::test]
async fn pages_are_never_compressed() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(100).await;
    let page = server.call("GET", "/articles/").token(&token).header("accept", "text/html");
    let page = page.header("accept-encoding", "gzip, br").send().await;
    assert!(page.status == 200 && page.body.len() > 1024, "{page:?}");
    assert_eq!(page.header("content-encoding"), "");
    assert!(!varies_by_coding(&page), "{page:?}");
    let page = get(&server, "/nope", &token, "br, identity;q=0").await;
    assert_eq!((page.status, page.header("content-encoding")), (404, ""));
}

#[tokio::test]
async fn static_files_are_compressed() {
    let server = TestServer::start().await;
    let path = gatepost::http::assets::url("gatepost.css");
    let plain = server.fetch(&path).await;
    for coding in ["gzip", "br"] {
        let call = || server.call("GET", &path).header("accept-encoding", coding);
        let answer = call().send().await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, coding));
        assert!(decoded(&answer) == plain.body && answer.body.len() < plain.body.len());
        assert_eq!(answer.header("cache-control"), plain.header("cache-control"));
        assert!(varies_by_coding(&answer) && varies_by_coding(&plain));
        assert_ne!(answer.header("etag"), plain.header("etag"));
        assert_eq!(call().header("if-none-match", answer.header("etag")).status().await, 304);
    }
}

#[tokio::test]
async fn each_coding_has_an_entity_tag_of_its_own_and_all_of_them_name_the_version() {
    let (server, token) = TestServer::with_alice().await;
    // Long enough to be compressed only where it must be.
    assert_eq!(server.post_article(&token, "first").await.status, 201);
    let accepts = ["", "gzip, identity;q=0", "br, identity;q=0"];
    let mut tags = Vec::new();
    for accept in accepts {
        let read = async |tag: &str| {
            let call = server.call("GET", "/articles/1/").token(&token).header("accept-encoding", accept);
            call.header("if-none-match", tag).send().await
        };
        let answer = read("\"other\"").await;
        let tag = answer.header("etag").to_owned();
        assert!(answer.status == 200 && tag.starts_with('"') && !tags.contains(&tag), "{accept}: {tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            let again = read(&known).await;
            assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, &*tag), "{accept}: {known}");
            assert_eq!((again.header("content-encoding"), again.header("content-type")), ("", ""), "{accept}");
            assert!(varies_by_coding(&again), "{accept}: {again:?}");
        }
        tags.push(tag);
    }
    // A compressed copy is none of the plain representation, which was asked for here.
    let call = server.call("GET", "/articles/1/").token(&token).header("if-none-match", &tags[1]);
    assert_eq!(call.status().await, 200);

    let patch = async |tag: &str, name: &str| {
        let call = server.call("PATCH", "/articles/1/").token(&token).header("if-match", tag);
        call.json(format!(r#"{{"name":"{name}"}}"#)).status().await
    };
    for (n, tag) in tags.iter().enumerate() {
        assert_eq!(patch(tag, "first").await, 200, "{}: {tag}", accepts[n]);
        assert_eq!(patch(&format!("W/{tag}"), "first").await, 412, "a weak tag never matches");
    }
    assert_eq!(patch(&tags[1], "second").await, 200);
    for tag in &tags {
        assert_eq!(patch(tag, "third").await, 412, "{tag} is of an older version");
    }
    let indented = server.call("GET", "/articles/1/").token(&token).header("accept", "application/json; indent=4");
    let indented = indented.header("accept-encoding", "gzip, identity;q=0").send().await;
    assert_eq!(decoded(&indented), b"{\n    \"id\": 1,\n    \"name\": \"second\"\n}");
    assert_eq!(patch(indented.header("etag"), "third").await, 200);
}

#[tokio::test]
async fn a_connection_with_compressed_answers_goes_on() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(1000).await;
    let one = |path: &str, more: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\naccept-encoding: gzip\r\n{more}\r\n"
        )
    };
    let requests =
        [one("/articles/?limit=1000", ""), one("/articles/", ""), one("/me/", "connection: close\r\n")].concat();
    let text = server.exchange(requests).await.text();
    assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 3);
    assert!(!text.contains("transfer-encoding") && text.ends_with('}'), "{text}");
}
