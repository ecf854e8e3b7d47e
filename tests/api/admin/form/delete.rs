//! The page that deletes a row.

use crate::harness::{TestServer, assert_has, assert_lacks};

#[tokio::test]
async fn what_one_may_not_delete_blocks_the_whole_selection_with_the_reason() {
    let server = TestServer::start().await;
    server.user("jane").await;
    let mut root = server.superuser().await;
    let fields = [("action", "delete_selected"), ("_selected_action", "1"), ("_selected_action", "2")];
    let page = root.post("/admin/users/", &fields).await.text();
    assert_has(&page, &["root: This is the last active superuser."]);
    assert_lacks(&page, &["name=\"post\""]);
    let answer = root.post("/admin/users/", &[&fields[..], &[("post", "yes")]].concat()).await;
    let page = root.follow(&answer).await;
    assert_has(&page, &["This is the last active superuser.", "Nothing was changed."]);
    assert_eq!(server.count("users").await, 2);
    let page = root.page("/admin/users/2/delete/").await;
    assert_has(&page, &["Nothing can be deleted:"]);
    assert_lacks(&page, &["name=\"post\""]);
    let answer = root.post("/admin/users/2/delete/", &[("post", "yes")]).await;
    assert_eq!(answer.status, 403);
    assert_has(&answer.text(), &["last active superuser"]);
}
