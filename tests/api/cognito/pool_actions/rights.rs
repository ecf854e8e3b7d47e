//! Who may do it, and that nobody else can make them.

use gatepost::cognito::pool_actions::PoolAction;

use super::{linked, office, page_of, server_with};
use crate::harness::aws::FakeAws;
use crate::harness::{assert_has, assert_lacks};

const ACTIONS: [&str; 5] = ["create", "resend", "disable", "enable", "reset_password"];

#[tokio::test]
async fn only_those_who_may_change_the_user_do_anything_in_the_pool() {
    let (aws, server, _root) = office(&["jane", "boss"]).await;
    let jane = linked(&server, "jane").await;
    let boss = linked(&server, "boss").await;
    server.sql("UPDATE users SET is_superuser = TRUE, is_staff = TRUE WHERE username = 'boss'").await;
    let mut viewer = server.staff_with("viewer", &["users.view_user"]).await;
    let mut editor = server.staff_with("editor", &["users.view_user", "users.change_user"]).await;
    for (client, page) in [(&viewer, &jane), (&viewer, &boss), (&editor, &boss)] {
        let mut client = client.clone();
        assert_eq!(client.get(page).await.status, 403, "{page}");
        for action in ACTIONS {
            assert_eq!(client.get(&format!("{page}?action={action}")).await.status, 403, "{action}");
            assert_eq!(client.post(page, &[("action", action)]).await.status, 403, "{action}");
        }
    }
    assert_eq!(aws.calls(), 0);
    assert_eq!(editor.get(&jane).await.status, 200);
    let form = jane.replace("/cognito/", "/change/");
    assert_has(&editor.page(&form).await, &[&format!("href=\"{jane}\"")]);
    assert_lacks(&viewer.page(&form).await, &["In Cognito"]);
    assert_lacks(&editor.page(&boss.replace("/cognito/", "/change/")).await, &["In Cognito"]);
}

#[tokio::test]
async fn a_form_needs_its_token_and_post() {
    let (aws, server, mut root) = office(&["jane"]).await;
    let page = linked(&server, "jane").await;
    root.page(&page).await;
    let before = aws.calls();
    for action in ACTIONS {
        let forged = root.form(&page, &[("action", action), ("csrfmiddlewaretoken", "x")]).send().await;
        assert_eq!(forged.status, 403, "{action}");
        assert_eq!(root.form(&page, &[("action", action)]).send().await.status, 403, "{action}");
        root.page(&format!("{page}?action={action}")).await;
    }
    assert_eq!(aws.calls(), before, "asking changes nothing");
    let stranger = crate::harness::admin::AdminClient::new(server.address);
    assert_eq!(stranger.form(&page, &[("action", "disable")]).send().await.status, 302);
    assert_eq!(aws.calls(), before);
}

#[tokio::test]
async fn an_action_that_the_setting_lacks_is_not_there() {
    let aws = FakeAws::with(&["jane"]).await;
    let server = server_with(&aws, &[PoolAction::Compare]).await;
    let mut root = server.superuser().await;
    let page = linked(&server, "jane").await;
    for action in ACTIONS.into_iter().chain(["compare", "nonsense", ""]) {
        assert_eq!(root.get(&format!("{page}?action={action}")).await.status, 404, "{action}");
        assert_eq!(root.post(&page, &[("action", action)]).await.status, 404, "{action}");
    }
    assert_eq!(aws.calls(), 0);
    assert_eq!(root.get(&page_of(4711)).await.status, 404);
    assert_eq!(root.call("PUT", &page).send().await.status, 405);
}

#[tokio::test]
async fn without_the_setting_there_is_no_page() {
    let (server, mut root) = crate::harness::TestServer::with_superuser().await;
    let page = linked(&server, "jane").await;
    assert_eq!(root.get(&page).await.status, 404);
    assert_lacks(&root.page(&page.replace("/cognito/", "/change/")).await, &["In Cognito"]);
}
