//! `ETag`, `If-None-Match` and `If-Match`.

use std::collections::BTreeSet;

use super::original::original;
use crate::harness::{TestServer, assert_lacks};

#[tokio::test]
async fn a_304_has_neither_body_nor_length() {
    let (server, token) = original().await;
    let tag = server.get("/articles/", &token).await.header("etag").to_owned();
    let request = format!(
        "GET /articles/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {token}\r\nIf-None-Match: {tag}\r\n\r\n"
    );
    let answer = String::from_utf8(server.exchange(request).await.bytes).expect("the answer is UTF-8");
    assert!(answer.starts_with("HTTP/1.1 304 Not Modified\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    // A length would be that of the 200's body (RFC 9110, section 8.6), so 0 would be wrong.
    assert_lacks(&answer, &["\r\ncontent-length:", "\r\ncontent-type:"]);
}

#[tokio::test]
async fn if_match_lets_a_change_through_only_for_the_present_version() {
    let (server, token) = TestServer::with_alice().await;
    server.post_article(&token, "one").await;
    let tag = server.get("/articles/1/", &token).await.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 12, "a strong tag: {tag}");
    let several = format!("\"a\", {tag},\"b\"");
    let (odd, with_comma) = (format!(", ,{tag} ,\t,"), format!("\"a\\\", \"b,c\" ,W/\"d\", {tag}"));
    let within = format!("\"a, {}\"", tag.trim_matches('"'));
    let weak = format!("W/{tag}");
    let bare = tag.trim_matches('"').to_owned();
    for (header, status) in [
        (tag.as_str(), 200),
        (several.as_str(), 200),
        (odd.as_str(), 200),
        (with_comma.as_str(), 200),
        (within.as_str(), 412),
        ("*", 200),
        ("\"another\"", 412),
        ("\"a\", \"b\"", 412),
        // If-Match compares strongly (RFC 9110, section 13.1.1).
        (weak.as_str(), 412),
        (bare.as_str(), 412),
        ("", 412),
        ("\"\"", 412),
        ("\"*\"", 412),
    ] {
        for (method, body) in [("PUT", r#"{"name":"one"}"#), ("PATCH", "{}")] {
            let answer = server.change(method, "/articles/1/", &token, body).header("if-match", header).send().await;
            assert_eq!(answer.status, status, "{method} with If-Match: {header}");
            if status == 412 {
                assert_eq!(answer.code(), "precondition_failed", "{header}");
            }
        }
        if status == 412 {
            let answer = server.change("DELETE", "/articles/1/", &token, "").header("if-match", header).send().await;
            assert_eq!(answer.status, 412, "DELETE with If-Match: {header}");
        }
    }
    let put = async |name: &str, tag: &str| {
        let body = format!(r#"{{"name":"{name}"}}"#);
        server.change("PUT", "/articles/1/", &token, &body).header("if-match", tag).status().await
    };
    assert_eq!(put("two", &tag).await, 200);
    assert_eq!(put("three", &tag).await, 412, "the version is old by now");
    let two_headers = server
        .change("PUT", "/articles/1/", &token, r#"{"name":"one"}"#)
        .header("if-match", "\"x\"")
        .header("if-match", &tag);
    assert_eq!(two_headers.status().await, 412, "neither header has the present version");
    server.get("/articles/1/", &token).await.assert(200, r#"{"id":1,"name":"two"}"#);
    let answer = server.change("DELETE", "/articles/1/", &token, "").header("if-match", &tag).send().await;
    assert_eq!(answer.status, 412);
    let tag = server.get("/articles/1/", &token).await.header("etag").to_owned();
    let answer = server.change("DELETE", "/articles/1/", &token, "").header("if-match", &tag).send().await;
    assert_eq!(answer.status, 204);
    let answer = server.change("DELETE", "/articles/1/", &token, "").header("if-match", "*").send().await;
    assert_eq!(answer.status, 404, "`*` wants an article that is there");
}

#[tokio::test]
async fn the_tag_of_an_indented_answer_serves_for_if_match_too() {
    let (server, token) = TestServer::with_alice().await;
    server.post_article(&token, "one").await;
    let indented =
        server.call("GET", "/articles/1/").token(&token).header("accept", "application/json; indent=4").send().await;
    let tag = indented.header("etag").to_owned();
    assert_ne!(tag, server.get("/articles/1/", &token).await.header("etag"), "other bytes, another tag");
    let put = async |name: &str| {
        let body = format!(r#"{{"name":"{name}"}}"#);
        server.change("PUT", "/articles/1/", &token, &body).header("if-match", &tag).status().await
    };
    assert_eq!(put("two").await, 200);
    assert_eq!(put("three").await, 412);
}

#[tokio::test]
async fn of_many_changes_of_one_version_exactly_one_wins() {
    let (server, token) = TestServer::with_alice().await;
    server.post_article(&token, "start").await;
    let tag = server.get("/articles/1/", &token).await.header("etag").to_owned();
    let calls = (0..12).map(|n| {
        let body = format!(r#"{{"name":"writer {n}"}}"#);
        tokio::spawn(server.change("PUT", "/articles/1/", &token, &body).header("if-match", &tag).send())
    });
    let mut winners = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.expect("the call ends");
        match answer.status {
            200 => winners.push(answer.text()),
            status => assert_eq!(status, 412),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    server.get("/articles/1/", &token).await.assert(200, &winners[0]);
    assert_eq!(server.count("history WHERE action = 'changed' AND model = 'article'").await, 1);
}

#[tokio::test]
async fn what_the_caller_has_already_is_not_sent_again() {
    let (server, token) = TestServer::with_alice().await;
    server.post_article(&token, "one").await;
    server.post_article(&token, "two").await;
    for path in ["/articles/1/", "/articles/", "/articles/?limit=1", "/articles/?search=none"] {
        let first = server.get(path, &token).await;
        let tag = first.header("etag").to_owned();
        let (weak, several, other) = (format!("W/{tag}"), format!("\"x\" , {tag}"), format!("\"{tag}\""));
        for (header, status) in [
            (tag.as_str(), 304),
            (&weak, 304),
            (&several, 304),
            ("*", 200),
            ("\"x\"", 200),
            (&other, 200),
            ("", 200),
            ("W/", 200),
        ] {
            for method in ["GET", "HEAD"] {
                let answer = server.call(method, path).token(&token).header("if-none-match", header).send().await;
                let context = format!("{method} {path} with {header}: {answer:?}");
                assert_eq!(answer.status, status, "{context}");
                assert_eq!(answer.body.is_empty(), status == 304 || method == "HEAD", "{context}");
                assert_eq!(answer.header("etag"), tag, "{context}");
                // RFC 9110, section 15.4.5: what the 200 would have said for caches.
                for name in ["vary", "cache-control", "link", "x-total-count"] {
                    assert_eq!(answer.header(name), first.header(name), "{name}: {context}");
                }
            }
        }
    }
    let tag = server.get("/articles/", &token).await.header("etag").to_owned();
    let answer = server.call("GET", "/articles/").header("if-none-match", &tag).send().await;
    assert_eq!((answer.status, answer.header("etag")), (401, ""), "a stranger learns nothing");
}

#[tokio::test]
async fn a_tag_changes_with_all_that_the_answer_says() {
    let (server, token) = TestServer::with_alice().await;
    let tag = async |path: &str| server.get(path, &token).await.header("etag").to_owned();
    let mut seen = BTreeSet::from([tag("/articles/?limit=1").await]);
    for name in ["one", "two", "three"] {
        server.post_article(&token, name).await;
        // Two and three are not on the page; they change its link and its total.
        assert!(seen.insert(tag("/articles/?limit=1").await), "{name}");
    }
    let before = tag("/articles/1/").await;
    server
        .change("PATCH", "/articles/1/", &token, r#"{"name":"ONE"}"#)
        .send()
        .await
        .assert(200, r#"{"id":1,"name":"ONE"}"#);
    assert_ne!(tag("/articles/1/").await, before);
    server
        .change("PATCH", "/articles/1/", &token, r#"{"name":"one"}"#)
        .send()
        .await
        .assert(200, r#"{"id":1,"name":"one"}"#);
    assert_eq!(tag("/articles/1/").await, before, "the same content has the same tag");
}
