//! Views of lists that users save for themselves.

use crate::harness::form::Form;
use crate::harness::html::{between, link};
use crate::harness::{TestServer, assert_has, assert_lacks};

const LIST: &str = "/admin/users/?q=a&staff=no&o=-username";

fn views(html: &str) -> Vec<String> {
    let list = between(html, "<ul class=\"plain saved\">", "</ul>");
    list.first()
        .map_or_else(Vec::new, |list| between(list, "<span>", "</span>").into_iter().map(str::to_owned).collect())
}

#[tokio::test]
async fn a_view_is_saved_under_a_name_used_replaced_and_deleted() {
    let (server, mut root) = TestServer::with_superuser().await;
    assert_lacks(&root.page("/admin/users/").await, &["Saved views"]);
    let form = Form::with(&root.page(LIST).await, "Name of the view");
    let answer = form.clone().set("name", &[" Not staff "]).send(&mut root, LIST, "").await;
    assert_eq!(answer.redirect(), (303, "/admin/users/?q=a&staff=no&o=-username"));
    let html = root.follow(&answer).await;
    assert_has(&html, &["The view “Not staff” was saved.", "aria-current=\"true\"><span>Not staff</span>"]);
    let html = root.page("/admin/users/").await;
    assert_eq!(views(&html), ["Not staff"]);
    assert_eq!(link(&html, "<span>Not staff"), "?q=a&staff=no&o=-username");
    // The same name replaces it.
    root.post("/admin/users/views/", &[("name", "Not staff"), ("view", "staff=no&page=9&last=1&x=y")]).await;
    let html = root.page("/admin/users/").await;
    assert_eq!((views(&html).len(), link(&html, "<span>Not staff").as_str()), (1, "?staff=no"));
    for name in ["", "  ", &"x".repeat(51), "a\0b"] {
        let answer = root.post("/admin/users/views/", &[("name", name), ("view", "staff=no")]).await;
        assert_has(&root.follow(&answer).await, &["A view needs a name of at most 50 characters."]);
    }
    assert_eq!(server.count("saved_views").await, 1);
    let id = server.number("SELECT id FROM saved_views").await.to_string();
    let answer = root.post("/admin/users/views/", &[("delete", &id)]).await;
    assert_has(&root.follow(&answer).await, &["The view was deleted."]);
    assert_eq!(server.count("saved_views").await, 0);
}

#[tokio::test]
async fn a_view_is_its_users_alone_and_ends_with_them() {
    let (server, mut root) = TestServer::with_superuser().await;
    let mut clerk = server.staff_with("clerk", &["users.view_user"]).await;
    clerk.post("/admin/users/views/", &[("name", "<b>Mine</b>"), ("view", "staff=no")]).await;
    assert_eq!(views(&clerk.page("/admin/users/").await), ["&#60;b&#62;Mine&#60;/b&#62;"]);
    assert!(views(&root.page("/admin/users/").await).is_empty());
    let id = server.number("SELECT id FROM saved_views").await.to_string();
    root.post("/admin/users/views/", &[("delete", &id)]).await;
    assert_eq!(server.count("saved_views").await, 1, "it is not root's");
    assert_eq!(clerk.post("/admin/articles/views/", &[("name", "x"), ("view", "q=a")]).await.status, 403);
    assert_eq!(clerk.get("/admin/users/views/").await.status, 405);
    for number in 0..40 {
        clerk.post("/admin/users/views/", &[("name", &format!("View {number:02}")), ("view", "staff=no")]).await;
    }
    assert_eq!(server.count("saved_views").await, 30);
    let page = root.page("/admin/users/2/delete/").await;
    assert_has(&page, &["<dt>Saved views of lists</dt><dd>30 deleted</dd>"]);
    root.post("/admin/users/2/delete/", &[("post", "yes")]).await;
    assert_eq!(server.count("saved_views").await, 0);
}

#[tokio::test]
async fn the_history_has_saved_views_too() {
    let (_server, mut root) = TestServer::with_superuser().await;
    root.post("/admin/history/views/", &[("name", "By the API"), ("view", "source=api")]).await;
    assert_eq!(link(&root.page("/admin/history/").await, "<span>By the API"), "?source=api");
}
