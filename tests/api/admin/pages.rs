//! What the admin's pages have in common, the first page, sessions, the theme and errors.

use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::{TestServer, assert_has, assert_lacks};

#[tokio::test]
async fn every_answer_of_the_admin_has_its_headers() {
    let (server, mut root) = TestServer::with_superuser().await;
    root.page("/admin/").await;
    let stranger = AdminClient::new(server.address);
    for (case, status, answer) in [
        ("first page", 200, root.call("GET", "/admin/").send().await),
        ("head", 200, root.call("HEAD", "/admin/").send().await),
        ("sessions", 200, root.call("GET", "/admin/sessions/").send().await),
        ("password", 200, root.call("GET", "/admin/password_change/").send().await),
        ("not found", 404, root.call("GET", "/admin/nope/").send().await),
        ("bad id", 404, root.post("/admin/sessions/99999999999999999999/revoke/", &[]).await),
        ("wrong method", 405, root.call("DELETE", "/admin/").send().await),
        ("no form", 415, root.call("POST", "/admin/logout/").json("{}").send().await),
        ("no token", 403, root.form("/admin/logout/", &[]).send().await),
        ("sign-in page", 200, stranger.call("GET", "/admin/login/").send().await),
        ("stranger", 302, stranger.call("GET", "/admin/").send().await),
        ("stranger's form", 403, stranger.form("/admin/login/", &[]).send().await),
    ] {
        assert_eq!(answer.status, status, "{case}");
        let csp = answer.header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(csp.split("; ").any(|one| one == directive), "{case}: {directive} is missing in {csp}");
        }
        assert!(!csp.contains("unsafe") && !csp.contains("data:"), "{case}: {csp}");
        assert_eq!(answer.header("cache-control"), "max-age=0, no-cache, no-store, must-revalidate, private", "{case}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{case}");
        }
        assert!(answer.header("x-request-id").len() >= 8, "{case}");
        if status != 302 {
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{case}");
        }
        let html = answer.text().to_ascii_lowercase();
        assert!(html.is_empty() || html.contains(r#"<meta name="robots" content="noindex">"#), "{case}");
        for forbidden in ["<style", " style=", " onclick=", " onload=", "javascript:", "http-equiv", "<script>"] {
            assert!(!html.contains(forbidden), "{case}: {forbidden}");
        }
    }
    let image = root.page("/admin/").await;
    for part in image.split(['"', '\'']).filter(|part| part.starts_with("/static/")) {
        assert_eq!(server.fetch(part).await.status, 200, "{part}");
    }
}

#[tokio::test]
async fn addresses_that_are_not_there_say_so_and_a_missing_slash_is_added() {
    let (_server, mut root) = TestServer::with_superuser().await;
    for path in ["/admin/nope/", "/admin/nope/1/change/", "/admin//", "/admin/%00/", "/admin/login/x/"] {
        let answer = root.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("Error 404") && answer.text().contains("Signed in as"), "{path}");
    }
    for (path, location) in [
        ("/admin", "/admin/"),
        ("/admin/sessions", "/admin/sessions/"),
        ("/admin/sessions?q=x", "/admin/sessions/?q=x"),
    ] {
        let answer = root.get(path).await;
        assert_eq!(answer.redirect(), (303, location), "{path}");
    }
    assert_eq!(root.post("/admin/nope/", &[]).await.status, 404);
    for (path, method, allow) in [
        ("/admin/", "POST", "GET, HEAD"),
        ("/admin/logout/", "GET", "POST"),
        ("/admin/login/", "PUT", "GET, HEAD, POST"),
        ("/admin/theme/", "GET", "POST"),
        ("/admin/password_change/", "DELETE", "GET, HEAD, POST"),
        ("/admin/sessions/revoke-others/", "GET", "POST"),
    ] {
        let answer = root.call(method, path).send().await;
        assert_eq!((answer.status, answer.header("allow")), (405, allow), "{method} {path}");
        assert!(answer.text().contains("Error 405"), "{method} {path}");
    }
    assert_eq!(root.call("GET", "/admin/").status().await, 200, "GET does not sign out");
}

#[tokio::test]
async fn the_first_page_shows_what_somebody_may_see() {
    let server = TestServer::start().await;
    server.seed_articles(1234).await;
    let mut viewer = server.staff_with("viewer", &["articles.view_article"]).await;
    let page = viewer.page("/admin/").await;
    assert_has(&page, &[r#"<a href="/admin/articles/">Articles</a>"#, "1,234"]);
    assert_has(&page, &["View only"]);
    assert_lacks(&page, &["/admin/articles/add/"]);
    let mut author = server.staff_with("author", &["articles.add_article", "articles.change_article"]).await;
    let page = author.page("/admin/").await;
    assert_has(&page, &[r#"href="/admin/articles/add/""#]);
    assert_lacks(&page, &["View only"]);
    let mut nobody = server.staff_with("nobody", &[]).await;
    let page = nobody.page("/admin/").await;
    assert_lacks(&page, &["/admin/articles/"]);
}

#[tokio::test]
async fn the_first_page_shows_what_was_done_lately() {
    let server = TestServer::start().await;
    server.seed_articles(2).await;
    let mut root = server.superuser().await;
    server
        .sql(
            "DELETE FROM history;
             INSERT INTO history (at, actor_id, actor, source, action, model, object_id, object, changes) VALUES
             ('2026-11-21 10:00:00', 1, 'root', 'admin', 'changed', 'article', 1, 'Mine <b>', '{\"name\":[\"a\",\"b\"]}'),
             ('2026-11-21 10:01:00', 1, 'root', 'admin', 'deleted', 'article', 99, 'Gone', '{}'),
             ('2026-11-21 10:02:00', NULL, '', 'post_confirmation', 'created', 'article', 2, 'Of nobody', '{}'),
             ('2026-11-21 10:03:00', NULL, 'bob', 'api', 'created', 'unknown', 5, 'Not registered', '{}')",
        )
        .await;
    let page = root.page("/admin/").await;
    let (mine, all) = page.split_once("Recent changes").expect("both lists");
    assert_has(
        mine,
        &[r#"<a href="/admin/articles/1/change/">Mine &#60;b&#62;</a><small>Article: changed name</small>"#],
    );
    assert!(mine.contains("Gone<small>Article: deleted</small>") && !page.contains("/admin/articles/99/"), "{mine}");
    assert!(!mine.contains("Of nobody") && all.contains("Created at sign-up"), "{all}");
    assert_has(all, &["Changed by root in the admin site"]);
    assert_lacks(all, &["Not registered"]);
    // Who may not see articles is not told about them.
    let mut nobody = server.staff_with("nobody", &[]).await;
    let page = nobody.page("/admin/").await;
    assert_lacks(&page, &["Mine", "Gone"]);
}

#[tokio::test]
async fn sessions_are_listed_and_can_be_revoked() {
    let (server, mut root) = TestServer::with_superuser().await;
    let mut alice = server.staff_with("alice", &[]).await;
    let second = server.sign_in("alice").await;
    let third = {
        let mut client = AdminClient::new(server.address);
        client.get("/admin/login/").await;
        let fields = [("csrfmiddlewaretoken", client.token.as_str()), ("username", "alice"), ("password", PASSWORD)];
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        let answer = client.form("/admin/login/", &fields).header("user-agent", agent).send().await;
        client.take(&answer);
        client
    };
    let is_in = async |client: &AdminClient| client.call("GET", "/admin/").status().await == 200;

    let page = alice.page("/admin/sessions/").await;
    assert_eq!(page.matches("This session").count(), 1, "{page}");
    assert_eq!(page.matches("/revoke/").count(), 2, "{page}");
    assert_has(&page, &["Firefox 145 on Linux", "127.0.0.1"]);
    assert_lacks(&page, &["Other users", "root"]);
    // Only one's own: 1 is root's.
    assert_eq!(alice.post("/admin/sessions/1/revoke/", &[]).await.status, 404);
    assert!(is_in(&root).await);
    assert_eq!(alice.post("/admin/sessions/3/revoke/", &[]).await.status, 303);
    assert!(!is_in(&second).await && is_in(&third).await);
    assert_eq!(alice.post("/admin/sessions/3/revoke/", &[]).await.status, 404);
    assert_eq!(alice.post("/admin/sessions/revoke-others/", &[]).await.status, 303);
    assert!(!is_in(&third).await && is_in(&root).await);
    let page = alice.page("/admin/sessions/").await;
    assert_has(&page, &["1 session was signed out."]);
    assert_lacks(&page, &["revoke-others"]);

    let page = root.page("/admin/sessions/").await;
    assert_has(&page, &["<td>alice</td>"]);
    let page = root.page("/admin/sessions/?q=ALI").await;
    assert_has(&page, &["<td>alice</td>"]);
    let page = root.page("/admin/sessions/?q=%3Cscript%3E%27%25").await;
    assert_has(&page, &["&#60;script&#62;"]);
    assert_lacks(&page, &["<td>alice</td>", "<script>"]);
    assert_eq!(root.post("/admin/sessions/2/revoke/", &[]).await.status, 303);
    assert!(!is_in(&alice).await && is_in(&root).await);
}

#[tokio::test]
async fn what_a_browser_calls_itself_is_cut_and_escaped() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut client = AdminClient::new(server.address);
    client.get("/admin/login/").await;
    let fields = [("csrfmiddlewaretoken", client.token.as_str()), ("username", "alice"), ("password", PASSWORD)];
    let agent = [b"<script>alert(1)</script>\xff".as_slice(), &[b'x'; 5_000]].concat();
    let answer = client.form("/admin/login/", &fields).header("user-agent", agent).send().await;
    client.take(&answer);
    let page = client.page("/admin/sessions/").await;
    assert_has(&page, &["&#60;script&#62;alert(1)"]);
    assert_lacks(&page, &["<script>alert"]);
    assert_eq!(server.number("SELECT length(user_agent) FROM sessions").await, 200);
}

#[tokio::test]
async fn the_theme_is_kept_and_leads_back() {
    let (server, mut root) = TestServer::with_superuser().await;
    assert!(root.page("/admin/").await.contains(r#"<html lang="en" data-theme="auto">"#));
    let own = format!("http://{}/admin/sessions/?q=x", server.address);
    for (theme, shown) in [("dark", "dark"), ("light", "light"), ("auto", "auto"), ("\"><b>", "auto")] {
        let fields = [("csrfmiddlewaretoken", root.token.as_str()), ("theme", theme)];
        let answer = root.form("/admin/theme/", &fields).header("referer", &own).send().await;
        assert_eq!(answer.redirect(), (303, "/admin/sessions/?q=x"), "{theme}");
        root.take(&answer);
        let page = root.page("/admin/").await;
        assert_has(&page, &[&format!(r#"<html lang="en" data-theme="{shown}">"#)]);
    }
    let fields = [("csrfmiddlewaretoken", root.token.as_str()), ("theme", "dark")];
    let answer = root.form("/admin/theme/", &fields).send().await;
    assert_eq!(answer.header("location"), "/admin/");
    // A cookie that somebody else has set is not taken over into the page.
    root.cookies.insert("__Host-gatepost_theme".to_owned(), "\"><script>".to_owned());
    assert!(!root.page("/admin/").await.contains("\"><script>"));
    // The sign-in page has it, too.
    let mut stranger = AdminClient::new(server.address);
    stranger.cookies.insert("__Host-gatepost_theme".to_owned(), "dark".to_owned());
    assert!(stranger.page("/admin/login/").await.contains(r#"data-theme="dark""#));
}

#[tokio::test]
async fn a_stranger_may_choose_a_theme_and_is_led_to_no_other_site() {
    let server = TestServer::start().await;
    let mut stranger = AdminClient::new(server.address);
    stranger.get("/admin/login/").await;
    let fields = [("csrfmiddlewaretoken", stranger.token.as_str()), ("theme", "dark")];
    let own = format!("http://{}", server.address);
    let choose = || stranger.form("/admin/theme/", &fields).header("origin", &own);
    let answer = choose().header("referer", format!("{own}/admin/login/?next=/admin/")).send().await;
    assert_eq!(answer.redirect(), (303, "/admin/login/?next=/admin/"));
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-gatepost_theme=dark; "), "{cookie}");
    for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=31536000"] {
        assert!(cookie.split("; ").any(|found| found == part), "{part} is missing in {cookie}");
    }
    for elsewhere in
        ["https://evil.example/admin/", &format!("{own}//evil.example/"), &format!("{own}/\\evil.example"), "x", ""]
    {
        let answer = choose().header("referer", elsewhere).send().await;
        let location = answer.header("location");
        assert!(answer.status == 303 && location == "/admin/", "{elsewhere}: {location}");
    }
}

#[tokio::test]
async fn failures_on_our_side_are_pages_that_name_the_request() {
    let (server, mut root) = TestServer::with_superuser().await;
    root.page("/admin/").await;
    // The table that the page needs, and then the one that sessions need, is out of reach.
    server.sql("ALTER TABLE history RENAME TO away").await;
    let answer = root.get("/admin/").await;
    assert_eq!(answer.status, 500);
    let id = answer.header("x-request-id").to_owned();
    let page = answer.text();
    assert_has(&page, &[&format!("<code>{id}</code>"), "Something went wrong"]);
    assert_has(&page, &["Signed in as"]);
    assert_lacks(&page, &["no such table"]);
    server.sql("ALTER TABLE away RENAME TO history; ALTER TABLE sessions RENAME TO away").await;
    let answer = root.call("GET", "/admin/").send().await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    assert_has(&answer.text(), &[answer.header("x-request-id")]);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").contains("script-src 'self'"));
    assert_has(&answer.text(), &["<h1>Try again</h1>"]);
    assert_lacks(&answer.text(), &["no such table"]);
    server.sql("ALTER TABLE away RENAME TO sessions").await;
    assert_eq!(root.call("GET", "/admin/").status().await, 200, "it recovers by itself");
}

#[tokio::test]
async fn a_message_that_a_failing_page_took_is_shown_on_the_errors_page() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.sign_in("root").await;
    root.page("/admin/sessions/").await;
    assert_eq!(root.post("/admin/sessions/revoke-others/", &[]).await.status, 303);
    server.sql("ALTER TABLE history RENAME TO away").await;
    let answer = root.get("/admin/").await;
    assert_eq!(answer.status, 500);
    assert_has(&answer.text(), &["1 session was signed out."]);
}
