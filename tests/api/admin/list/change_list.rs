//! What a list shows of its rows and lets its reader do.

use std::collections::BTreeSet;

use crate::harness::html::{between, link, names, unescape};
use crate::harness::{TestServer, assert_has, assert_lacks};

#[tokio::test]
async fn names_are_text_and_never_markup() {
    let (server, mut root) = TestServer::with_superuser().await;
    let evil = "<script>alert('x')</script>\"&";
    server.articles(&[evil]).await;
    server.person("mallory", "<img src=x onerror=1>", "</td><b>").await;
    server.groups(&["<i>group</i>"]).await;
    server
        .sql(
            "INSERT INTO history (at, actor, source, action, model, object_id, object, changes) VALUES
             ('2026-01-01 00:00:00', '<u>actor</u>', 'api', 'changed', 'article', 1, '<s>object</s>',
              '{\"<em>field\": [\"<del>old\", \"<ins onclick=1>new\"]}')",
        )
        .await;
    for path in [
        "articles/",
        "users/",
        "users/?q=%3Cscript%3E%22%27",
        "users/?groups=1",
        "history/",
        "history/?q=%3Cu%3E",
        "articles/1/history/",
        "search/?q=%3Cscript%3E",
        "search/?q=img",
    ] {
        let html = root.page(&format!("/admin/{path}")).await;
        for markup in ["<script>", "<img", "<b>", "<i>", "<u>", "<s>", "<em>", "<del><", "onclick=1>new", "\"&\""] {
            assert!(!html.contains(markup), "{path} holds {markup}: {html}");
        }
    }
    let html = root.page("/admin/articles/").await;
    assert_eq!(names(&html).iter().map(|name| unescape(name)).collect::<Vec<_>>(), [evil]);
    let html = root.page("/admin/articles/1/history/").await;
    assert!(unescape(&html).contains("<del>old"), "what it says is there");
}

#[tokio::test]
async fn a_list_offers_what_its_reader_may_do() {
    let server = TestServer::start().await;
    server.articles(&["one"]).await;
    let mut nobody = server.staff_with("nobody", &[]).await;
    for path in ["articles/", "articles/export/", "articles/1/history/", "users/", "history/", "history/export/"] {
        assert_eq!(nobody.get(&format!("/admin/{path}")).await.status, 403, "{path}");
    }
    for (name, permissions, expected) in [
        ("viewer", &["articles.view_article"][..], [false, false, false, false]),
        ("adder", &["articles.view_article", "articles.add_article"], [false, false, true, true]),
        ("changer", &["articles.change_article"], [false, false, false, false]),
        ("deleter", &["articles.view_article", "articles.delete_article"], [true, true, false, false]),
    ] {
        let mut client = server.staff_with(name, permissions).await;
        let html = client.page("/admin/articles/").await;
        let parts = ["_selected_action", "Delete selected articles", "/admin/articles/add/", "/admin/articles/import/"];
        // The navigation has a link to add, too, where that is allowed.
        let found = parts.map(|part| html.contains(part));
        assert_eq!(found, expected, "{name}: {html}");
        assert_eq!(client.get("/admin/articles/export/").await.status, 200, "{name}");
        assert_eq!(client.get("/admin/users/").await.status, 403, "{name}");
    }
    let mut users = server.staff_with("users", &["users.change_user"]).await;
    let html = users.page("/admin/users/").await;
    assert_has(&html, &["Deactivate selected users"]);
    assert_lacks(&html, &["Delete selected users"]);
    let mut root = server.superuser().await;
    for path in ["nothing/", "articles/one/history/", "articles/99/history/", "nothing/1/history/", "nothing/export/"] {
        assert_eq!(root.get(&format!("/admin/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_row_leads_to_its_form_with_the_state_of_the_list() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&["one"]).await;
    let html = root.page("/admin/articles/").await;
    assert_eq!(link(&html, "one"), "1/change/", "from the list's address");
    let html = root.page("/admin/articles/?o=name&q=o+n&author=no&x=y").await;
    assert_eq!(link(&html, "one"), "1/change/?_changelist_filters=q%3Do%2Bn%26author%3Dno%26o%3Dname");
    assert_eq!(
        unescape(between(&html, "<form class=\"panel\" method=\"post\" action=\"", "\"")[0]),
        "/admin/articles/?q=o+n&author=no&o=name",
        "an action on all that match knows what matches"
    );
    assert_eq!(link(&html, "Export CSV"), "/admin/articles/export/?q=o+n&author=no&o=name");
}

#[tokio::test]
async fn an_empty_table_says_so_and_one_whose_rows_are_left_out_says_how_to_see_them() {
    let (server, mut root) = TestServer::with_superuser().await;
    let html = root.page("/admin/articles/").await;
    assert_has(&html, &["No articles yet", "/admin/articles/add/"]);
    assert_lacks(&html, &["type=\"search\" name=\"q\" value=\"\" aria-label=\"Search articles\""]);
    server.articles(&["one"]).await;
    let html = root.page("/admin/articles/?q=two").await;
    assert_has(&html, &["No article matches", "data-result-count>0 of 1 article<"]);
    assert_eq!(link(&html, "Clear search and filters"), "?");
}

#[tokio::test]
async fn a_list_holds_only_until_any_process_commits() {
    let server = TestServer::start().await;
    let other = server.second().await;
    server.articles(&["One"]).await;
    let mut root = server.superuser().await;
    for name in ["Two", "Three"] {
        let before = root.page("/admin/articles/").await;
        assert_eq!(names(&root.page("/admin/articles/").await), names(&before));
        other.articles(&[name]).await;
        let after = root.page("/admin/articles/").await;
        assert_eq!(names(&after).len(), names(&before).len() + 1, "{after}");
        assert!(names(&after).contains(&name.to_owned()), "{after}");
    }
}

#[tokio::test]
async fn each_reader_sees_what_their_rights_of_now_allow() {
    let (server, token) = TestServer::with_alice().await;
    assert_eq!(server.post_article(&token, "One").await.status, 201);
    let mut root = server.superuser().await;
    let permissions = ["history.view_entry", "articles.view_article", "users.view_user"];
    let mut clerk = server.staff_with("clerk", &permissions).await;
    let models = |html: &str| {
        let small = between(html, "<small>", " ").into_iter().map(str::to_owned);
        small.collect::<BTreeSet<String>>()
    };
    for _ in 0..2 {
        assert_eq!(models(&root.page("/admin/history/").await).len(), 2);
        assert_eq!(models(&clerk.page("/admin/history/").await).len(), 2);
    }
    server.sql("DELETE FROM user_permissions WHERE permission = 'users.view_user'").await;
    for _ in 0..2 {
        assert_eq!(models(&root.page("/admin/history/").await).len(), 2);
        assert_eq!(models(&clerk.page("/admin/history/").await).len(), 1, "what may no longer be seen is gone");
    }
    server.sql("DELETE FROM user_permissions WHERE permission = 'history.view_entry'").await;
    assert_eq!(clerk.get("/admin/history/").await.status, 403);
}
