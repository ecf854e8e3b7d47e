//! How much a browser has to load.

use std::collections::BTreeSet;

use crate::harness::TestServer;
use crate::harness::html::names;

/// The bytes of a page, those of the styles and scripts that it loads, and their number; scripts load others.
async fn weight(server: &TestServer, html: &str) -> (usize, usize, usize) {
    let mut wanted: Vec<String> = html
        .split('"')
        .filter(|part| part.starts_with("/static/") && (part.ends_with(".css") || part.ends_with(".js")))
        .map(str::to_owned)
        .collect();
    assert!(wanted.len() >= 2, "{html}");
    let (mut seen, mut bytes) = (BTreeSet::new(), 0);
    while let Some(path) = wanted.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = server.fetch(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        bytes += answer.body.len();
        let (folder, _) = path.rsplit_once('/').expect("a folder");
        let text = answer.text();
        let imported = text.split(" from \"./").skip(1).filter_map(|rest| rest.split('"').next());
        wanted.extend(imported.map(|name| format!("{folder}/{name}")));
    }
    (html.len(), bytes, seen.len())
}

#[tokio::test]
async fn every_page_is_light() {
    const LIMIT: usize = 60_000;
    const MOST_REQUESTS: usize = 8;
    const PAGE_ICONS_AND_FAVICON: usize = 3;
    let (server, mut root) = TestServer::with_superuser().await;
    server
        .sql(
            "INSERT INTO users (username, email, email_key, first_name, last_name, is_active, is_staff, is_superuser, date_joined, origin, last_login)
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 150)
             SELECT 'first.lastname' || n, 'first.lastname' || n || '@example.com', 'first.lastname' || n || '@example.com',
                    'First', 'Lastname', TRUE, FALSE, FALSE, '2026-01-01 00:00:00', 'first_token', '2026-01-02 00:00:00' FROM n",
        )
        .await;
    // A hundred rows, without what comes along.
    let full = root.get("/admin/users/").await;
    assert_eq!(names(&full.text()).len(), 100);
    assert!(full.body.len() < LIMIT, "{} bytes", full.body.len());
    // What comes along, without a hundred rows.
    server.sql("DELETE FROM users WHERE id > 2").await;
    server.groups(&["Editors"]).await;
    server.seed_articles(3).await;
    for path in [
        "/admin/",
        "/admin/users/",
        "/admin/users/add/",
        "/admin/users/2/change/",
        "/admin/users/2/delete/",
        "/admin/users/2/password/",
        "/admin/users/import/",
        "/admin/groups/1/change/",
        "/admin/articles/",
        "/admin/articles/1/change/",
        "/admin/history/",
        "/admin/sessions/",
        "/admin/password_change/",
        "/admin/search/?q=first",
        "/admin/refusals/",
        "/admin/inspector/",
        "/admin/status/",
    ] {
        let (html, rest, files) = weight(&server, &root.page(path).await).await;
        assert!(html + rest < LIMIT, "{path}: {html} and {rest} bytes");
        assert!(PAGE_ICONS_AND_FAVICON + files <= MOST_REQUESTS, "{path}: {files} files");
    }
}
