//! What browsers, password managers and crawlers ask every site for.

use crate::harness::TestServer;

#[tokio::test]
async fn an_icon_rules_for_crawlers_and_the_page_for_passwords_are_where_they_are_sought() {
    let server = TestServer::start().await;
    let icon = server.call("GET", "/favicon.ico").send().await;
    assert_eq!((icon.status, icon.header("content-type")), (200, "image/svg+xml"));
    assert!(icon.text().contains("<svg"));
    let robots = server.call("GET", "/robots.txt").send().await;
    assert_eq!((robots.status, robots.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(robots.text(), "User-agent: *\nDisallow: /\n");
    let change = server.call("GET", "/.well-known/change-password").send().await;
    assert_eq!((change.status, change.header("location")), (302, "/admin/password_change/"));
    for path in ["/favicon.ico", "/robots.txt", "/.well-known/change-password"] {
        assert_eq!(server.call("POST", path).status().await, 405, "{path}");
    }
    assert_eq!(server.call("GET", "/.well-known/other").status().await, 404);
}
