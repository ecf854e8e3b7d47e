//! The history in the admin, and the search over everything.

use crate::admin_list::{between, names, unescaped};
use crate::harness::{TestServer, ago};

impl TestServer {
    /// An entry of the history, from an SQL list of its values but the first.
    async fn entry(&self, values: &str) {
        self.sql(format!(
            "INSERT INTO history (at, actor_id, actor, source, action, model, object_id, object, changes)
             VALUES ('2026-01-02 03:04:05', {values})"
        ))
        .await;
    }
}

/// The rows of a history.
fn entries(html: &str) -> Vec<&str> {
    let table = between(html, "<tbody>", "</tbody>");
    table.first().map(|table| table.split("\n<tr>").skip(1).collect()).unwrap_or_default()
}

#[tokio::test]
async fn every_change_shows_who_made_it_how_and_the_values_before_and_after() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    let token = server.pool.token("root").sign();
    server.post(&token, r#"{"name":"First name"}"#).await;
    let renamed = server.call("PUT", "/articles/1/").token(&token).json(r#"{"name":"Second"}"#).send().await;
    assert_eq!(renamed.status, 200);
    server.entry("NULL, '', 'post_confirmation', 'changed', 'user', 1, 'root', '{\"password\":\"changed\",\"is_staff\":[false,true],\"groups\":[[],[\"A\",\"B\"]]}'").await;

    let html = root.page("/admin/history/?model=article").await;
    let rows = entries(&html);
    assert_eq!(rows.len(), 2, "{html}");
    assert!(
        rows[0].contains(">Changed</span>")
            && rows[0].contains("<del>First name</del>")
            && rows[0].contains("<ins>Second</ins>"),
        "{}",
        rows[0]
    );
    assert!(
        rows[0].contains("<a href=\"/admin/users/1/change/\">root</a>") && rows[0].contains("\n<td>API\n"),
        "{}",
        rows[0]
    );
    assert!(
        rows[0].contains("<a href=\"/admin/articles/1/change/\">Second</a> <small>Article 1</small>"),
        "{}",
        rows[0]
    );
    assert!(
        rows[1].contains(">Created</span>") && !rows[1].contains("<del>") && rows[1].contains("<ins>First name</ins>"),
        "{}",
        rows[1]
    );

    let html = root.page("/admin/history/?source=post_confirmation").await;
    let rows = entries(&html);
    assert_eq!(rows.len(), 1, "{html}");
    assert!(rows[0].contains("<dt>Password</dt><dd>changed</dd>") && rows[0].contains(">System<"), "{}", rows[0]);
    assert!(rows[0].contains("<dt>Staff</dt><dd><del>No</del>") && rows[0].contains("<ins>Yes</ins>"), "{}", rows[0]);
    assert!(rows[0].contains("<ins>A, B</ins>"), "{}", rows[0]);
    assert!(rows[0].contains("datetime=\"2026-01-02T03:04:05Z\""), "{}", rows[0]);
}

#[tokio::test]
async fn the_history_is_searched_and_filtered() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.entry("1, 'root', 'admin', 'changed', 'article', 7, 'Trees', '{}'").await;
    server.entry("NULL, 'gone', 'api', 'created', 'article', 8, 'Rivers', '{}'").await;
    server.entry("NULL, '', 'command_line', 'deleted', 'group', 9, 'Editors', '{}'").await;
    server.sql(format!("INSERT INTO history (at, actor, source, action, model, object_id, object, changes) VALUES ({}, 'x', 'api', 'created', 'article', 10, 'Today', '{{}}')", ago(0))).await;
    for (query, found) in [
        ("model=article", &["Today", "Rivers", "Trees"][..]),
        ("model=group", &["Editors"]),
        ("model=nothing", &["Today", "Editors", "Rivers", "Trees", "root"]),
        ("q=riv", &["Rivers"]),
        ("q=gone+rivers", &["Rivers"]),
        ("action=deleted", &["Editors"]),
        ("source=api", &["Today", "Rivers"]),
        ("source=admin&model=article", &["Trees"]),
        ("actor_id=1", &["Trees"]),
        ("actor_id=77", &["Today", "Editors", "Rivers", "Trees", "root"]),
        ("at=day&model=article", &["Today"]),
    ] {
        let html = root.page(&format!("/admin/history/?{query}")).await;
        let objects: Vec<_> = entries(&html).iter().map(|row| between(row, " <small>", " ")[0].len()).collect();
        let shown: Vec<String> = entries(&html)
            .iter()
            .map(|row| {
                let cell = row.split("\n<td>").find(|cell| cell.contains("<small>")).expect("an object");
                let name = cell.split(" <small>").next().expect("a name");
                name.trim_end_matches("</a>").rsplit('>').next().expect("a name").to_owned()
            })
            .collect();
        assert_eq!(shown, found, "{query} {objects:?}");
    }
    let html = root.page("/admin/history/?actor_id=1").await;
    assert!(unescaped(&html).contains("Who: root<"), "the one whose changes they are is named: {html}");
}

#[tokio::test]
async fn the_history_shows_what_concerns_models_that_one_may_view() {
    let server = TestServer::start().await;
    server.entry("NULL, '', 'api', 'created', 'article', 1, 'An article', '{}'").await;
    let mut reader = server.staff_with("reader", &["history.view_entry", "articles.view_article"]).await;
    let html = reader.page("/admin/history/").await;
    assert!(html.contains("An article") && html.contains(">1 change<"), "{html}");
    assert_eq!(entries(&html).len(), 1, "users are not for this reader: {html}");
    assert!(!html.contains("/admin/users/"), "{html}");
    let file = reader.get("/admin/history/export/").await.text();
    assert!(file.contains("An article") && !file.contains("reader@example.com"), "{file}");
}

#[tokio::test]
async fn an_object_has_its_own_history_even_when_it_is_gone() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    let token = server.pool.token("root").sign();
    server.post(&token, r#"{"name":"Short-lived"}"#).await;
    server.post(&token, r#"{"name":"Another"}"#).await;
    let html = root.page("/admin/articles/1/history/").await;
    assert!(html.contains("<h1>History of Short-lived</h1>") && !html.contains("Undo"), "{html}");
    assert_eq!(entries(&html).len(), 1);
    assert_eq!(server.call("DELETE", "/articles/1/").token(&token).send().await.status, 204);
    let html = root.page("/admin/articles/1/history/").await;
    assert!(html.contains("<h1>History of Short-lived</h1>"), "{html}");
    assert_eq!(entries(&html).len(), 2);
    let batch = server.texts("SELECT batch AS t FROM deleted_rows").await.remove(0);
    assert!(entries(&html)[0].contains(&format!("name=\"batch\" value=\"{batch}\"")), "{html}");
    assert!(!entries(&html)[1].contains("Undo"), "{html}");
    let all = root.page("/admin/history/?model=article").await;
    assert!(!all.contains("/admin/articles/1/change/"), "no link to what is not there: {all}");
    assert!(all.contains("/admin/articles/2/change/"), "{all}");
    let mut viewer = server.staff_with("viewer", &["articles.view_article"]).await;
    assert!(!viewer.page("/admin/articles/1/history/").await.contains("Undo"), "who may not add may not bring back");

    // Its own address leads there, and back.
    for (client, may_restore) in [(&mut root, true), (&mut viewer, false)] {
        let answer = client.get("/admin/articles/1/change/").await;
        let html = answer.text();
        assert_eq!(answer.status, 404);
        assert!(html.contains("This article was deleted.") && !html.contains("What you typed"), "{html}");
        assert!(html.contains("href=\"/admin/articles/1/history/\""), "{html}");
        assert_eq!(html.contains("Restore it"), may_restore, "{html}");
    }
    let never = root.get("/admin/articles/99/change/").await;
    assert!(never.status == 404 && !never.text().contains("/99/history/"), "{}", never.text());

    let html = root.page("/admin/users/1/history/").await;
    assert!(html.contains("href=\"/admin/history/?actor_id=1\""), "{html}");
    assert!(!html.contains("Short-lived"));
    assert!(root.page("/admin/users/1/change/").await.contains("href=\"/admin/history/?actor_id=1\""));
}

#[tokio::test]
async fn the_history_has_words_where_the_database_has_codes() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.entry("NULL, '', 'command_line', 'created', 'user', 7, 'x', '{\"origin\":[null,\"first_token\"],\"first_name\":[\"\",\"admin\"]}'").await;
    server.entry("1, 'root', 'admin', 'changed', 'group', 8, 'y', '{\"permissions\":[[\"articles.view_article\"],[\"articles.add_article\",\"gone.view_gone\"]]}'").await;
    let users = root.page("/admin/history/?model=user").await;
    assert!(users.contains("<dt>Origin</dt><dd><ins>First token</ins>"), "{users}");
    // A text stays what it is, whatever else has that name.
    assert!(users.contains("<ins>admin</ins>"), "{users}");
    let groups = root.page("/admin/history/?model=group").await;
    assert!(groups.contains("<del>Can view articles</del>"), "{groups}");
    assert!(groups.contains("<ins>Can add articles, gone.view_gone</ins>"), "{groups}");
}

#[tokio::test]
async fn a_long_history_of_one_object_has_pages() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server
        .sql(
            "INSERT INTO articles (name, created_at, updated_at) VALUES ('Much changed', '2026-01-01 00:00:00', '2026-01-01 00:00:00');
             INSERT INTO history (at, actor, source, action, model, object_id, object, changes)
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 130)
             SELECT '2026-01-01 00:00:00', '', 'api', 'changed', 'article', 1, 'Much changed', '{}' FROM n",
        )
        .await;
    let html = root.page("/admin/articles/1/history/?q=nothing&action=deleted&model=user").await;
    assert!(html.contains("1–100 of 130"), "its history has neither search nor filters: {html}");
    let link = html.split("rel=\"next\"").next().expect("a link").rsplit("href=\"").next().expect("an address");
    let next =
        root.page(&format!("/admin/articles/1/history/{}", unescaped(link.trim_end().trim_end_matches('"')))).await;
    assert!(next.contains("101–130 of 130"), "{next}");
}

#[tokio::test]
async fn one_search_finds_pages_and_rows_of_every_kind() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.user_with("grace", |new| new.last_name = "Hopper".to_owned()).await;
    server
        .sql(
            "INSERT INTO groups (name) VALUES ('Hop gardeners');
             INSERT INTO articles (name, created_at, updated_at) VALUES
             ('Hop', '2026-01-01 00:00:00', '2026-01-01 00:00:00'), ('All about hops', '2026-01-01 00:00:00', '2026-01-01 00:00:00');",
        )
        .await;
    let results = |html: &str| -> Vec<String> {
        let found = between(html.split_once("id=\"results\"").expect("results").1, "<a href=\"", "</a>");
        found
            .iter()
            .map(|link| link.split_once('>').expect("a link").1.to_owned())
            .filter(|name| !name.starts_with("Search all "))
            .collect()
    };
    let html = root.page("/admin/search/?q=hop").await;
    assert_eq!(results(&html), ["Hop", "All about hops", "grace", "Hop gardeners"], "{html}");
    assert!(html.contains("<small>Hopper grace@example.com</small>"), "{html}");
    assert!(html.contains("href=\"/admin/articles/?q=hop\""), "{html}");
    let html = root.page("/admin/search/?q=Arti").await;
    assert_eq!(results(&html), ["Articles", "Add article", "Import articles"], "{html}");
    assert!(html.contains("<a href=\"/admin/articles/\">Articles</a>"), "{html}");
    assert_eq!(results(&root.page("/admin/search/?q=change+pass").await), ["Change password"]);
    assert_eq!(results(&root.page("/admin/search/?q=api").await), ["API documentation"]);
    let nothing = root.page("/admin/search/?q=zzz").await;
    assert!(nothing.contains("<h2>Nothing found</h2>") && nothing.contains("Search all users for “zzz”"), "{nothing}");
    assert!(results(&root.page("/admin/search/").await).is_empty());
    let mut viewer = server.staff_with("viewer", &["articles.view_article"]).await;
    assert_eq!(results(&viewer.page("/admin/search/?q=hop").await), ["Hop", "All about hops"]);
    assert_eq!(results(&viewer.page("/admin/search/?q=arti").await), ["Articles"]);
    assert!(names(&viewer.page("/admin/search/?q=hop").await).is_empty());
}

#[tokio::test]
async fn the_search_over_everything_finds_old_rows_by_their_beginning_and_new_ones_by_any_word() {
    let server = TestServer::start().await;
    let mut root = server.superuser().await;
    server.sql("INSERT INTO articles (name, created_at, updated_at) VALUES ('Oldest of all', '2026-01-01 00:00:00', '2026-01-01 00:00:00')").await;
    server.seed_articles(20_000).await;
    for (search, is_found) in [("Oldest", true), ("oldest of", true), ("OLDEST OF ALL", true), ("all", false)] {
        let html = root.page(&format!("/admin/search/?q={}", search.replace(' ', "+"))).await;
        assert_eq!(html.contains(">Oldest of all</a>"), is_found, "{search}");
        assert!(html.contains("the newest 20,000 records of each kind"), "{html}");
    }
    assert!(root.page("/admin/search/?q=020000").await.contains(">Article 020000 on DRF with Cognito</a>"));
}
