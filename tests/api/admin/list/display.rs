//! What a browser shows of a list: columns, the length of pages, and marks.

use crate::harness::html::{between, link, names};
use crate::harness::{TestServer, assert_has, assert_lacks};

/// The headings of the columns.
fn heads(html: &str) -> Vec<String> {
    let head = between(html, "<thead", "</thead>")[0];
    let cells = between(head, "<th scope=\"col\"", "</th>").into_iter().filter(|cell| !cell.contains("checkbox"));
    let text = |cell: &str| between(cell, ">", "<").concat();
    cells.map(|cell| text(cell).split(": sorted").next().unwrap_or_default().trim().to_owned()).collect()
}

#[tokio::test]
async fn the_columns_and_the_length_of_pages_are_chosen_for_a_browser() {
    let (server, mut root) = TestServer::with_superuser().await;
    for at in 0..30 {
        server.user(&format!("user{at:02}")).await;
    }
    let page = root.page("/admin/users/?active=yes").await;
    assert_eq!(heads(&page), ["Username", "State", "E-mail", "Name", "Last active"]);
    assert_eq!(between(&page, "name=\"columns\" value=\"", "\"").len(), 12, "the list's, and those of its CSV file");
    let chosen = [("show", "25"), ("columns", "origin"), ("columns", "email"), ("columns", "nothing")];
    let answer = root.post("/admin/users/display/?active=yes", &chosen).await;
    assert_eq!(answer.redirect(), (303, "/admin/users/?active=yes"));
    root.take(&answer);
    let page = root.page("/admin/users/?active=yes").await;
    assert_eq!(heads(&page), ["Username", "E-mail", "Origin"], "the first leads to the form");
    assert_eq!(names(&page).len(), 25);
    assert_eq!(link(&page, "Clear all"), "?", "the length is no part of the URL");
    assert_lacks(&root.page("/admin/articles/").await, &["Origin"]);

    let other = server.sign_in("root").await.page("/admin/users/").await;
    assert_eq!((heads(&other).len(), names(&other).len()), (5, 31), "another browser");
    let answer = root.post("/admin/users/display/", &[("show", "1000000")]).await;
    root.take(&answer);
    let page = root.page("/admin/users/").await;
    assert_eq!((heads(&page).len(), names(&page).len()), (5, 31), "what cannot be is as usual");
    let mut nobody = server.staff_with("nobody", &[]).await;
    nobody.page("/admin/").await;
    assert_eq!(nobody.post("/admin/users/display/", &[("show", "25")]).await.status, 403);
}

#[tokio::test]
async fn a_list_of_users_says_what_is_not_so_of_most() {
    let (server, mut root) = TestServer::with_superuser().await;
    for name in ["ada", "bob", "cyd"] {
        server.user_with(name, |new| new.is_staff = name == "bob").await;
    }
    server.sql("UPDATE users SET is_active = FALSE WHERE username = 'cyd'").await;
    server.link("ada", "https://issuer.example", "sub-of-ada").await;
    server
        .sql(
            "UPDATE users SET last_login = '2001-02-03 04:05:06', last_seen_at = '2001-02-03 04:05:06' WHERE username = 'bob';
             UPDATE users SET last_login = '2001-02-03 04:05:06', last_seen_at = '2001-02-04 00:00:00' WHERE username = 'ada';
             UPDATE users SET last_login = NULL, last_seen_at = NULL WHERE username IN ('cyd', 'root')",
        )
        .await;
    let page = root.page("/admin/users/?o=-last_active").await;
    assert_eq!(names(&page), ["ada", "bob", "cyd", "root"]);
    let rows = between(&page, "\n<tr>", "<tr>");
    let badges = |row: &str| between(row, "<b class=\"", "</b>").join(" ");
    assert_eq!(badges(rows[1]), "");
    assert_eq!(badges(rows[2]), "info\">Staff off\">Not linked");
    assert_has(&page, &["warn\">Superuser</b>", "bad\">Inactive</b>"]);
    assert_eq!(between(&page, "datetime=\"", "\"")[..2], ["2001-02-04T00:00:00Z", "2001-02-03T04:05:06Z"]);
}

#[tokio::test]
async fn what_may_be_cut_off_is_whole_in_a_title() {
    let (server, mut root) = TestServer::with_superuser().await;
    let long = "A history of gates, fences & posts, in four parts";
    server.articles(&["Short", long]).await;
    let page = root.page("/admin/articles/").await;
    assert_has(&page, &["title=\"A history of gates, fences &#38; posts, in four parts\""]);
    assert_lacks(&page, &["title=\"Short\""]);
}

#[tokio::test]
async fn the_row_that_was_saved_is_marked_once() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&["one", "two"]).await;
    root.page("/admin/articles/1/change/").await;
    let answer = root.post("/admin/articles/1/change/", &[("name", "uno"), ("_save", "")]).await;
    let page = root.follow(&answer).await;
    let marked = between(&page, "<tr class=\"saved\" aria-current=\"true\">", "<tr");
    assert_eq!(marked.len(), 1, "{page}");
    assert_has(marked[0], &[">uno</a>"]);
    assert_lacks(&root.page("/admin/articles/").await, &["class=\"saved\""]);
}

#[tokio::test]
async fn a_form_leads_to_the_next_and_the_previous_row_of_the_list_one_came_from() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.articles(&["b", "a", "d", "c", "a"]).await;
    let query = "?_changelist_filters=o%3Dname";
    let page = root.page(&format!("/admin/articles/2/change/{query}")).await;
    assert_has(&page, &[&format!("href=\"/admin/articles/2/next/{query}\" rel=\"next\"")]);
    let mut ids = vec![2];
    for _ in 0..4 {
        let answer = root.get(&format!("/admin/articles/{}/next/{query}", ids[ids.len() - 1])).await;
        let (status, path) = answer.redirect();
        assert_eq!(status, 303);
        let id = path.strip_prefix("/admin/articles/").and_then(|rest| rest.strip_suffix(&format!("/change/{query}")));
        ids.push(id.expect("the form of a row").parse().expect("a number"));
    }
    assert_eq!(ids, [2, 5, 1, 4, 3], "equal names in the order of the ids");
    let answer = root.get(&format!("/admin/articles/3/next/{query}")).await;
    assert_eq!(answer.redirect(), (303, &*format!("/admin/articles/3/change/{query}")));
    assert_has(&root.follow(&answer).await, &["This is the last article of the list."]);
    let answer = root.get(&format!("/admin/articles/3/previous/{query}")).await;
    assert_eq!(answer.redirect().1, format!("/admin/articles/4/change/{query}"));
    // Only what the list shows, in its own order where none is chosen.
    let answer = root.get("/admin/articles/5/next/?_changelist_filters=q%3Da").await;
    assert_eq!(answer.redirect().1, "/admin/articles/2/change/?_changelist_filters=q%3Da");
    assert_eq!(root.get("/admin/articles/5/next/").await.redirect().1, "/admin/articles/4/change/");
    let mut nobody = server.staff_with("nobody", &[]).await;
    assert_eq!(nobody.get("/admin/articles/5/next/").await.status, 403);
}
