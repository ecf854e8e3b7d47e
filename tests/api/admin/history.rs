//! The history in the admin.

use crate::harness::html::{between, facet, unescape};
use crate::harness::{TestServer, ago, assert_has, assert_lacks};

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
    let (server, mut root) = TestServer::with_superuser().await;
    let token = server.pool.token("root").sign();
    server.post_article(&token, "First name").await;
    let renamed = server.call("PUT", "/articles/1/").token(&token).json(r#"{"name":"Second"}"#).send().await;
    assert_eq!(renamed.status, 200);
    server.entry("NULL, '', 'post_confirmation', 'changed', 'user', 1, 'root', '{\"password\":\"changed\",\"is_staff\":[false,true],\"groups\":[[],[\"A\",\"B\"]]}'").await;

    let html = root.page("/admin/history/?model=article").await;
    let rows = entries(&html);
    assert_eq!(rows.len(), 2, "{html}");
    assert_has(rows[0], &[">Changed</span>", "<del>First name</del>", "<ins>Second</ins>"]);
    assert_has(rows[0], &["<a href=\"/admin/users/1/change/\">root</a>", "\n<td>API\n"]);
    assert_has(rows[0], &["<a href=\"/admin/articles/1/change/\">Second</a> <small>Article 1</small>"]);
    assert_has(rows[1], &[">Created</span>", "<ins>First name</ins>"]);
    assert_lacks(rows[1], &["<del>"]);

    let html = root.page("/admin/history/?source=post_confirmation").await;
    let rows = entries(&html);
    assert_eq!(rows.len(), 1, "{html}");
    assert_has(rows[0], &["<dt>Password</dt><dd>changed</dd>", ">System<"]);
    assert_has(rows[0], &["<dt>Staff</dt><dd><del>No</del>", "<ins>Yes</ins>"]);
    assert_has(rows[0], &["<ins>A, B</ins>"]);
    assert_has(rows[0], &["datetime=\"2026-01-02T03:04:05Z\""]);
}

#[tokio::test]
async fn the_history_is_searched_and_filtered() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.entry("1, 'root', 'admin', 'changed', 'article', 7, 'Trees', '{}'").await;
    server.entry("NULL, 'gone', 'api', 'created', 'article', 8, 'Rivers', '{}'").await;
    server.entry("NULL, '', 'command_line', 'deleted', 'group', 9, 'Editors', '{}'").await;
    server.sql(format!("INSERT INTO history (at, actor, source, action, model, object_id, object, changes) VALUES ({}, 'x', 'api', 'created', 'article', 10, 'Today', '{{}}')", ago(0))).await;
    for (query, found) in [
        ("model=article", &["Today", "Rivers", "Trees"][..]),
        ("model=group", &["Editors"]),
        ("model=nothing", &[]),
        ("q=riv", &["Rivers"]),
        ("q=gone+rivers", &["Rivers"]),
        ("action=deleted", &["Editors"]),
        ("source=api", &["Today", "Rivers"]),
        ("source=admin&model=article", &["Trees"]),
        ("actor_id=1", &["Trees"]),
        ("actor_id=77", &[]),
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
    assert!(unescape(&html).contains("Who: root<"), "the one whose changes they are is named: {html}");
}

#[tokio::test]
async fn the_history_shows_what_concerns_models_that_one_may_view() {
    let server = TestServer::start().await;
    server.entry("NULL, '', 'api', 'created', 'article', 1, 'An article', '{}'").await;
    let mut reader = server.staff_with("reader", &["history.view_entry", "articles.view_article"]).await;
    let html = reader.page("/admin/history/").await;
    assert_has(&html, &["An article", ">1 change<"]);
    assert_eq!(entries(&html).len(), 1, "users are not for this reader: {html}");
    assert_lacks(&html, &["/admin/users/"]);
    let file = reader.get("/admin/history/export/").await.text();
    assert_has(&file, &["An article"]);
    assert_lacks(&file, &["reader@example.com"]);
}

#[tokio::test]
async fn an_object_has_its_own_history_even_when_it_is_gone() {
    let (server, mut root) = TestServer::with_superuser().await;
    let token = server.pool.token("root").sign();
    server.post_article(&token, "Short-lived").await;
    server.post_article(&token, "Another").await;
    let html = root.page("/admin/articles/1/history/").await;
    assert_has(&html, &["<h1>History of Short-lived</h1>"]);
    assert_lacks(&html, &["Undo"]);
    assert_eq!(entries(&html).len(), 1);
    assert_eq!(server.call("DELETE", "/articles/1/").token(&token).status().await, 204);
    let html = root.page("/admin/articles/1/history/").await;
    assert_has(&html, &["<h1>History of Short-lived</h1>"]);
    assert_eq!(entries(&html).len(), 2);
    let batch = server.texts("SELECT batch FROM deleted_rows").await.remove(0);
    assert!(entries(&html)[0].contains(&format!("name=\"batch\" value=\"{batch}\"")), "{html}");
    assert!(!entries(&html)[1].contains("Undo"), "{html}");
    let all = root.page("/admin/history/?model=article").await;
    assert!(!all.contains("/admin/articles/1/change/"), "no link to what is not there: {all}");
    assert_has(&all, &["/admin/articles/2/change/"]);
    let mut viewer = server.staff_with("viewer", &["articles.view_article"]).await;
    assert!(!viewer.page("/admin/articles/1/history/").await.contains("Undo"), "who may not add may not bring back");

    // Its own address leads there, and back.
    for (client, can_restore) in [(&mut root, true), (&mut viewer, false)] {
        let answer = client.get("/admin/articles/1/change/").await;
        let html = answer.text();
        assert_eq!(answer.status, 404);
        assert_has(&html, &["This article was deleted."]);
        assert_lacks(&html, &["What you typed"]);
        assert_has(&html, &["href=\"/admin/articles/1/history/\""]);
        assert_eq!(html.contains("Restore it"), can_restore, "{html}");
    }
    let never = root.get("/admin/articles/99/change/").await;
    assert!(never.status == 404 && !never.text().contains("/99/history/"), "{}", never.text());

    let html = root.page("/admin/users/1/history/").await;
    assert_has(&html, &["href=\"/admin/history/?actor_id=1\""]);
    assert_lacks(&html, &["Short-lived"]);
    assert!(root.page("/admin/users/1/change/").await.contains("href=\"/admin/history/?actor_id=1\""));
}

#[tokio::test]
async fn the_history_has_words_where_the_database_has_codes() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.entry("NULL, '', 'command_line', 'created', 'user', 7, 'x', '{\"origin\":[null,\"first_token\"],\"first_name\":[\"\",\"admin\"]}'").await;
    server.entry("1, 'root', 'admin', 'changed', 'group', 8, 'y', '{\"permissions\":[[\"articles.view_article\"],[\"articles.add_article\",\"gone.view_gone\"]]}'").await;
    let users = root.page("/admin/history/?model=user").await;
    assert_has(&users, &["<dt>Origin</dt><dd><ins>First token</ins>"]);
    // A text stays what it is, whatever else has that name.
    assert_has(&users, &["<ins>admin</ins>"]);
    let groups = root.page("/admin/history/?model=group").await;
    assert_has(&groups, &["<del>Can view articles</del>"]);
    assert_has(&groups, &["<ins>Can add articles, gone.view_gone</ins>"]);
}

#[tokio::test]
async fn a_long_history_of_one_object_has_pages() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&["Much changed"]).await;
    server
        .sql(
            "INSERT INTO history (at, actor, source, action, model, object_id, object, changes)
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 130)
             SELECT '2026-01-01 00:00:00', '', 'api', 'changed', 'article', 1, 'Much changed', '{}' FROM n",
        )
        .await;
    let html = root.page("/admin/articles/1/history/?q=nothing&action=deleted&model=user").await;
    assert!(html.contains("1–100 of 130"), "its history has neither search nor filters: {html}");
    let link = html.split("rel=\"next\"").next().expect("a link").rsplit("href=\"").next().expect("an address");
    let next =
        root.page(&format!("/admin/articles/1/history/{}", unescape(link.trim_end().trim_end_matches('"')))).await;
    assert_has(&next, &["101–130 of 130"]);
}

#[tokio::test]
async fn the_filters_speak_of_models_as_people_do() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.service_account("Nightly", "client", &[]).await;
    assert_eq!(facet(&root.page("/admin/history/").await, "Model"), ["Service account 1", "User 1"]);
}
