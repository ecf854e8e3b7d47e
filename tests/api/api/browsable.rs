//! The browsable API and Swagger UI, as they come from the server. What they do in a browser, `e2e/api.mjs` tells.

use reqwest::header::HeaderMap;

use crate::harness::client::Answer;
use crate::harness::{TestServer, assert_has, assert_lacks};

const SCRIPTED: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Asks as a browser does.
async fn page(server: &TestServer, method: &str, path: &str, token: Option<&str>, body: Option<&str>) -> Answer {
    let mut call = server.call(method, path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    if let Some(token) = token {
        call = call.token(token);
    }
    if let Some(body) = body {
        call = call.json(body);
    }
    call.send().await
}

/// Fails unless the answer is a page with this status and these parts.
#[track_caller]
fn assert_page(answer: &Answer, status: u16, parts: &[&str]) {
    let text = answer.text();
    assert_eq!((answer.status, answer.header("content-type")), (status, "text/html; charset=utf-8"), "{text}");
    assert_eq!(answer.header("content-security-policy"), SCRIPTED);
    assert_has(&text, parts);
}

#[tokio::test]
async fn a_list_leads_to_its_items_and_its_other_pages() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(9).await;
    let first = page(&server, "GET", "/articles/?limit=3&ordering=-id", Some(&token), None).await;
    let next = first.link("next").expect("a next page");
    let escaped = next.replace('&', "&#38;");
    assert_page(
        &first,
        200,
        &[
            "<strong data-request-method>GET</strong> <code data-request-target>/articles/?limit=3&#38;ordering=-id</code>",
            "<a href=\"/articles/9/\">9</a>",
            &format!("<a class=\"button small\" href=\"{escaped}\">Next</a>"),
            &format!("&#60;<a href=\"{escaped}\">{escaped}</a>&#62;; rel=&#34;next&#34;"),
            "<dt>x-total-count</dt><dd>9</dd>",
            "href=\"/articles/?limit=3&#38;ordering=-id&#38;format=json\">JSON</a>",
            "data-method=\"POST\"",
        ],
    );
    assert_lacks(&first.text(), &[">Previous</a>", ">First</a>", "DELETE", "aria-label=\"Breadcrumbs\"", &token]);
    let second = page(&server, "GET", &next, Some(&token), None).await;
    assert_page(&second, 200, &[">First</a>", ">Previous</a>", ">Next</a>", "<a href=\"/articles/6/\">6</a>"]);
}

#[tokio::test]
async fn an_article_leads_up_and_its_form_has_its_values() {
    let (server, token) = TestServer::with_alice().await;
    let created = page(&server, "POST", "/articles/", Some(&token), Some(r#"{"name":"<b>\"&\u2028x"}"#)).await;
    assert_page(&created, 201, &["<dt>location</dt><dd><a href=\"/articles/1/\">/articles/1/</a></dd>"]);
    let article = page(&server, "GET", "/articles/1/", Some(&token), None).await;
    assert_page(
        &article,
        200,
        &[
            "<a href=\"/articles/\" data-parent>List Create Articles</a>",
            "<span class=\"string\">&#34;&#60;b&#62;\\&#34;&#38;\\u2028x&#34;</span>",
            "name=\"name\" value=\"&#60;b&#62;&#34;&#38;\u{2028}x\"",
            "data-method=\"PUT\" novalidate",
            "data-method=\"PATCH\">PATCH</button>",
            "data-method=\"DELETE\"",
        ],
    );
    assert_lacks(&article.text(), &["<b>", "href=\"/articles/1/1/\"", "data-method=\"POST\""]);
    let options = page(&server, "OPTIONS", "/articles/1/", Some(&token), None).await;
    // The view's name is not the article's.
    assert_page(&options, 200, &["renders", "name=\"name\" value=\"\""]);
}

#[tokio::test]
async fn a_page_shows_the_headers_that_a_client_gets() {
    let (server, token) = TestServer::with_alice().await;
    server.seed_articles(1).await;
    for path in ["/articles/", "/articles/1/", "/me/"] {
        let tag = server.get(path, &token).await.header("etag").to_owned();
        let answer = page(&server, "GET", path, Some(&token), None).await;
        let shown = [("etag", tag.replace('"', "&#34;")), ("x-request-id", answer.header("x-request-id").to_owned())];
        for (name, value) in &shown {
            assert_page(&answer, 200, &[&format!("<dt>{name}</dt><dd>{value}</dd>")]);
        }
        assert_page(&answer, 200, &["<dt>vary</dt><dd>Accept</dd>"]);
        assert!(answer.header("vary").contains("Cookie"), "{answer:?}");
        // The page itself is another one for each request, so it has no tag, and is always sent.
        assert_eq!(answer.header("etag"), "");
        let call = server.call("GET", path).header("accept", "text/html").header("if-none-match", &tag);
        assert_eq!(call.token(&token).status().await, 200, "{path}");
        // The tag that is shown protects a change.
        if path == "/articles/1/" {
            let call = server.call("PATCH", path).token(&token).header("if-match", &tag);
            assert_eq!(call.json(r#"{"name":"x"}"#).status().await, 403, "not 412");
        }
    }
    let refused = page(&server, "GET", "/me/", None, None).await;
    assert_page(&refused, 401, &[&format!("<dt>x-request-id</dt><dd>{}</dd>", refused.header("x-request-id"))]);
    assert_lacks(&refused.text(), &["<dt>etag</dt>"]);
}

#[tokio::test]
async fn every_page_has_the_theme_that_was_chosen_in_the_admin_and_an_icon() {
    let server = TestServer::start().await;
    for (theme, shown) in [("dark", "dark"), ("light", "light"), ("", "auto"), ("\"><b>", "auto")] {
        for path in ["/articles/", "/me/", "/docs/", "/nothing", "/docs/nothing", "/static/nothing", "/admin/login/"] {
            let call = server.call("GET", path).header("accept", "text/html");
            let answer = call.header("cookie", format!("__Host-gatepost_theme={theme}")).send().await;
            let html = answer.text();
            assert!(html.contains(&format!("<html lang=\"en\" data-theme=\"{shown}\">")), "{path} {theme}: {html}");
            let icon = html.split_once("<link rel=\"icon\" href=\"").and_then(|(_, rest)| rest.split_once('"'));
            let icon = server.fetch(icon.expect("an icon").0).await;
            assert_eq!((icon.status, icon.header("content-type")), (200, "image/svg+xml"), "{path}");
        }
    }
    let docs = server.fetch("/docs/").await;
    assert!(docs.header("vary").contains("Cookie"), "{docs:?}");
}

#[tokio::test]
async fn the_root_leads_a_browser_to_the_admin_and_a_client_nowhere() {
    let server = TestServer::start().await;
    let browser = page(&server, "GET", "/", None, None).await;
    assert_eq!(browser.redirect(), (302, "/admin/"));
    assert_eq!(page(&server, "HEAD", "/", None, None).await.status, 302);
    for accept in ["", "*/*", "application/json", "image/png"] {
        let client = server.call("GET", "/").header("accept", accept).send().await;
        assert_eq!(client.redirect(), (404, ""), "{accept}");
    }
    assert!(browser.header("vary").contains("Accept"));
    assert_eq!(page(&server, "POST", "/", None, Some("{}")).await.status, 404);
}

#[tokio::test]
async fn errors_stand_at_their_fields() {
    let (server, token) = TestServer::with_alice().await;
    let wrong = page(&server, "POST", "/articles/", Some(&token), Some(r#"{"name":""}"#)).await;
    let error = "<ul class=\"errors\" id=\"errors-name\"><li>This field may not be blank.</li></ul>";
    assert_page(&wrong, 400, &[error, "errors-name\" aria-invalid=\"true\""]);
    let list = page(&server, "POST", "/articles/", Some(&token), Some("[]")).await;
    assert_page(&list, 400, &["<ul class=\"errors\"><li>Invalid data. Expected a dictionary, but got list.</li></ul>"]);
    assert_lacks(&list.text(), &["aria-invalid"]);
}

#[tokio::test]
async fn a_stranger_learns_how_to_get_a_token_and_gets_no_form() {
    let server = TestServer::start().await;
    let stranger = page(&server, "GET", "/articles/", None, None).await;
    assert_page(&stranger, 401, &["aws cognito-idp initiate-auth", "no_token", "<noscript>", "data-token"]);
    // The local user pool of development is not this one.
    assert_lacks(&stranger.text(), &["cargo run", "form-html", "DELETE"]);
    for path in ["/me/", "/articles/1/"] {
        assert_page(&page(&server, "GET", path, None, None).await, 401, &["aws cognito-idp"]);
    }
    let token = server.alice().await;
    for path in ["/articles/99/", "/articles/?format=xml"] {
        let missing = page(&server, "GET", path, Some(&token), None).await;
        assert_eq!(missing.status, 404, "{path}");
        assert_lacks(&missing.text(), &["form-html"]);
    }
}

#[tokio::test]
async fn nothing_that_a_request_brings_gets_into_the_page_unescaped_and_no_token_at_all() {
    let server = TestServer::start().await;
    let markup = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for path in [
        format!("/articles/?x={markup}"),
        format!("/articles/?format=api&search={markup}"),
        format!("/articles/?format=api&{markup}"),
        "/articles/?x=\">'`javascript:alert(1)".to_owned(),
    ] {
        let answer = page(&server, "GET", &path, Some("<script>alert(1)</script>.secret.token"), None).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_lacks(&answer.text(), &["<script>", "secret.token", "\">'`", "href=\"javascript"]);
    }
}

#[tokio::test]
async fn only_pages_may_run_scripts() {
    let (server, token) = TestServer::with_alice().await;
    let json = server.get("/articles/", &token).await;
    let elsewhere = server.fetch("/nope").await;
    for answer in [&json, &elsewhere] {
        assert!(!answer.header("content-security-policy").contains("script-src"), "{answer:?}");
    }
}

#[tokio::test]
async fn swagger_ui_comes_whole_from_the_program() {
    let server = TestServer::start().await;
    let docs = server.fetch("/docs/").await;
    assert_page(&docs, 200, &["id=\"swagger-ui\"", "src=\"swagger-ui-bundle.js\"", "<noscript>"]);
    assert_lacks(&docs.text(), &["://", "style=", "<style", "onload"]);
    let moved = server.fetch("/docs").await;
    assert_eq!(moved.redirect(), (301, "/docs/"));
    for (name, kind) in [("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")] {
        let path = format!("/docs/{name}");
        let file = server.fetch(&path).await;
        assert_eq!((file.status, file.header("content-type")), (200, kind), "{name}");
        assert!(file.body.len() > 100_000, "{name}");
        assert_eq!(file.header("cache-control"), "public, max-age=86400");
        let known = server.call("GET", &path).header("if-none-match", file.header("etag")).send().await;
        assert_eq!((known.status, known.body.len()), (304, 0), "{name}");
        let head = server.call("HEAD", &path).send().await;
        let length = |headers: &HeaderMap| headers.get("content-length").cloned();
        assert_eq!((head.status, length(&head.headers)), (200, length(&file.headers)), "{name}");
    }
    for path in ["/docs/index.html", "/docs/swagger-initializer.js", "/docs/oauth2-redirect.html", "/docs/..%2fx"] {
        assert_eq!(server.fetch(path).await.status, 404, "{path}");
    }
    let refused = server.call("POST", "/docs/").send().await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD"));
}
