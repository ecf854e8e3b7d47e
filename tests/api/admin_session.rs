//! Signing in to the admin and out of it, and what a session is good for.

use crate::harness::TestServer;
use crate::harness::admin::{AdminClient, PASSWORD};

#[tokio::test]
async fn staff_signs_in_sees_the_first_page_and_signs_out() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut alice = AdminClient::new(server.address);
    let answer = alice.get("/admin/").await;
    assert_eq!((answer.status, answer.header("location")), (302, "/admin/login/?next=/admin/"));
    let page = alice.page("/admin/login/?next=/admin/sessions/%3Fq%3Dx").await;
    assert!(page.contains(r#"name="next" value="/admin/sessions/?q=x""#), "{page}");
    let fields = [("username", " alice "), ("password", PASSWORD), ("next", "/admin/sessions/?q=x")];
    let answer = alice.post("/admin/login/", &fields).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/admin/sessions/?q=x"));
    let page = alice.page("/admin/").await;
    assert!(page.contains("Signed in as <strong>alice</strong>"), "{page}");
    let answer = alice.post("/admin/logout/", &[]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("Sign in again"));
    assert_eq!(alice.get("/admin/").await.status, 302);
    assert_eq!(server.number("SELECT count(*) FROM sessions").await, 0);
}
