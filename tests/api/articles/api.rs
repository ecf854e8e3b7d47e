//! `/articles/` and `/articles/{id}/` beyond what the original had.

use std::collections::BTreeSet;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::TestServer;
use crate::harness::client::{Answer, Call};

const NO_ARTICLE: &str = r#"{"detail":"No Article matches the given query."}"#;
const FORBIDDEN: &str = r#"{"detail":"You do not have permission to perform this action.","code":"permission_denied"}"#;

/// The history of articles, oldest first, one line a row.
const HISTORY: &str = "SELECT action || ' ' || object_id || ' ' || object || ' by ' || actor || ' ' || coalesce(CAST(actor_id AS TEXT), '-') \
     || ' through ' || source || ': ' || changes AS t FROM history WHERE model = 'article' ORDER BY id";

impl TestServer {
    /// A local user and an ID token of theirs.
    async fn caller(&self, name: &str) -> String {
        self.user(name).await;
        self.pool.token(name).sign()
    }

    async fn staff_token(&self) -> String {
        self.user_with("staff", |user| user.is_staff = true).await;
        self.pool.token("staff").sign()
    }

    /// PUT, PATCH or DELETE with a token, and a body unless it is empty.
    fn change(&self, method: &str, path: &str, token: &str, body: &str) -> Call {
        let call = self.call(method, path).token(token);
        if body.is_empty() { call } else { call.json(body) }
    }
}

impl Answer {
    fn names(&self) -> Vec<String> {
        let rows = self.json();
        let rows = rows.as_array().unwrap_or_else(|| panic!("no list: {self:?}"));
        rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    }

    fn ids(&self) -> Vec<i64> {
        let rows = self.json();
        let rows = rows.as_array().unwrap_or_else(|| panic!("no list: {self:?}"));
        rows.iter().map(|row| row["id"].as_i64().expect("an id")).collect()
    }
}

#[tokio::test]
async fn rights_that_are_lost_while_the_body_arrives_are_lost() {
    let server = TestServer::start().await;
    let losses = [
        ("UPDATE users SET is_active = FALSE", "user_inactive"),
        ("DELETE FROM users", "user_unknown"),
        ("UPDATE articles SET created_by = NULL", "permission_denied"),
    ];
    for (loss, code) in losses {
        for (method, path) in [("POST", "/articles/".to_owned()), ("PATCH", String::new())] {
            let name = format!("{code}-{}", method.to_lowercase());
            server.user(&name).await;
            let token = server.pool.token(&name).sign();
            let article = server.post(&token, r#"{"name":"mine"}"#).await;
            let path = if path.is_empty() { article.header("location").to_owned() } else { path };
            if (method, code) == ("POST", "permission_denied") {
                continue;
            }
            let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 16\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.expect("the head");
            // The server asks for the body only once the view reads it, and then the user was let in.
            let mut asked = [0; 25];
            stream.read_exact(&mut asked).await.expect("100 Continue");
            assert_eq!(&asked[..12], b"HTTP/1.1 100");
            server.sql(loss).await;
            stream.write_all(b"{\"name\":\"other\"}").await.expect("the body");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            // Whose article it was is looked up before the body is read, maybe only after the loss.
            let is_refused = answer.contains(code) || (method == "PATCH" && answer.contains("permission_denied"));
            assert!(is_refused, "{method} after {loss}: {answer}");
            assert_eq!(
                server.number("SELECT count(*) FROM articles WHERE name = 'other'").await,
                0,
                "{method} after {loss}"
            );
        }
    }
}

#[tokio::test]
async fn a_user_creates_an_article_and_finds_it_in_the_list() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let answer = server.post(&token, r#"{"name":"A new article"}"#).await;
    answer.assert(201, r#"{"id":1,"name":"A new article"}"#);
    assert_eq!(answer.header("location"), "/articles/1/");
    server.get("/articles/", &token).await.assert(200, r#"[{"id":1,"name":"A new article"}]"#);
    server.get(answer.header("location"), &token).await.assert(200, r#"{"id":1,"name":"A new article"}"#);
    assert_eq!(server.number("SELECT count(*) FROM history WHERE model = 'article' AND source = 'api'").await, 1);
}

#[tokio::test]
async fn an_article_is_read_changed_and_deleted_at_its_address() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.post(&token, r#"{"name":"first"}"#).await;
    for (method, path, body, status, expected) in [
        ("GET", "/articles/1/", "", 200, r#"{"id":1,"name":"first"}"#),
        ("GET", "/articles/1", "", 200, r#"{"id":1,"name":"first"}"#),
        ("GET", "/articles/0001/", "", 200, r#"{"id":1,"name":"first"}"#),
        ("HEAD", "/articles/1/", "", 200, ""),
        ("PUT", "/articles/1/", r#"{"name":" second "}"#, 200, r#"{"id":1,"name":"second"}"#),
        ("PUT", "/articles/1", r#"{"id":7,"name":"third"}"#, 200, r#"{"id":1,"name":"third"}"#),
        ("PATCH", "/articles/1/", r#"{"name":"fourth"}"#, 200, r#"{"id":1,"name":"fourth"}"#),
        ("PATCH", "/articles/1/", "{}", 200, r#"{"id":1,"name":"fourth"}"#),
        ("PATCH", "/articles/1/", "", 200, r#"{"id":1,"name":"fourth"}"#),
        ("PUT", "/articles/1/", "{}", 400, r#"{"name":["This field is required."]}"#),
        ("PUT", "/articles/1/", "", 400, r#"{"name":["This field is required."]}"#),
        ("PATCH", "/articles/1/", r#"{"name":null}"#, 400, r#"{"name":["This field may not be null."]}"#),
        ("PATCH", "/articles/1/", r#"{"name":"\t"}"#, 400, r#"{"name":["This field may not be blank."]}"#),
        ("PUT", "/articles/1/", r#"{"name":true}"#, 400, r#"{"name":["Not a valid string."]}"#),
        (
            "PUT",
            "/articles/1/",
            "[]",
            400,
            r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}"#,
        ),
        ("POST", "/articles/1/", r#"{"name":"x"}"#, 405, r#"{"detail":"Method \"POST\" not allowed."}"#),
        ("FOO", "/articles/1/", "", 405, r#"{"detail":"Method \"FOO\" not allowed."}"#),
        ("GET", "/articles/1/", "", 200, r#"{"id":1,"name":"fourth"}"#),
        ("DELETE", "/articles/1/", "", 204, ""),
        ("GET", "/articles/1/", "", 404, NO_ARTICLE),
        ("DELETE", "/articles/1/", "", 404, NO_ARTICLE),
    ] {
        let answer = server.change(method, path, &token, body).send().await;
        assert_eq!((answer.status, answer.text().as_str()), (status, expected), "{method} {path} {body}");
        assert_eq!(answer.header("allow"), "GET, PUT, PATCH, DELETE, HEAD, OPTIONS", "{method} {path} {body}");
    }
    let form = server.post(&token, r#"{"name":"again"}"#).await;
    form.assert(201, r#"{"id":2,"name":"again"}"#);
    let call =
        server.call("PUT", "/articles/2/").token(&token).body("application/x-www-form-urlencoded", "name=a+form");
    call.send().await.assert(200, r#"{"id":2,"name":"a form"}"#);
}

#[tokio::test]
async fn an_id_that_names_no_article_is_not_found() {
    let server = TestServer::start().await;
    let token = server.staff_token().await;
    server.seed_articles(1).await;
    let long = "9".repeat(300);
    for id in ["2", "0", "9223372036854775807", "9223372036854775808", "18446744073709551617", long.as_str()] {
        for (method, body) in [("GET", ""), ("HEAD", ""), ("PUT", r#"{"name":"x"}"#), ("PATCH", "{}"), ("DELETE", "")] {
            let answer = server.change(method, &format!("/articles/{id}/"), &token, body).send().await;
            let expected = if method == "HEAD" { "" } else { NO_ARTICLE };
            assert_eq!((answer.status, answer.text().as_str()), (404, expected), "{method} {id}");
        }
    }
    for id in
        ["abc", "-1", "+1", "1.0", "1e0", "0x1", "%20", "1%00", "%EF%BC%91", "1/2", "1;x", "1%2f", "..", "1,2", "NaN"]
    {
        let answer = server.get(&format!("/articles/{id}/"), &token).await;
        assert_eq!(answer.status, 404, "{id}");
        assert!(answer.text().contains("<title>Not Found</title>"), "{id} is no address of the API: {answer:?}");
    }
}

#[tokio::test]
async fn only_the_creator_and_the_staff_may_change_an_article() {
    let server = TestServer::start().await;
    let (alice, bob, staff) = (server.alice().await, server.caller("bob").await, server.staff_token().await);
    server.user_with("root", |user| user.is_superuser = true).await;
    let superuser = server.pool.token("root").sign();
    server.post(&alice, r#"{"name":"hers"}"#).await;
    server.seed_articles(1).await;
    for (token, path) in
        [(&bob, "/articles/1/"), (&superuser, "/articles/1/"), (&bob, "/articles/2/"), (&alice, "/articles/2/")]
    {
        for (method, body) in [("PUT", r#"{"name":"x"}"#), ("PATCH", "{}"), ("DELETE", ""), ("PUT", "{}")] {
            let answer = server.change(method, path, token, body).send().await;
            assert_eq!((answer.status, answer.text().as_str()), (403, FORBIDDEN), "{method} {path} {body}");
        }
        assert_eq!(server.get(path, token).await.status, 200, "all may read");
    }
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] {
        assert_eq!(server.call(method, "/articles/1/").send().await.status, 401, "{method}");
    }
    assert_eq!(
        server.texts("SELECT name AS t FROM articles ORDER BY id").await,
        ["hers", "Article 000001 on DRF with Cognito"]
    );
    server
        .change("PUT", "/articles/1/", &staff, r#"{"name":"edited"}"#)
        .send()
        .await
        .assert(200, r#"{"id":1,"name":"edited"}"#);
    // Still hers, though the staff changed it last.
    server
        .change("PATCH", "/articles/1/", &alice, r#"{"name":"back"}"#)
        .send()
        .await
        .assert(200, r#"{"id":1,"name":"back"}"#);
    server.change("DELETE", "/articles/2/", &staff, "").send().await.assert(204, "");
}

#[tokio::test]
async fn an_article_outlives_its_creator_and_belongs_to_the_staff_then() {
    let server = TestServer::start().await;
    let (alice, staff) = (server.alice().await, server.staff_token().await);
    server.post(&alice, r#"{"name":"left"}"#).await;
    server.sql("DELETE FROM users WHERE username = 'alice'").await;
    // Whoever comes next under the same name is not the one who created it.
    let again = server.caller("alice").await;
    server.change("DELETE", "/articles/1/", &again, "").send().await.assert(403, FORBIDDEN);
    server.change("DELETE", "/articles/1/", &staff, "").send().await.assert(204, "");
}

#[tokio::test]
async fn if_match_lets_a_change_through_only_for_the_present_version() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.post(&token, r#"{"name":"one"}"#).await;
    let tag = server.get("/articles/1/", &token).await.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 12, "a strong tag: {tag}");
    let several = format!("\"a\", {tag},\"b\"");
    let weak = format!("W/{tag}");
    let bare = tag.trim_matches('"').to_owned();
    for (header, status) in [
        (tag.as_str(), 200),
        (several.as_str(), 200),
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
        server.change("PUT", "/articles/1/", &token, &body).header("if-match", tag).send().await.status
    };
    assert_eq!(put("two", &tag).await, 200);
    assert_eq!(put("three", &tag).await, 412, "the version is old by now");
    let two_headers = server
        .change("PUT", "/articles/1/", &token, r#"{"name":"one"}"#)
        .header("if-match", "\"x\"")
        .header("if-match", &tag);
    assert_eq!(two_headers.send().await.status, 412, "neither header has the present version");
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
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.post(&token, r#"{"name":"one"}"#).await;
    let indented =
        server.call("GET", "/articles/1/").token(&token).header("accept", "application/json; indent=4").send().await;
    let tag = indented.header("etag").to_owned();
    assert_ne!(tag, server.get("/articles/1/", &token).await.header("etag"), "other bytes, another tag");
    let put = async |name: &str| {
        let body = format!(r#"{{"name":"{name}"}}"#);
        server.change("PUT", "/articles/1/", &token, &body).header("if-match", &tag).send().await.status
    };
    assert_eq!(put("two").await, 200);
    assert_eq!(put("three").await, 412);
}

#[tokio::test]
async fn of_many_changes_of_one_version_exactly_one_wins() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.post(&token, r#"{"name":"start"}"#).await;
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
    assert_eq!(server.number("SELECT count(*) FROM history WHERE action = 'changed' AND model = 'article'").await, 1);
}

#[tokio::test]
async fn what_the_caller_has_already_is_not_sent_again() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.post(&token, r#"{"name":"one"}"#).await;
    server.post(&token, r#"{"name":"two"}"#).await;
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
    let server = TestServer::start().await;
    let token = server.alice().await;
    let tag = async |path: &str| server.get(path, &token).await.header("etag").to_owned();
    let mut seen = BTreeSet::from([tag("/articles/?limit=1").await]);
    for name in ["one", "two", "three"] {
        server.post(&token, &format!(r#"{{"name":"{name}"}}"#)).await;
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

#[tokio::test]
async fn a_page_has_a_hundred_rows_unless_the_caller_says_otherwise_and_never_over_a_thousand() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.seed_articles(1100).await;
    for (query, rows) in [
        ("", 100),
        ("?limit=1", 1),
        ("?limit=99", 99),
        ("?limit=1000", 1000),
        ("?limit=1001", 1000),
        ("?limit=9223372036854775807", 1000),
        ("?limit=99999999999999999999", 1000),
        ("?limit=2&limit=3", 3),
        ("?limit=5&page=2&offset=7&unknown=x", 5),
    ] {
        let answer = server.get(&format!("/articles/{query}"), &token).await;
        assert_eq!(answer.status, 200, "{query}");
        let ids = answer.ids();
        assert_eq!((ids.len(), ids.first(), ids.last()), (rows, Some(&1), Some(&(rows as i64))), "{query}");
        assert_eq!(answer.header("x-total-count"), "1100", "{query}");
        assert!(answer.link("next").is_some(), "{query}");
    }
}

#[tokio::test]
async fn a_list_query_that_makes_no_sense_is_refused_and_says_which_part() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.seed_articles(3).await;
    let by_id = server.get("/articles/?limit=1", &token).await.link("next").expect("a next page");
    let by_name = server.get("/articles/?limit=1&ordering=name", &token).await.link("next").expect("a next page");
    let cursor = |link: &str| link.split("cursor=").nth(1).expect("a cursor").to_owned();
    let (by_id, by_name) = (cursor(&by_id), cursor(&by_name));
    const LIMIT: &str = r#"{"limit":["A whole number from 1 to 1000 is required."]}"#;
    const CURSOR: &str = r#"{"cursor":["Invalid cursor."]}"#;
    const ORDERING: &str = r#"{"ordering":["Choose one of: id, name; a hyphen before it reverses the order."]}"#;
    const OTHER: &str = r#"{"cursor":["This cursor belongs to another ordering."]}"#;
    let queries = [
        ("limit=0", LIMIT),
        ("limit=-1", LIMIT),
        ("limit=", LIMIT),
        ("limit=x", LIMIT),
        ("limit=1.5", LIMIT),
        ("limit=1e2", LIMIT),
        ("limit=%201", LIMIT),
        ("limit=%D9%A1", LIMIT),
        ("limit=5&limit=x", LIMIT),
        ("cursor=", CURSOR),
        ("cursor=x", CURSOR),
        ("cursor=%00", CURSOR),
        ("cursor=!!!!", CURSOR),
        // "1", "{}", {"i":"1"}, {"i":1.5}, {"i":1e99}, [1], null
        ("cursor=MQ", CURSOR),
        ("cursor=e30", CURSOR),
        ("cursor=eyJpIjoiMSJ9", CURSOR),
        ("cursor=eyJpIjoxLjV9", CURSOR),
        ("cursor=eyJpIjoxZTk5fQ", CURSOR),
        ("cursor=bnVsbA", CURSOR),
        // {"i":1,"k":"\u0000"}
        ("ordering=name&cursor=eyJpIjoxLCJrIjoiXHUwMDAwIn0", CURSOR),
        ("ordering=", ORDERING),
        ("ordering=-", ORDERING),
        ("ordering=--id", ORDERING),
        ("ordering=created_by", ORDERING),
        ("ordering=NAME", ORDERING),
        ("ordering=id,name", ORDERING),
        ("ordering=id%3BDROP%20TABLE%20articles", ORDERING),
        (
            "limit=0&ordering=x",
            r#"{"limit":["A whole number from 1 to 1000 is required."],"ordering":["Choose one of: id, name; a hyphen before it reverses the order."]}"#,
        ),
    ];
    let mut queries: Vec<(String, &str)> = queries.iter().map(|(query, body)| ((*query).to_owned(), *body)).collect();
    queries.push((format!("cursor={by_id}&ordering=name"), OTHER));
    queries.push((format!("cursor={by_name}"), OTHER));
    queries.push((format!("cursor={by_id}="), CURSOR));
    queries.push((
        format!("search={}", "x".repeat(201)),
        r#"{"search":["Ensure this has no more than 200 characters."]}"#,
    ));
    queries.push((format!("search={}", "x+".repeat(21)), r#"{"search":["Ensure this has no more than 20 words."]}"#));
    for (query, body) in queries {
        let answer = server.get(&format!("/articles/?{query}"), &token).await;
        assert_eq!((answer.status, answer.text().as_str()), (400, body), "{query}");
    }
    // A place beyond the ends is a place.
    for (cursor, ids) in
        [("eyJpIjo5MjIzMzcyMDM2ODU0Nzc1ODA3fQ", vec![]), ("eyJpIjotOTIyMzM3MjAzNjg1NDc3NTgwOH0", vec![1, 2, 3])]
    {
        assert_eq!(server.get(&format!("/articles/?cursor={cursor}"), &token).await.ids(), ids, "{cursor}");
    }
}

#[tokio::test]
async fn links_lead_from_page_to_page_and_keep_the_other_parameters() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.seed_articles(5).await;
    let get = async |path: &str| server.get(path, &token).await;

    let whole = get("/articles/").await;
    assert_eq!(whole.header("link"), "", "one page needs no links");
    let exact = get("/articles/?limit=5").await;
    assert_eq!(exact.header("link"), "", "nor does a page that the list fills exactly");

    let first = get("/articles/?limit=2&search=Article%20%22on%20DRF%22&x=%26%3E%22").await;
    assert_eq!((first.ids(), first.link("prev"), first.link("first")), (vec![1, 2], None, None));
    let next = first.link("next").expect("a next page");
    assert!(next.starts_with("/articles/?limit=2&search=Article+%22on+DRF%22&x=%26%3E%22&cursor="), "{next}");

    let second = get(&next).await;
    assert_eq!((second.ids(), second.header("x-total-count")), (vec![3, 4], "5"));
    let start = second.link("first").expect("a first page");
    assert_eq!(start, "/articles/?limit=2&search=Article+%22on+DRF%22&x=%26%3E%22");

    let third = get(&second.link("next").expect("a next page")).await;
    assert_eq!((third.ids(), third.link("next")), (vec![5], None));
    let back = get(&third.link("prev").expect("a page before")).await;
    assert_eq!(back.ids(), [3, 4]);
    let begin = get(&back.link("prev").expect("a page before")).await;
    assert_eq!((begin.ids(), begin.link("prev")), (vec![1, 2], None));
    assert_eq!(get(&begin.link("next").expect("a next page")).await.ids(), [3, 4]);
    assert_eq!(get(&start).await.ids(), [1, 2]);
    let without_slash = get("/articles?limit=2").await.link("next").expect("a next page");
    assert_eq!(get(&without_slash).await.ids(), [3, 4]);
}

#[tokio::test]
async fn a_page_whose_rows_are_gone_still_leads_to_the_first_one() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.seed_articles(4).await;
    let next = server.get("/articles/?limit=2", &token).await.link("next").expect("a next page");
    let previous = server.get(&next, &token).await.link("prev").expect("a page before");
    server.sql("DELETE FROM articles WHERE id > 2").await;
    let empty = server.get(&next, &token).await;
    assert_eq!(
        (empty.ids(), empty.link("next"), empty.link("first")),
        (vec![], None, Some("/articles/?limit=2".to_owned()))
    );
    server.sql("DELETE FROM articles").await;
    server.seed_articles(1).await;
    let empty = server.get(&previous, &token).await;
    assert_eq!((empty.ids(), empty.link("first")), (vec![], Some("/articles/?limit=2".to_owned())));
    assert_eq!(server.get("/articles/?limit=2", &token).await.ids(), [5]);
}

/// Follows a relation from `path` on until it leads nowhere; runs `between` after each page.
async fn walk(
    server: &TestServer,
    token: &str,
    path: &str,
    relation: &str,
    mut between: impl AsyncFnMut(usize),
) -> (Vec<(i64, String)>, String) {
    let (mut rows, mut path) = (Vec::new(), path.to_owned());
    for page in 0..100 {
        let answer = server.get(&path, token).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let found = answer.ids().into_iter().zip(answer.names());
        if relation == "next" {
            rows.extend(found);
        } else {
            rows.splice(0..0, found).for_each(drop);
        }
        between(page).await;
        match answer.link(relation) {
            Some(link) => path = link,
            None => return (rows, path),
        }
    }
    panic!("the walk does not end: {path}");
}

#[tokio::test]
async fn a_walk_over_the_pages_meets_every_row_once_in_each_order_and_back() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    // Names that repeat, so that pages begin and end within a row of equal names, and such as sort oddly.
    server
        .sql(
            "INSERT INTO articles (name, created_at, updated_at)
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 31)
             SELECT CASE n % 5 WHEN 0 THEN 'same' WHEN 1 THEN 'Same' WHEN 2 THEN 'ähnlich ' || n % 2 WHEN 3 THEN '😀' ELSE '%' || n || '\"&' END,
             '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM numbers",
        )
        .await;
    let mut all: Vec<(i64, String)> = {
        let answer = server.get("/articles/", &token).await;
        answer.ids().into_iter().zip(answer.names()).collect()
    };
    assert_eq!(all.len(), 31);
    for ordering in ["id", "-id", "name", "-name"] {
        match ordering.trim_start_matches('-') {
            "id" => all.sort_by_key(|(id, _)| *id),
            _ => all.sort_by(|(a, x), (b, y)| (x.as_bytes(), a).cmp(&(y.as_bytes(), b))),
        }
        if ordering.starts_with('-') {
            all.reverse();
        }
        for limit in [1, 4, 30, 31] {
            let start = format!("/articles/?limit={limit}&ordering={ordering}");
            let (forth, last) = walk(&server, &token, &start, "next", async |_| {}).await;
            assert_eq!(forth, all, "forth by {ordering}, {limit} a page");
            let (back, _) = walk(&server, &token, &last, "prev", async |_| {}).await;
            assert_eq!(back, all, "back by {ordering}, {limit} a page");
        }
    }
}

#[tokio::test]
async fn rows_that_come_and_go_do_not_disturb_a_walk_over_the_others() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    for ordering in ["id", "-id", "name", "-name"] {
        server.sql("DELETE FROM articles").await;
        // 'stay 001', 'stay 003' and so on with 'leave' between them.
        server
            .sql(
                "INSERT INTO articles (id, name, created_at, updated_at)
                 WITH RECURSIVE numbers (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM numbers WHERE n < 130)
                 SELECT n, n || CASE n % 2 WHEN 1 THEN ' stay' ELSE ' leave' END, '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM numbers",
            )
            .await;
        let stay: Vec<i64> = (100..=130).filter(|n| n % 2 == 1).collect();
        // After each page rows go before and behind the place where the walk is, and others come.
        let disturb = async |page: usize| {
            let (low, high) = (100 + 2 * page as i64, 130 - 2 * page as i64);
            let rows = [low, high].map(|n| {
                format!("({n} + {page} * 1000, '{n:03} new {page}', '2026-01-01 00:00:00', '2026-01-01 00:00:00')")
            });
            server
                .sql(format!(
                    "DELETE FROM articles WHERE id IN ({low}, {high}) AND name LIKE '%leave';
                     INSERT INTO articles (id, name, created_at, updated_at) VALUES ({page} + 1, '000 new', '2026-01-01 00:00:00', '2026-01-01 00:00:00');
                     INSERT INTO articles (id, name, created_at, updated_at) VALUES {} ON CONFLICT DO NOTHING;",
                    rows.join(", ")
                ))
                .await;
        };
        let check = |rows: &[(i64, String)], direction: &str| {
            let context = format!("{direction} by {ordering}: {rows:?}");
            let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
            assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "no row twice {context}");
            let mut met: Vec<i64> = rows.iter().filter(|(_, name)| name.ends_with("stay")).map(|(id, _)| *id).collect();
            if ordering.starts_with('-') {
                met.reverse();
            }
            assert_eq!(met, stay, "all that stayed, in order, {context}");
        };
        let start = format!("/articles/?limit=4&ordering={ordering}");
        let (forth, last) = walk(&server, &token, &start, "next", disturb).await;
        check(&forth, "forth");
        let mut calls = 0;
        let (back, _) = walk(&server, &token, &last, "prev", async |page| {
            calls += 1;
            // More new rows at the near end, so that a walk that counts rows would go astray.
            server.sql(format!(
                "INSERT INTO articles (id, name, created_at, updated_at) VALUES (50000 + {page}, '115 late', '2026-01-01 00:00:00', '2026-01-01 00:00:00');
                 DELETE FROM articles WHERE name LIKE '%new%' AND id % 3 = {page} % 3;"
            ))
            .await;
        })
        .await;
        assert!(calls > 3, "there was a walk back by {ordering}");
        // The page on which the walk back begins is the last one only: what came behind it is not on it.
        let seen: BTreeSet<i64> = back.iter().map(|(id, _)| *id).collect();
        assert!(stay.iter().all(|id| seen.contains(id)), "back by {ordering}: {back:?}");
        check(&back, "back");
    }
}

#[tokio::test]
async fn a_search_finds_the_rows_that_have_every_word() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let names = [
        "Red apple",
        "red Pear",
        "Apple pie, warm",
        "100% sure",
        "100 sure",
        "snake_case",
        "snakeXcase",
        "back\\slash",
        "backslash",
        "it's \"quoted\"",
        "ÉCOLE d'été",
        "école",
        "ΟΔΟΣ",
        "Größe",
        "ЯБЛОКО",
    ];
    for name in names {
        assert_eq!(server.post(&token, &serde_json::json!({ "name": name }).to_string()).await.status, 201, "{name}");
    }
    for (search, found) in [
        ("apple", vec!["Red apple", "Apple pie, warm"]),
        ("APPLE", vec!["Red apple", "Apple pie, warm"]),
        ("red apple", vec!["Red apple"]),
        ("apple red", vec!["Red apple"]),
        ("apple,red", vec!["Red apple"]),
        ("app re", vec!["Red apple"]),
        ("apple banana", vec![]),
        ("\"red apple\"", vec!["Red apple"]),
        ("\"apple red\"", vec![]),
        ("\"pie, warm\" APPLE", vec!["Apple pie, warm"]),
        // A quotation mark without a partner opens a word that goes to the end.
        ("\"red pe", vec!["red Pear"]),
        ("100%", vec!["100% sure"]),
        ("1%e", vec![]),
        ("%", vec!["100% sure"]),
        ("snake_case", vec!["snake_case"]),
        ("_", vec!["snake_case"]),
        ("\\", vec!["back\\slash"]),
        ("back\\s", vec!["back\\slash"]),
        ("\\%", vec![]),
        ("it's", vec!["it's \"quoted\""]),
        ("' OR 1=1 --", vec![]),
        ("red\0", vec!["Red apple", "red Pear"]),
        ("ÉCOLE", vec!["ÉCOLE d'été", "école"]),
        ("école", vec!["ÉCOLE d'été", "école"]),
        ("É", vec!["ÉCOLE d'été", "école"]),
        ("ecole", vec![]),
        ("οδος", vec![]),
        ("ΟΔΟΣ", vec!["ΟΔΟΣ"]),
        ("οδο", vec!["ΟΔΟΣ"]),
        ("GRÖSSE", vec![]),
        ("größE", vec!["Größe"]),
        ("яблоко", vec!["ЯБЛОКО"]),
        ("😀", vec![]),
        (&"z ".repeat(20), vec![]),
        (
            &"a ".repeat(20),
            vec!["Red apple", "red Pear", "Apple pie, warm", "snake_case", "snakeXcase", "back\\slash", "backslash"],
        ),
    ] {
        let query = form_urlencoded(search);
        let answer = server.get(&format!("/articles/?search={query}"), &token).await;
        assert_eq!(answer.names(), found, "{search}");
        assert_eq!(answer.header("x-total-count"), found.len().to_string(), "{search}");
    }
    for everything in ["", "%20", "%22%22", ",", "%00", "%20%22%20%22%20"] {
        let answer = server.get(&format!("/articles/?search={everything}"), &token).await;
        assert_eq!(answer.names().len(), names.len(), "{everything}");
    }
    // Bytes that are no UTF-8 find nothing and break nothing.
    assert!(server.get("/articles/?search=%FF%FE", &token).await.ids().is_empty());
    let ordered = server.get("/articles/?search=sure&ordering=-name", &token).await;
    assert_eq!(ordered.names(), ["100% sure", "100 sure"]);
}

fn form_urlencoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[tokio::test]
async fn a_search_is_walked_page_by_page_too() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.seed_articles(120).await;
    for ordering in ["id", "-name"] {
        let start = format!("/articles/?limit=3&search=5+article&ordering={ordering}");
        let (rows, _) = walk(&server, &token, &start, "next", async |_| {}).await;
        let mut ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
        if ordering.starts_with('-') {
            ids.reverse();
        }
        let expected: Vec<i64> = (1..=120).filter(|n| n.to_string().contains('5')).collect();
        assert_eq!(ids, expected, "{ordering}");
        assert_eq!(server.get(&start, &token).await.header("x-total-count"), expected.len().to_string());
    }
}

#[tokio::test]
async fn options_describes_one_article() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.seed_articles(1).await;
    let answer = server.call("OPTIONS", "/articles/1/").token(&token).send().await;
    answer.assert(
        200,
        concat!(
            r#"{"name":"Article","description":"","renders":["application/json","text/html"],"#,
            r#""parses":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"#,
            r#""actions":{"PUT":{"id":{"type":"integer","required":false,"read_only":true,"label":"ID"},"#,
            r#""name":{"type":"string","required":true,"read_only":false,"label":"Name","max_length":50}}}}"#
        ),
    );
    assert_eq!(answer.header("allow"), "GET, PUT, PATCH, DELETE, HEAD, OPTIONS");
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.seed_articles(3).await;
    for path in [
        "/articles/",
        "/articles/?limit=2",
        "/articles/2/",
        "/articles/2/?format=api",
        "/articles/9/",
        "/articles/?limit=0",
    ] {
        let (get, head) = (server.get(path, &token).await, server.call("HEAD", path).token(&token).send().await);
        assert!(!get.body.is_empty() && head.body.is_empty(), "{path}");
        assert_eq!(head.status, get.status, "{path}");
        for name in ["content-type", "etag", "link", "x-total-count", "allow", "vary", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn a_hostile_name_is_text_on_the_page_and_whole_in_json() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let hostile = [
        "<script>alert(1)</script>",
        "</pre><img src=x onerror=alert(1)>",
        "\"'><svg onload=alert(1)>",
        "</title></style><!--",
        "{{ 7*7 }} {% now %} ${7*7}",
        "a\u{2028}b\u{202e}c\u{200b}\u{feff}d",
        "&lt;b&gt; &amp;",
    ];
    for (name, id) in hostile.iter().zip(1..) {
        let body = serde_json::json!({ "name": name }).to_string();
        let answer =
            server.call("POST", "/articles/").token(&token).header("accept", "text/html").json(body).send().await;
        assert_eq!(answer.status, 201, "{name}");
        let list = server.get("/articles/?format=api", &token).await;
        let detail = server.get(&format!("/articles/{id}/?format=api&x=<script>"), &token).await;
        for page in [&answer, &list, &detail] {
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            let own = format!("<script src=\"{}\" defer></script>", gatepost::assets::url("api.js"));
            let text = page.text().replace(&own, "");
            for markup in ["<script", "<img", "<svg", "</pre><", "<!--", "49 "] {
                assert!(!text.contains(markup), "{markup} of {name} came through: {text}");
            }
            assert_eq!(text.matches("<pre").count(), 1, "{name}");
            assert!(page.header("content-security-policy").contains("default-src 'none'"), "the second wall");
        }
        assert_eq!(server.get(&format!("/articles/{id}/"), &token).await.json()["name"], *name);
    }
    let page = server.get("/articles/?format=api", &token).await.text();
    assert!(
        page.contains("&#38;lt;b&#38;gt;") || page.contains("&amp;lt;b&amp;gt;"),
        "what was escaped already is escaped again: {page}"
    );
}

#[tokio::test]
async fn every_change_leaves_its_old_and_new_value_in_the_history() {
    let server = TestServer::start().await;
    let (alice, bob, staff) = (server.alice().await, server.caller("bob").await, server.staff_token().await);
    let change = async |method: &str, path: &str, token: &str, body: &str| {
        server.change(method, path, token, body).send().await.status
    };
    assert_eq!(change("POST", "/articles/", &alice, r#"{"name":"\"one\""}"#).await, 201);
    assert_eq!(change("PUT", "/articles/1/", &alice, r#"{"name":"two"}"#).await, 200);
    assert_eq!(change("PATCH", "/articles/1/", &staff, r#"{"name":"three"}"#).await, 200);
    let so_far = [
        r#"created 1 "one" by alice 1 through api: {"name":[null,"\"one\""]}"#,
        r#"changed 1 two by alice 1 through api: {"name":["\"one\"","two"]}"#,
        r#"changed 1 three by staff 3 through api: {"name":["two","three"]}"#,
    ];
    assert_eq!(server.texts(HISTORY).await, so_far);

    // Nothing of this changes anything.
    const ROW: &str = "SELECT name || ' ' || updated_at AS t FROM articles";
    let row = server.texts(ROW).await;
    for (method, path, token, body, status) in [
        ("PUT", "/articles/1/", &alice, r#"{"name":"three"}"#, 200),
        ("PUT", "/articles/1/", &alice, r#"{"name":"  three  "}"#, 200),
        ("PATCH", "/articles/1/", &alice, "{}", 200),
        ("PUT", "/articles/1/", &alice, "{}", 400),
        ("PUT", "/articles/1/", &alice, "{", 400),
        ("PUT", "/articles/1/", &bob, r#"{"name":"four"}"#, 403),
        ("DELETE", "/articles/1/", &bob, "", 403),
        ("DELETE", "/articles/2/", &staff, "", 404),
        ("PUT", "/articles/2/", &staff, r#"{"name":"four"}"#, 404),
        ("POST", "/articles/", &alice, r#"{"name":""}"#, 400),
        ("DELETE", "/articles/", &staff, "", 405),
        ("GET", "/articles/1/", &alice, "", 200),
    ] {
        assert_eq!(change(method, path, token, body).await, status, "{method} {path} {body}");
        assert_eq!(server.texts(HISTORY).await, so_far, "{method} {path} {body}");
        assert_eq!(server.texts(ROW).await, row, "{method} {path} {body}");
    }
    let stale = server.change("DELETE", "/articles/1/", &alice, "").header("if-match", "\"old\"").send().await.status;
    assert_eq!((stale, server.texts(HISTORY).await.len()), (412, 3));

    assert_eq!(change("DELETE", "/articles/1/", &alice, "").await, 204);
    let history = server.texts(HISTORY).await;
    assert_eq!(history[3..], [r#"deleted 1 three by alice 1 through api: {"name":["three",null]}"#]);
    // The history outlives the article and those who changed it.
    server.sql("DELETE FROM users WHERE username = 'alice'").await;
    let history = server.texts(HISTORY).await;
    assert_eq!(history[3..], [r#"deleted 1 three by alice - through api: {"name":["three",null]}"#]);
}

#[tokio::test]
async fn an_id_is_never_given_twice() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    assert_eq!(server.post(&token, r#"{"name":"one"}"#).await.json()["id"], 1);
    assert_eq!(server.change("DELETE", "/articles/1/", &token, "").send().await.status, 204);
    assert_eq!(server.post(&token, r#"{"name":"two"}"#).await.json()["id"], 2);
}

#[tokio::test]
async fn of_many_articles_created_at_once_none_is_lost_or_mixed_up() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.alice().await, server.caller("bob").await);
    let calls: Vec<_> = (0..60)
        .map(|n| {
            let token = if n % 2 == 0 { &alice } else { &bob };
            // Every third is refused; in one commit with the others it takes nothing with it.
            let name = if n % 3 == 0 { String::new() } else { format!("number {n}") };
            let call = server.call("POST", "/articles/").token(token).json(format!(r#"{{"name":"{name}"}}"#));
            (name, tokio::spawn(call.send()))
        })
        .collect();
    let mut ids = BTreeSet::new();
    for (name, call) in calls {
        let answer = call.await.expect("the call ends");
        if name.is_empty() {
            answer.assert(400, r#"{"name":["This field may not be blank."]}"#);
            continue;
        }
        assert_eq!(answer.status, 201, "{name}: {answer:?}");
        let id = answer.json()["id"].as_i64().expect("an id");
        assert!(ids.insert(id), "{id} was given twice");
        server.get(&format!("/articles/{id}/"), &alice).await.assert(200, &format!(r#"{{"id":{id},"name":"{name}"}}"#));
    }
    assert_eq!(ids.len(), 40);
    let wrong = "SELECT count(*) FROM articles a LEFT JOIN history h ON h.model = 'article' AND h.object_id = a.id AND h.object = a.name \
         AND h.actor_id = a.created_by WHERE h.id IS NULL OR (CAST(substr(a.name, 8) AS BIGINT) % 2 = 0) <> (a.created_by = 1)";
    assert_eq!(server.number(wrong).await, 0, "each has its creator and its line in the history");
    assert_eq!(server.number("SELECT count(*) FROM history WHERE model = 'article'").await, 40);
}
