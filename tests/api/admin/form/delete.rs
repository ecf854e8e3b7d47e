//! The page that deletes a row.

use crate::harness::TestServer;

#[tokio::test]
async fn what_one_may_not_delete_blocks_the_whole_selection_with_the_reason() {
    let server = TestServer::start().await;
    server.user("jane").await;
    let mut root = server.superuser().await;
    let fields = [("action", "delete_selected"), ("_selected_action", "1"), ("_selected_action", "2")];
    let page = root.post("/admin/users/", &fields).await.text();
    assert!(page.contains("root: This is the last active superuser."), "{page}");
    assert!(!page.contains("name=\"post\""), "{page}");
    let answer = root.post("/admin/users/", &[&fields[..], &[("post", "yes")]].concat()).await;
    let page = root.follow(&answer).await;
    assert!(page.contains("This is the last active superuser.") && page.contains("Nothing was changed."), "{page}");
    assert_eq!(server.number("SELECT count(*) FROM users").await, 2);
    let page = root.page("/admin/users/2/delete/").await;
    assert!(page.contains("Nothing can be deleted here") && !page.contains("name=\"post\""), "{page}");
    let answer = root.post("/admin/users/2/delete/", &[("post", "yes")]).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("last active superuser"), "{}", answer.text());
}
