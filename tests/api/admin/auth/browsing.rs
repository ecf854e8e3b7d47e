//! The browsable API for who is signed in to the admin: for pages of our own origin, and for nothing else.

use crate::harness::admin::{AdminClient, SESSION_COOKIE};
use crate::harness::client::{Answer, Call};
use crate::harness::{TestServer, assert_has};

/// A page, as a browser asks for it from one of our own pages.
fn from_here(staff: &AdminClient, method: &str, path: &str) -> Call {
    staff.call(method, path).header("accept", "text/html").header("sec-fetch-site", "same-origin")
}

/// The CSRF token in a page.
#[track_caller]
fn csrf_token(page: &Answer) -> String {
    let text = page.text();
    let token = text.split_once("data-csrf-token=\"").and_then(|(_, rest)| rest.split_once('"'));
    token.unwrap_or_else(|| panic!("there is no token in {text}")).0.to_owned()
}

#[tokio::test]
async fn staff_who_are_signed_in_see_pages_without_a_token() {
    let server = TestServer::start().await;
    server.seed_articles(1).await;
    let staff = server.superuser().await;
    for path in ["/articles/", "/articles/1/", "/me/", "/articles/?format=api"] {
        let page = from_here(&staff, "GET", path).send().await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text().contains("as <strong>root</strong>"), "{path}: {}", page.text());
        assert_eq!(csrf_token(&page).len(), 43, "{path}");
        assert_eq!(page.header("set-cookie"), "", "{path}");
    }
    // What a person types in or takes from the bookmarks.
    let typed = staff.call("GET", "/me/").header("accept", "text/html").header("sec-fetch-site", "none").send().await;
    assert_eq!(typed.status, 200);
    assert_has(&typed.text(), &["&#34;root&#34;"]);
    // With a token, the token alone counts.
    let alice = server.alice().await;
    let page = from_here(&staff, "GET", "/me/").token(&alice).send().await;
    assert!(page.status == 200 && page.text().contains("&#34;alice&#34;") && !page.text().contains("data-csrf-token"));
    let bent = from_here(&staff, "GET", "/me/").token("a.b.c").send().await;
    assert_eq!(bent.status, 401);
}

#[tokio::test]
async fn the_session_counts_for_no_json_and_for_no_other_site() {
    let server = TestServer::start().await;
    let staff = server.superuser().await;
    let token = csrf_token(&from_here(&staff, "GET", "/me/").send().await);
    let call = |accept: &str, path: &str| staff.call("GET", path).header("accept", accept);
    let html = || call("text/html", "/me/");
    let same = "same-origin";
    let rows = [
        ("JSON", call("application/json", "/me/").header("sec-fetch-site", same)),
        ("anything", call("*/*", "/me/").header("sec-fetch-site", same)),
        ("?format=json", call("text/html", "/me/?format=json").header("sec-fetch-site", same)),
        ("problem details", call("application/problem+json, application/json", "/me/").header("sec-fetch-site", same)),
        ("a browser that tells nothing", html()),
        ("another site", html().header("sec-fetch-site", "cross-site")),
        ("another port or name of the site", html().header("sec-fetch-site", "same-site")),
        ("two answers", html().header("sec-fetch-site", same).header("sec-fetch-site", "cross-site")),
        ("nonsense", html().header("sec-fetch-site", "")),
        ("another origin", html().header("sec-fetch-site", same).header("origin", "http://localhost:3000")),
        ("an empty token", html().header("sec-fetch-site", same).header("authorization", "")),
        (
            "JSON with the CSRF token",
            call("application/json", "/me/").header("sec-fetch-site", same).header("x-csrftoken", token),
        ),
    ];
    for (case, call) in rows {
        let answer = call.send().await;
        assert_eq!(answer.status, 401, "{case}: {}", answer.text());
        assert!(!answer.text().contains("root"), "{case}");
    }
}

#[tokio::test]
async fn a_change_takes_the_sessions_csrf_token() {
    let server = TestServer::start().await;
    let staff = server.superuser().await;
    let other = server.staff_with("other", &[]).await;
    let token = csrf_token(&from_here(&staff, "GET", "/articles/").send().await);
    let foreign = csrf_token(&from_here(&other, "GET", "/articles/").send().await);
    let post = || from_here(&staff, "POST", "/articles/").json(r#"{"name":"by session"}"#);
    let rows = [
        ("no token", post()),
        ("an empty one", post().header("x-csrftoken", "")),
        ("a wrong one", post().header("x-csrftoken", "A".repeat(43))),
        ("another session's", post().header("x-csrftoken", &foreign)),
        ("a piece of it", post().header("x-csrftoken", &token[..42])),
        (
            "in the query",
            from_here(&staff, "POST", &format!("/articles/?csrfmiddlewaretoken={token}")).json(r#"{"name":"x"}"#),
        ),
        (
            "in the body",
            from_here(&staff, "POST", "/articles/")
                .body("application/x-www-form-urlencoded", format!("name=x&csrfmiddlewaretoken={token}")),
        ),
        ("from another origin", post().header("x-csrftoken", &token).header("origin", "http://evil.example")),
        (
            "from another site",
            staff
                .call("POST", "/articles/")
                .header("accept", "text/html")
                .header("sec-fetch-site", "cross-site")
                .header("x-csrftoken", &token)
                .json(r#"{"name":"x"}"#),
        ),
    ];
    for (case, call) in rows {
        assert_eq!(call.status().await, 401, "{case}");
    }
    assert_eq!(server.count("articles").await, 0);
    let origin = format!("http://{}", server.address);
    let created = post().header("x-csrftoken", &token).header("origin", origin).send().await;
    assert_eq!(created.status, 201, "{}", created.text());
    let actors = server.texts("SELECT actor || ' ' || source FROM history WHERE model = 'article'").await;
    assert_eq!(actors, ["root api"]);
    let deleted = from_here(&staff, "DELETE", "/articles/1/").header("x-csrftoken", &token).send().await;
    assert_eq!(deleted.status, 204);
}

#[tokio::test]
async fn a_session_that_is_over_counts_here_no_more_either() {
    let server = TestServer::start().await;
    let me = async |client: &AdminClient| from_here(client, "GET", "/me/").status().await;
    let mut left = server.superuser().await;
    let replayed = left.clone();
    assert_eq!(me(&replayed).await, 200);
    left.post("/admin/logout/", &[]).await;
    assert_eq!(me(&replayed).await, 401, "signed out");
    for (name, change) in
        [("gone", "is_active = FALSE"), ("demoted", "is_staff = FALSE"), ("renewed", "password = 'another'")]
    {
        let client = server.staff_with(name, &[]).await;
        assert_eq!(me(&client).await, 200, "{name}");
        server.sql(format!("UPDATE users SET {change} WHERE username = '{name}'")).await;
        assert_eq!(me(&client).await, 401, "{name}");
    }
    let client = server.staff_with("ended", &[]).await;
    server.sql("DELETE FROM sessions").await;
    assert_eq!(me(&client).await, 401, "ended by somebody else");
    let mut client = server.staff_with("bent", &[]).await;
    let cookie = client.session().to_owned();
    let other = if cookie.ends_with('A') { 'E' } else { 'A' };
    for bent in
        [format!("{}{other}", &cookie[..cookie.len() - 1]), cookie[1..].to_owned(), String::new(), "x".repeat(9000)]
    {
        client.cookies.insert(SESSION_COOKIE.to_owned(), bent.clone());
        assert_eq!(me(&client).await, 401, "{bent}");
    }
}
