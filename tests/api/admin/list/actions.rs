//! Actions on selected rows, and on all that match.

use crate::harness::admin::AdminClient;
use crate::harness::form::{Form, undo};
use crate::harness::{TestServer, assert_has};

#[tokio::test]
async fn selected_rows_are_deleted_after_a_page_that_lists_them() {
    let server = TestServer::start().await;
    server.seed_articles(5).await;
    let mut root = server.superuser().await;
    let list = "/admin/articles/?q=Article&o=name";
    let fields = [("action", "delete_selected"), ("_selected_action", "2"), ("_selected_action", "4")];
    let answer = root.post(list, &fields).await;
    assert_eq!(answer.status, 200);
    let page = answer.text();
    assert_has(&page, &["Delete 2 articles", "Article 000004 on DRF"]);
    assert_eq!(server.count("articles").await, 5);
    let form = Form::with(&page, "Delete 2 articles");
    assert_eq!(form.all("_selected_action"), ["2", "4"]);
    let answer = form.send(&mut root, list, "x").await;
    assert_eq!(answer.header("location"), "/admin/articles/?q=Article&o=name");
    let page = root.follow(&answer).await;
    assert_has(&page, &["Deleted 2 articles."]);
    assert_eq!(server.count("articles").await, 3);
    assert_eq!(server.number("SELECT count(DISTINCT batch) FROM deleted_rows").await, 1);
    assert!(undo(&mut root, &page).await.contains("Restored 2 articles."));
    assert_eq!(server.number("SELECT sum(row_count) FROM row_counts WHERE table_name = 'articles'").await, 5);
}

#[tokio::test]
async fn all_that_match_are_deleted_across_pages_and_come_back_together() {
    let server = TestServer::start().await;
    server.seed_articles(1700).await;
    server.articles(&["Kept"]).await;
    let mut root = server.superuser().await;
    let list = "/admin/articles/?q=DRF";
    let answer = root.post(list, &[("action", "delete_selected"), ("select_across", "1")]).await;
    let page = answer.text();
    assert_has(&page, &["Delete more than 1000 articles", "The first 100 objects"]);
    let answer = Form::with(&page, "name=\"post\"").send(&mut root, list, "x").await;
    let page = root.follow(&answer).await;
    assert_has(&page, &["Deleted 1700 articles."]);
    assert_eq!(server.texts("SELECT name FROM articles").await, ["Kept"]);
    assert!(undo(&mut root, &page).await.contains("Restored 1700 articles."));
    assert_eq!(server.count("articles").await, 1701);
}

#[tokio::test]
async fn an_action_without_rows_or_rows_without_an_action_do_nothing_and_say_so() {
    let server = TestServer::start().await;
    let jane = server.user("jane").await.id.to_string();
    let mut root = server.superuser().await;
    let nothing = "Items must be selected in order to perform actions on them. No items have been changed.";
    for (fields, message) in [
        (vec![("action", "deactivate")], nothing),
        (vec![("action", "delete_selected"), ("post", "yes")], nothing),
        (vec![("action", "deactivate"), ("_selected_action", "x"), ("_selected_action", "")], nothing),
        (vec![("_selected_action", jane.as_str())], "No action selected."),
        (vec![("action", "explode"), ("_selected_action", jane.as_str())], "No action selected."),
        (
            vec![("action", "activate"), ("_selected_action", jane.as_str())],
            "No user activated: there was nothing to do.",
        ),
        (vec![("action", "deactivate"), ("_selected_action", "99")], "No user deactivated: there was nothing to do."),
    ] {
        let answer = root.post("/admin/users/", &fields).await;
        assert_eq!(answer.status, 303);
        let page = root.follow(&answer).await;
        assert!(page.contains(message), "{fields:?}: {page}");
    }
    assert_eq!(server.count("users WHERE is_active").await, 2);
}

#[tokio::test]
async fn users_are_deactivated_and_activated_together_and_signed_out() {
    let (server, token) = TestServer::with_alice().await;
    server.staff("bob", |_| {}).await;
    let mut bob = server.sign_in("bob").await;
    let mut root = server.superuser().await;
    let selected = [("_selected_action", "1"), ("_selected_action", "2"), ("_selected_action", "2")];
    let confirmed = |action| [&[("action", action), ("post", "yes")], &selected[..]].concat();
    let answer = root.post("/admin/users/", &confirmed("deactivate")).await;
    assert!(root.follow(&answer).await.contains("2 users deactivated."));
    assert_eq!(bob.get("/admin/").await.status, 302);
    assert_eq!(server.get("/me/", &token).await.code(), "user_inactive");
    let answer = root.post("/admin/users/", &confirmed("activate")).await;
    assert!(root.follow(&answer).await.contains("2 users activated."));
    assert_eq!(server.get("/me/", &token).await.status, 200);
    assert_eq!(bob.get("/admin/").await.status, 302);
}

#[tokio::test]
async fn an_undo_leads_back_to_where_it_was_pressed() {
    let server = TestServer::start().await;
    server.seed_articles(3).await;
    let mut root = server.superuser().await;
    let list = "/admin/articles/?q=Article&o=name";
    let delete = async |root: &mut AdminClient| {
        let answer =
            root.post(list, &[("action", "delete_selected"), ("_selected_action", "2"), ("post", "yes")]).await;
        root.follow(&answer).await
    };
    let page = delete(&mut root).await;
    let answer = Form::with(&page, "name=\"batch\"").send(&mut root, "/", "x").await;
    assert_eq!(answer.redirect(), (303, list));
    delete(&mut root).await;
    let page = root.page("/admin/history/?model=article").await;
    let answer = Form::with(&page, "name=\"batch\"").send(&mut root, "/", "x").await;
    assert_eq!(answer.redirect(), (303, "/admin/history/?model=article"));
    // Never to another site.
    let page = delete(&mut root).await;
    let form = Form::with(&page, "name=\"batch\"").set("next", &["https://evil.example/"]);
    assert_eq!(form.send(&mut root, "/", "x").await.redirect(), (303, "/admin/"));
}
