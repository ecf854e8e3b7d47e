//! The home page: figures that lead to their rows, lines of the last days, imports, and changes made together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::Connection as _;
use diesel::connection::InstrumentationEvent;
use gatepost::admin::figures::Kept;
use gatepost::db::Connection;

use crate::harness::admin::AdminClient;
use crate::harness::form::{Form, undo};
use crate::harness::html::{between, count, link, unescape};
use crate::harness::{TestServer, ago, assert_has, assert_lacks};

/// The figures of the page: number and label.
fn figures(html: &str) -> Vec<String> {
    let list = between(html, "<ul class=\"plain figures\">", "</ul>").remove(0);
    let words = |figure: &str| between(figure, "<strong>", "</a>").remove(0).replace("</strong>", "");
    between(list, "<li>", "</li>").into_iter().map(words).collect()
}

/// What a list of changes says, without when.
pub fn lines(html: &str, list: &str) -> Vec<String> {
    let section = between(html, &format!("aria-labelledby=\"{list}\""), "</section>").remove(0);
    let text = |line: &str| {
        let parts = line.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
        unescape(&parts.map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" "))
    };
    between(section, "<span class=\"main\">", "<span class=\"soft\">").into_iter().map(text).collect()
}

#[tokio::test]
async fn each_figure_leads_to_the_rows_that_it_counts() {
    let (server, mut root) = TestServer::with_superuser().await;
    for name in ["ada", "bob", "cyd", "dan"] {
        server.user(name).await;
    }
    server
        .sql(format!(
            "UPDATE users SET cognito_issuer = 'i', cognito_sub = username WHERE username < 'd';
             UPDATE users SET last_seen_at = {} WHERE username = 'ada';
             UPDATE users SET is_active = FALSE WHERE username IN ('cyd', 'dan');
             UPDATE users SET date_joined = '2026-01-01 00:00:00' WHERE username = 'root'",
            ago(60)
        ))
        .await;
    let refusal = "INSERT INTO refusals (at, kind, code, sub, email, times) VALUES";
    for (seconds, kind, times) in [(60, "token", 3), (120, "token", 4), (60, "sign_in", 9), (90_000, "token", 8)] {
        server.sql(format!("{refusal} ({}, '{kind}', 'x', 's', '', {times})", ago(seconds))).await;
    }
    let html = root.page("/admin/").await;
    let expected = [
        "3 linked to Cognito",
        "2 linked, never seen",
        "2 inactive",
        "4 new in 7 days",
        "7 tokens refused in 24 hours",
    ];
    assert_eq!(figures(&html), expected);
    for figure in &expected[..4] {
        let (number, label) = figure.split_once(' ').expect("a number");
        let list = root.page(&link(&html, label)).await;
        assert_eq!(count(&list), format!("{number} of 5 users"), "{label}");
    }
    let refusals = root.page(&link(&html, "tokens refused")).await;
    assert_has(&refusals, &["1–2 of 2"]);
}

#[tokio::test]
async fn who_may_not_view_users_sees_no_figures_of_them() {
    let server = TestServer::start().await;
    let mut author = server.staff_with("author", &["articles.view_article"]).await;
    let html = author.page("/admin/").await;
    assert!(figures(&html).is_empty(), "{html}");
    assert_lacks(&html, &["New users"]);
    assert_has(&html, &["API requests"]);
    assert_lacks(&html, &["You have no permissions."]);
    let mut newcomer = server.staff_with("newcomer", &[]).await;
    assert_has(&newcomer.page("/admin/").await, &["You have no permissions."]);
}

#[tokio::test]
async fn a_long_table_is_counted_once_a_minute_and_the_page_says_when() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("ada").await;
    server.sql("UPDATE row_counts SET row_count = 20000 WHERE table_name = 'users'").await;
    let html = root.page("/admin/").await;
    assert_has(&html, &["Counted <time datetime=\""]);
    let counted = |html: &str| between(html, "Counted ", "</span>")[0].to_owned();
    server.sql("UPDATE users SET is_active = FALSE WHERE username = 'ada'").await;
    let again = root.page("/admin/").await;
    assert_eq!((counted(&again), figures(&again)), (counted(&html), figures(&html)));
}

#[tokio::test]
async fn requests_of_the_api_are_counted_by_day_and_processes_add_up() {
    let (server, token) = TestServer::with_alice().await;
    let mut root = server.superuser().await;
    for _ in 0..3 {
        server.get("/articles/", &token).await;
    }
    // Not what is no API, but also what it refuses.
    server.fetch("/me/").await;
    server.fetch("/healthz").await;
    root.page("/admin/articles/").await;
    assert_eq!(server.count("api_requests").await, 0, "no request writes");
    let counted = "API requests: <strong>4</strong> in 30 days";
    assert_has(&root.page("/admin/").await, &[counted]);
    server.api_requests.write(&server.db).await;
    assert_eq!(server.number("SELECT requests FROM api_requests").await, 4);
    assert_has(&root.page("/admin/").await, &[counted]);
    server.api_requests.write(&server.db).await;
    let second = server.second().await;
    second.get("/me/", &token).await;
    second.api_requests.write(&second.db).await;
    assert_eq!(server.texts("SELECT requests FROM api_requests").await, ["5"]);
    server.sql("INSERT INTO api_requests SELECT day - 2, 1200 FROM api_requests").await;
    let html = root.page("/admin/").await;
    assert_has(&html, &["API requests: <strong>1,205</strong> in 30 days"]);
    let words = between(&html, "aria-label=\"API requests per day. ", "\"").remove(0);
    assert!(words.starts_with("5 today; the most were 1,200 on 20"), "{words}");
    let points = between(&html, "<polyline points=\"", "\"").pop().expect("a line");
    assert_eq!(points.split(' ').count(), 30, "{points}");
}

#[tokio::test]
async fn sign_ups_of_thirty_days_are_a_line_with_a_text() {
    let (server, mut root) = TestServer::with_superuser().await;
    for name in ["ada", "bob", "cyd"] {
        server.user(name).await;
    }
    server.sql("UPDATE users SET date_joined = '2026-01-01 00:00:00' WHERE username = 'cyd'").await;
    let html = root.page("/admin/").await;
    assert_has(&html, &["New users: <strong>3</strong> in 30 days", "aria-label=\"New users per day. 3 today;"]);
}

async fn import_users(root: &mut AdminClient, file: &str) {
    let answer = root.upload("/admin/users/import/", "staff.csv", file).await;
    let address = answer.header("location").to_owned();
    let page = root.page(&address).await;
    Form::with(&page, "primary\">Import ").send(root, &address, "").await;
    assert_has(&root.page(&address).await, &["Imported staff.csv"]);
}

#[tokio::test]
async fn changes_made_together_are_one_line_that_leads_to_them() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.groups(&["Editors"]).await;
    import_users(&mut root, "username\nada\nbob\ncyd\n").await;
    // PostgreSQL's ids have gaps.
    let ids = server.texts("SELECT id FROM users WHERE username IN ('ada', 'bob') ORDER BY username").await;
    let users = [("_selected_action", &*ids[0]), ("_selected_action", &*ids[1]), ("post", "yes"), ("choice", "1")];
    let run = |action| [&[("action", action)], &users[..]].concat();
    let answer = root.post("/admin/users/", &run("deactivate")).await;
    root.follow(&answer).await;
    let answer = root.post("/admin/users/", &run("add_to_group")).await;
    let page = root.follow(&answer).await;
    undo(&mut root, &page).await;
    root.post("/admin/users/", &[("action", "activate"), ("_selected_action", &*ids[0]), ("post", "yes")]).await;
    root.post("/admin/users/", &run("delete_selected")).await;
    let html = root.page("/admin/").await;
    let expected = [
        "root deleted 2 users In the admin site",
        "ada Changed by root in the admin site",
        "root changed 2 users back In the admin site",
        "root added 2 users to the group In the admin site",
        "root deactivated 2 users In the admin site",
        "root imported 3 users In the admin site",
        "root Created on the command line",
    ];
    assert_eq!(lines(&html, "all"), expected);
    assert_eq!(lines(&html, "mine")[0], "Deleted 2 users In the admin site");
    let history = root.page(&link(&html, "root imported 3 users")).await;
    assert_eq!(count(&history), "3 of 13 changes");
    assert_has(&history, &["Made together: 3 changes"]);
}

#[tokio::test]
async fn the_last_imports_lead_to_their_report_or_to_the_list() {
    let (server, mut root) = TestServer::with_superuser().await;
    import_users(&mut root, "username\nada\nbob\n").await;
    let html = root.page("/admin/").await;
    assert_eq!(lines(&html, "imports"), ["staff.csv root: 2 users created, 0 changed"]);
    assert_eq!(link(&html, "staff.csv"), "/admin/users/import/1/");
    let mut viewer = server.staff_with("viewer", &["users.view_user"]).await;
    assert_eq!(link(&viewer.page("/admin/").await, "staff.csv"), "/admin/users/");
    let mut author = server.staff_with("author", &["articles.view_article"]).await;
    assert_lacks(&author.page("/admin/").await, &["staff.csv"]);
}

#[tokio::test]
async fn of_readers_that_come_at_once_one_counts() {
    let server = TestServer::start().await;
    let many = "WITH RECURSIVE numbers (n) AS (SELECT 1001 UNION ALL SELECT n + 1 FROM numbers WHERE n < 11500)
        INSERT INTO users (id, username, email, first_name, last_name, is_active, is_staff, is_superuser, date_joined, origin)
        SELECT n, 'many' || n, '', '', '', TRUE, FALSE, FALSE, '2026-01-01 00:00:00', 'admin' FROM numbers";
    server.sql(many).await;
    let (kept, site) = (Arc::new(Kept::default()), Arc::new(gatepost::server::site()));
    let second_counts = Arc::new(AtomicBool::new(false));
    let (begun, begins) = tokio::sync::oneshot::channel();
    let first = {
        let (kept, site, second_counts, mut begun) = (kept.clone(), site.clone(), second_counts.clone(), Some(begun));
        let count = move |conn: &mut Connection| {
            conn.set_instrumentation(move |_: InstrumentationEvent<'_>| {
                // The first statement takes as long as the second reader needs to begin one.
                let Some(begun) = begun.take() else { return };
                begun.send(()).expect("the test waits");
                let waits = (0..10).take_while(|_| !second_counts.load(Ordering::Relaxed));
                waits.for_each(|_| std::thread::sleep(std::time::Duration::from_millis(50)));
            });
            let counted = kept.get(conn, &site, 0)?.at;
            conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
            Ok(counted)
        };
        server.db.read(count)
    };
    let second = async {
        begins.await.expect("the first has begun");
        let (kept, site, second_counts) = (kept.clone(), site.clone(), second_counts.clone());
        let count = move |conn: &mut Connection| {
            conn.set_instrumentation(move |_: InstrumentationEvent<'_>| second_counts.store(true, Ordering::Relaxed));
            let counted = kept.get(conn, &site, 0)?.at;
            conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
            Ok(counted)
        };
        server.db.read(count).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.expect("figures"), second.expect("the same figures"));
    assert!(!second_counts.load(Ordering::Relaxed), "the second has counted, too");
}
