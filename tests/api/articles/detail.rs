//! `/articles/{id}/`: read, change, delete; who may, and who may not.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::TestServer;

const NO_ARTICLE: &str = r#"{"detail":"No Article matches the given query.","code":"not_found"}"#;

const FORBIDDEN: &str = r#"{"detail":"You do not have permission to perform this action.","code":"permission_denied"}"#;

#[tokio::test]
async fn an_article_is_read_changed_and_deleted_at_its_address() {
    let (server, token) = TestServer::with_alice().await;
    server.post_article(&token, "first").await;
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
    let form = server.post_article(&token, "again").await;
    form.assert(201, r#"{"id":2,"name":"again"}"#);
    let call =
        server.call("PUT", "/articles/2/").token(&token).body("application/x-www-form-urlencoded", "name=a+form");
    call.send().await.assert(200, r#"{"id":2,"name":"a form"}"#);
}

#[tokio::test]
async fn an_id_that_names_no_article_is_not_found() {
    let server = TestServer::start().await;
    let token = server.caller_with("staff", |new| new.is_staff = true).await;
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
    let (alice, bob, staff) = (
        server.alice().await,
        server.caller("bob").await,
        server.caller_with("staff", |new| new.is_staff = true).await,
    );
    server.user_with("root", |user| user.is_superuser = true).await;
    let superuser = server.pool.token("root").sign();
    server.post_article(&alice, "hers").await;
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
        assert_eq!(server.call(method, "/articles/1/").status().await, 401, "{method}");
    }
    assert_eq!(
        server.texts("SELECT name FROM articles ORDER BY id").await,
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
    let (alice, staff) = (server.alice().await, server.caller_with("staff", |new| new.is_staff = true).await);
    server.post_article(&alice, "left").await;
    server.sql("DELETE FROM users WHERE username = 'alice'").await;
    // Whoever comes next under the same name is not the one who created it.
    let again = server.caller("alice").await;
    server.change("DELETE", "/articles/1/", &again, "").send().await.assert(403, FORBIDDEN);
    server.change("DELETE", "/articles/1/", &staff, "").send().await.assert(204, "");
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
            let article = server.post_article(&token, "mine").await;
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
            assert_eq!(server.count("articles WHERE name = 'other'").await, 0, "{method} after {loss}");
        }
    }
}

#[tokio::test]
async fn options_describes_one_article() {
    let (server, token) = TestServer::with_alice().await;
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
    let (server, token) = TestServer::with_alice().await;
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
    let (server, token) = TestServer::with_alice().await;
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
            let own = format!("<script src=\"{}\" defer></script>", gatepost::http::assets::url("api.js"));
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
