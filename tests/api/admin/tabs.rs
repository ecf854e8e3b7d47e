//! The header and the tabs of a row.

use crate::harness::admin::AdminClient;
use crate::harness::form::Form;
use crate::harness::html::{between, link, unescape};
use crate::harness::{TestServer, assert_has, assert_lacks};

/// The labels of a page's tabs, and the last parts of their URLs.
fn tabs(html: &str) -> Vec<(String, String)> {
    let links = between(html, "<nav class=\"tabs\"", "</nav>").concat();
    let links = between(&links, "<a href=\"", "</a>");
    let tab = |link: &&str| {
        let (url, label) = link.split_once('"').expect("a URL");
        let name = url.split('/').nth(4).expect("a name");
        (
            label
                .replace("<span class=\"count\">", "")
                .replace("</span>", "")
                .split_once('>')
                .expect("a label")
                .1
                .to_owned(),
            name.to_owned(),
        )
    };
    links.iter().map(tab).collect()
}

fn labels(html: &str) -> Vec<String> {
    tabs(html).into_iter().map(|(label, _)| label).collect()
}

async fn statuses(client: &mut AdminClient, id: i64) -> Vec<(&'static str, u16)> {
    let mut statuses = Vec::new();
    for name in ["change", "articles", "activity", "sessions", "refusals"] {
        statuses.push((name, client.get(&format!("/admin/users/{id}/{name}/")).await.status));
    }
    statuses
}

#[tokio::test]
async fn a_user_has_tabs_and_each_is_a_page() {
    let (server, mut root) = TestServer::with_superuser().await;
    let token = server.caller("jane").await;
    server.post_article(&token, "Trees").await;
    let page = root.page("/admin/users/2/change/?_changelist_filters=q%3Djane").await;
    let expected = ["Details", "Articles 1", "Activity", "Sessions", "Refused tokens"];
    // A resource of your own may have a tab, too.
    let known: Vec<String> = labels(&page).into_iter().filter(|label| expected.contains(&&**label)).collect();
    assert_eq!(known, expected);
    for (_, name) in tabs(&page) {
        let path = format!("/admin/users/2/{name}/?_changelist_filters=q%3Djane");
        let page = root.page(&path).await;
        assert_has(&page, &["<h1>jane</h1>", "jane@example.com", ">Active</span>", "href=\"/admin/users/?q=jane\""]);
        let current = format!("<a href=\"{path}\" aria-current=\"page\">");
        assert_eq!(page.split("<nav class=\"tabs\"").nth(1).expect("tabs").matches(&current).count(), 1, "{page}");
    }
    assert!(labels(&root.page("/admin/articles/1/change/").await).is_empty(), "one page needs no tabs");
    for path in
        ["/admin/users/9/articles/", "/admin/users/x/activity/", "/admin/users/9/sessions/", "/admin/users/9/refusals/"]
    {
        assert_eq!(root.get(path).await.status, 404, "{path}");
    }
    assert_eq!(root.get("/admin/groups/1/activity/").await.status, 404, "groups have no such tab");
}

#[tokio::test]
async fn a_tab_that_one_may_not_see_is_not_there_and_is_forbidden() {
    let server = TestServer::start().await;
    let jane = server.user("jane").await.id;
    let mut viewer = server.staff_with("viewer", &["users.view_user"]).await;
    let page = viewer.page(&format!("/admin/users/{jane}/change/")).await;
    assert_eq!(labels(&page), ["Details", "Refused tokens"]);
    let refused = [("change", 200), ("articles", 403), ("activity", 403), ("sessions", 403), ("refusals", 200)];
    assert_eq!(statuses(&mut viewer, jane).await, refused);
    assert_eq!(viewer.post(&format!("/admin/users/{jane}/sessions/"), &[]).await.status, 403);
    let permissions = ["users.view_user", "articles.view_article", "history.view_entry"];
    let mut reader = server.staff_with("reader", &permissions).await;
    let page = reader.page(&format!("/admin/users/{jane}/activity/")).await;
    assert_eq!(labels(&page), ["Details", "Articles 0", "Activity", "Refused tokens"]);
    let mut nobody = server.staff_with("nobody", &["articles.view_article", "history.view_entry"]).await;
    for (name, status) in statuses(&mut nobody, jane).await {
        assert_eq!(status, 403, "{name}");
    }
}

#[tokio::test]
async fn the_activity_is_what_a_user_did_and_what_was_done_to_them() {
    let (server, mut root) = TestServer::with_superuser().await;
    let token = server.caller("jane").await;
    server.caller("john").await;
    server.post_article(&token, "By Jane").await;
    let form = root.open_form("/admin/users/2/change/").await.set("first_name", &["Jane"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    let page = root.page("/admin/users/2/activity/").await;
    let changes = between(&page, "<tr>\n<td class=\"tight\">", "<tr>");
    assert_eq!(changes.len(), 4, "created, linked, wrote an article, changed: {page}");
    assert_has(changes[0], &[">root</a>", "First name"]);
    assert_has(changes[1], &["By Jane"]);
    assert_lacks(&page, &[">john<"]);
    // Of what was done, only what concerns models that the reader may view.
    let mut reader = server.staff_with("reader", &["users.view_user", "history.view_entry"]).await;
    assert_lacks(&reader.page("/admin/users/2/activity/").await, &["By Jane"]);
    let entry = "SELECT '2026-01-01 00:00:00', 2, 'jane', 'api', 'changed', 'article', 1, 'By Jane', '{}' FROM n";
    server
        .sql(format!(
            "INSERT INTO history (at, actor_id, actor, source, action, model, object_id, object, changes)
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 130) {entry}"
        ))
        .await;
    let page = root.page("/admin/users/2/activity/?q=nothing&model=user").await;
    assert_has(&page, &["1–100 of 134"]);
    // The first one leads to the next user.
    let next = page.rsplit("rel=\"next\"").nth(1).expect("a link").rsplit("href=\"").next().expect("a URL");
    let next = unescape(next.trim_end().trim_end_matches('"'));
    assert_has(&root.page(&format!("/admin/users/2/activity/{next}")).await, &["101–134 of 134"]);
}

#[tokio::test]
async fn the_articles_of_a_user_are_theirs_alone() {
    let (server, mut root) = TestServer::with_superuser().await;
    let jane = server.caller("jane").await;
    server.post_article(&jane, "Hers").await;
    server.post_article(&server.caller("john").await, "His").await;
    let page = root.page("/admin/users/2/articles/").await;
    assert_has(&page, &["<a href=\"/admin/articles/1/change/\">Hers</a>", "1–1 of 1"]);
    assert_lacks(&page, &[">His<", "Created by</th>"]);
    assert_has(&root.page("/admin/users/1/articles/").await, &["No articles"]);
}

#[tokio::test]
async fn superusers_see_and_end_the_sessions_of_a_user() {
    let (server, mut root) = TestServer::with_superuser().await;
    let jane = server.staff("jane", |_| {}).await.id;
    let (first, second, third) =
        (server.sign_in("jane").await, server.sign_in("jane").await, server.sign_in("jane").await);
    let is_in = async |client: &AdminClient| client.call("GET", "/admin/").status().await == 200;
    let path = format!("/admin/users/{jane}/sessions/");
    let page = root.page(&path).await;
    assert_eq!(page.matches("/revoke/").count(), 3, "{page}");
    let answer = Form::with(&page, "/revoke/").send(&mut root, &path, "x").await;
    assert_eq!(answer.redirect(), (303, path.as_str()));
    assert_has(&root.follow(&answer).await, &["The session was signed out."]);
    assert!(is_in(&first).await && is_in(&second).await && !is_in(&third).await, "the newest one was the first");
    let answer = root.post(&path, &[]).await;
    assert_eq!(answer.redirect(), (303, path.as_str()));
    assert_has(&root.follow(&answer).await, &["2 sessions were signed out.", "Not signed in to the admin"]);
    assert!(!is_in(&first).await && !is_in(&second).await && is_in(&root).await);
    // One's own session stays, and no page of another site is next.
    let page = root.page("/admin/users/1/sessions/").await;
    assert_has(&page, &["This session"]);
    assert_lacks(&page, &["Sign out all"]);
    server.sign_in("root").await;
    let newest = server.number("SELECT max(id) FROM sessions").await;
    let answer = root.post(&format!("/admin/sessions/{newest}/revoke/"), &[("next", "//evil.example")]).await;
    assert_eq!(answer.redirect(), (303, "/admin/"));
    assert_eq!(root.post("/admin/users/1/sessions/", &[]).await.status, 303);
    assert!(is_in(&root).await);
}

#[tokio::test]
async fn refused_tokens_are_those_of_the_user_or_of_their_sub() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("jane").await;
    server.link("jane", "https://issuer.example", "sub-of-jane").await;
    server
        .sql(
            "INSERT INTO refusals (at, kind, code, sub, email, user_id, times) VALUES
             ('2026-11-22 10:00:00', 'token', 'token_expired', 'sub-of-jane', '', NULL, 1),
             ('2026-11-22 11:00:00', 'sign_in', 'password_wrong', '', '', 2, 1),
             ('2026-11-22 12:00:00', 'token', 'key_unknown', 'sub-of-john', '', NULL, 1),
             ('2026-11-22 13:00:00', 'token', 'user_inactive', '', '', 1, 1)",
        )
        .await;
    let page = root.page("/admin/users/2/refusals/?user=1").await;
    assert_has(&page, &["token_expired", "password_wrong", "1–2 of 2"]);
    assert_lacks(&page, &["key_unknown", "user_inactive"]);
    assert_has(&root.page("/admin/refusals/?user=2").await, &["1–2 of 2"]);
}

#[tokio::test]
async fn a_user_is_deactivated_and_activated_from_the_header() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("ada").await;
    for (label, active) in [("Deactivate", 0), ("Activate", 1)] {
        let page = root.page("/admin/users/2/change/").await;
        let url = link(&page, label);
        let confirmation = root.page(&url).await;
        assert_has(&confirmation, &[&format!("autofocus>{label} the user ada</button>")]);
        Form::with(&confirmation, "autofocus").send(&mut root, &url, "").await;
        assert_eq!(server.count("users WHERE username = 'ada' AND is_active").await, active);
    }
}

#[tokio::test]
async fn the_header_says_the_state_and_offers_what_one_may_do() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.staff("jane", |new| new.is_active = false).await;
    server.link("jane", "https://issuer.example", "sub-of-jane").await;
    let head = |page: &str| between(page, "<div class=\"page-head\">", "<nav class=\"tabs\"").concat();
    let page = head(&root.page("/admin/users/2/activity/").await);
    assert_has(&page, &[">Inactive<", ">Staff<", ">Linked<", "/admin/users/2/password/", "action=unlink"]);
    assert_has(&page, &["action=activate"]);
    assert_lacks(&page, &[">Superuser<", ">Active<", "action=deactivate"]);
    // Nobody is offered to lock themselves out.
    let page = head(&root.page("/admin/users/1/change/").await);
    assert_has(&page, &[">Superuser<", ">Not linked<"]);
    assert_lacks(&page, &["Unlink", "action=deactivate"]);
    // Viewing is not changing, and neither is having fewer rights.
    let mut viewer = server.staff_with("viewer", &["users.view_user"]).await;
    assert_lacks(&head(&viewer.page("/admin/users/2/change/").await), &["password", "Unlink", "ctivate"]);
    let mut clerk = server.staff_with("clerk", &["users.change_user"]).await;
    assert_has(&head(&clerk.page("/admin/users/2/change/").await), &["/admin/users/2/password/", "Unlink"]);
    assert_lacks(&head(&clerk.page("/admin/users/1/change/").await), &["password", "Unlink", "ctivate"]);
}

#[tokio::test]
async fn each_effective_permission_says_what_gives_it() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("jane").await;
    server
        .sql(
            "INSERT INTO groups (name, cognito_group) VALUES ('Editors', NULL), ('Readers', 'readers');
             INSERT INTO group_permissions VALUES (1, 'articles.change_article'), (2, 'articles.view_article');
             INSERT INTO user_groups VALUES (2, 1); INSERT INTO user_cognito_groups VALUES (2, 2);
             INSERT INTO user_permissions VALUES (2, 'articles.view_article'), (2, 'gone.view_gone')",
        )
        .await;
    let facts = async |root: &mut AdminClient, id: i64| {
        let page = root.page(&format!("/admin/users/{id}/change/")).await;
        let panel = between(&page, ">Effective permissions</h2>", "</section>").concat();
        between(&panel, "<dt>", "</dd>").iter().map(|fact| fact.replace("</dt><dd>", ": ")).collect::<Vec<_>>()
    };
    let expected = [
        "In the admin: None: not staff, so cannot enter the admin",
        "Can change articles: Group Editors",
        "Can view articles: Directly, Group Readers through Cognito",
        "gone.view_gone: Directly",
    ];
    assert_eq!(facts(&mut root, 2).await, expected);
    assert_eq!(facts(&mut root, 1).await, ["All permissions: Superuser"]);
    server.sql("UPDATE users SET is_active = FALSE WHERE id = 2").await;
    assert_eq!(facts(&mut root, 2).await[0], "In effect: None: the user is inactive");
    server.user("john").await;
    assert_eq!(facts(&mut root, 3).await, ["Permissions: None"]);
}

#[tokio::test]
async fn direct_permissions_are_folded_away_until_they_have_an_error() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("jane").await;
    let path = "/admin/users/2/change/";
    let page = root.page(path).await;
    assert_has(&page, &["<details class=\"section\">\n<summary><h2>Direct permissions</h2>"]);
    let form = Form::with(&page, "_save").set("first_name", &["Jane"]);
    assert_eq!(form.send(&mut root, path, "_save").await.status, 303);
    let answer = form.set("user_permissions", &["articles.eat_article"]).send(&mut root, path, "_save").await;
    assert_eq!(answer.status, 400);
    assert_has(&answer.text(), &["<details class=\"section\" open>"]);
}
