//! Foreign keys in lists: a link, and a filter with a search.

use serde_json::json;

use crate::harness::html::{facet, link, names};
use crate::harness::{TestServer, assert_has, assert_lacks};

/// Users 1 to 3 are root, jane and john; Jane has two articles.
async fn with_articles() -> (TestServer, crate::harness::admin::AdminClient) {
    let (server, root) = TestServer::with_superuser().await;
    let jane = server.caller("jane").await;
    server.caller("john").await;
    for name in ["Trees", "Gates"] {
        server.post_article(&jane, name).await;
    }
    server.articles(&["Of nobody"]).await;
    (server, root)
}

#[tokio::test]
async fn a_foreign_key_leads_to_its_row_if_one_may_view_it() {
    let (server, mut root) = with_articles().await;
    let jane = "<td><a href=\"/admin/users/2/change/\">jane</a>";
    assert_has(&root.page("/admin/articles/").await, &[jane]);
    let mut viewer = server.staff_with("viewer", &["articles.view_article"]).await;
    let page = viewer.page("/admin/articles/").await;
    assert_has(&page, &["<td>jane"]);
    assert_lacks(&page, &["/admin/users/"]);
    assert_has(&root.get("/admin/articles/export/").await.text(), &["jane"]);
}

#[tokio::test]
async fn a_list_is_filtered_by_the_row_that_a_foreign_key_refers_to() {
    let (_server, mut root) = with_articles().await;
    for query in ["author=2", "author__username=jane", "author__username=+jane+"] {
        let page = root.page(&format!("/admin/articles/?{query}&o=name")).await;
        assert_eq!(names(&page), ["Gates", "Trees"], "{query}");
        assert_has(&page, &["Author: jane", "2 of 3 articles"]);
        assert_eq!(facet(&page, "Author").last().map(String::as_str), Some("jane"));
        assert_eq!(link(&page, "Export CSV"), "/admin/articles/export/?author=2&o=name");
    }
    let page = root.page("/admin/articles/?q=gate&author=no").await;
    assert_has(&page, &["data-suggest=\"/admin/users/autocomplete/\"", "name=\"author__username\""]);
    let form = crate::harness::form::Form::with(&page, "author__username");
    assert_eq!(form.get("q"), Some("gate"), "the search keeps the rest of the list");
    assert_eq!(form.get("author"), None);
    for typed in ["nobody", "%00", "%27"] {
        let page = root.page(&format!("/admin/articles/?author__username={typed}")).await;
        assert_has(&page, &["No article has “", "” as author."]);
        assert!(names(&page).is_empty());
    }
}

#[tokio::test]
async fn a_search_for_a_whole_name_also_finds_the_rows_that_refer_to_it() {
    let (server, mut root) = with_articles().await;
    server.articles(&["jane and the gates"]).await;
    let found = |page: &str| names(page);
    assert_eq!(found(&root.page("/admin/articles/?q=jane&o=name").await), ["Gates", "Trees", "jane and the gates"]);
    for (query, expected) in [("q=jan&o=name", &["jane and the gates"][..]), ("q=jane+gates", &["jane and the gates"])]
    {
        assert_eq!(found(&root.page(&format!("/admin/articles/?{query}")).await), expected, "{query}");
    }
    // The search over everything has the user first, and leads to them.
    let page = root.page("/admin/search/?q=jane").await;
    assert_has(&page, &["href=\"/admin/articles/?q=jane\""]);
}

#[tokio::test]
async fn a_filter_tells_no_more_than_its_list() {
    let (server, _) = with_articles().await;
    let mut viewer = server.staff_with("viewer", &["articles.view_article"]).await;
    for query in ["author=3", "author__username=john", "author=1"] {
        let page = viewer.page(&format!("/admin/articles/?{query}")).await;
        assert_lacks(&page, &[">Author: "]);
    }
    assert_lacks(&viewer.page("/admin/articles/?author=3").await, &["john"]);
    assert_has(&viewer.page("/admin/articles/?author=2").await, &["Author: jane"]);
}

#[tokio::test]
async fn inputs_suggest_rows_that_one_may_view() {
    let (server, mut root) = with_articles().await;
    let jane = json!({ "id": "2", "text": "jane", "detail": "jane@example.com" });
    let john = json!({ "id": "3", "text": "john", "detail": "john@example.com" });
    for (query, expected) in [
        ("jan", json!([jane])),
        ("JANE%40example", json!([jane])),
        ("j+example", json!([jane, john])),
        ("", json!([])),
        ("%20", json!([])),
        ("nobody", json!([])),
    ] {
        let answer = root.get(&format!("/admin/users/autocomplete/?q={query}")).await;
        assert_eq!(answer.header("content-type"), "application/json");
        let mut found = answer.json();
        let sorted = found["results"].as_array_mut().expect("a list");
        sorted.sort_by_key(|row| row["id"].to_string());
        assert_eq!(found, json!({ "results": expected }), "{query}");
    }
    let mut viewer = server.staff_with("viewer", &["articles.view_article"]).await;
    assert_eq!(viewer.get("/admin/users/autocomplete/?q=jan").await.status, 403);
    assert_eq!(viewer.get("/admin/articles/autocomplete/?q=tre").await.json()["results"][0]["text"], "Trees");
    assert_eq!(root.get("/admin/nothing/autocomplete/?q=x").await.status, 404);
}
