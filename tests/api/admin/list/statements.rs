//! How many statements a list takes, and what its filters count among many rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::Connection as _;
use diesel::connection::InstrumentationEvent;
use gatepost::admin::ModelAdmin;
use gatepost::admin::history::model::HistoryAdmin;
use gatepost::admin::list::facets::facets;
use gatepost::admin::list::matches::Matches;
use gatepost::admin::list::page::Page;
use gatepost::admin::list::query::ChangeListQuery;
use gatepost::articles::admin::ARTICLES;
use gatepost::db::Connection;
use gatepost::users::admin::UserAdmin;

use crate::harness::html::facet;
use crate::harness::{TestServer, ago};

async fn statements(server: &TestServer, model: &'static dyn ModelAdmin, query: &str) -> usize {
    let query = query.to_owned();
    let read = move |conn: &mut Connection| {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        let options = model.options();
        let list = ChangeListQuery::parse(conn, options, &query)?;
        let matches = Matches::of(conn, options, &list)?;
        Page::read(conn, options, &[options.model.title], &list, &matches)?;
        facets(conn, options, &list, &matches)?;
        conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
        Ok(count.load(Ordering::Relaxed))
    };
    let count = server.db.read(read).await.expect("a list");
    assert!(count > 0, "statements are counted");
    count
}

#[tokio::test]
async fn a_list_takes_as_many_statements_for_one_value_of_a_filter_as_for_many() {
    static ARTICLE_ADMIN: &gatepost::admin::model_admin::Options = &ARTICLES;
    let (server, mut root) = TestServer::with_superuser().await;
    let names = ["ada", "bob", "cyd", "dan"];
    for name in names {
        server.user(name).await;
    }
    server.groups(&["A", "B", "C", "D"]).await;
    server.sql("INSERT INTO articles (name, created_by, created_at, updated_at) SELECT username, id, date_joined, date_joined FROM users").await;
    for action in ["deactivate", "activate"] {
        let fields = [("action", action), ("post", "yes"), ("_selected_action", "2"), ("_selected_action", "3")];
        assert_eq!(root.post("/admin/users/", &fields).await.status, 303);
    }
    let batches = server.texts("SELECT DISTINCT batch FROM changed_rows").await;
    let batches: Vec<&str> = batches.iter().map(String::as_str).collect();
    let lists: [(&'static dyn ModelAdmin, &str, &[&str]); 5] = [
        (&UserAdmin, "groups", &["1", "2", "3", "4", "none"]),
        (&UserAdmin, "origin", &["admin", "command_line", "first_token", "pool_sync"]),
        (&ARTICLE_ADMIN, "author", &["2", "3", "4", "5"]),
        (&HistoryAdmin, "actor_id", &["1", "2", "3"]),
        (&HistoryAdmin, "batch", &batches),
    ];
    for (model, filter, values) in lists {
        let query: Vec<String> = values.iter().map(|value| format!("{filter}={value}")).collect();
        let one = statements(&server, model, &query[0]).await;
        assert_eq!(statements(&server, model, &query.join("&")).await, one, "{filter}");
    }
}

#[tokio::test]
async fn a_list_takes_few_statements_however_many_filters_are_chosen() {
    let (server, _root) = TestServer::with_superuser().await;
    server.groups(&["A", "B"]).await;
    let none = statements(&server, &UserAdmin, "").await;
    let all = "active=yes&staff=yes&superuser=yes&cognito=none&groups=1&groups=none&origin=admin&origin=command_line\
               &joined=year&joined__gte=2020-01-01&joined__lte=2199-01-01&seen=never&seen=not90&q=root";
    let many = statements(&server, &UserAdmin, all).await;
    // One for each of the eight filters, and a few for the rows, their number and the groups.
    assert!(none <= 14 && many <= 16, "{none} without filters, {many} with all");
}

/// 10,500 users: more than a filter looks at. The last two are inactive, and the last three were never staff.
async fn with_many_users() -> TestServer {
    let server = TestServer::start().await;
    let many = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1001 UNION ALL SELECT n + 1 FROM numbers WHERE n < 11500)
         INSERT INTO users (id, username, email, first_name, last_name, is_active, is_staff, is_superuser, date_joined, origin)
         SELECT n, 'many' || n, '', '', '', n < 11499, n < 11498, FALSE, {}, 'admin' FROM numbers",
        ago(60)
    );
    server.sql(many).await;
    server
}

#[tokio::test]
async fn few_rows_among_many_are_counted_to_the_last() {
    let server = with_many_users().await;
    let mut root = server.superuser().await;
    let html = root.page("/admin/users/?active=yes&joined=day").await;
    assert_eq!(facet(&html, "Active"), ["Yes 1,000+", "No 2"]);
    assert_eq!(facet(&html, "Staff"), ["Yes 1,000+", "No 1"]);
    let html = root.page("/admin/users/?active=no&staff=no").await;
    assert_eq!(facet(&html, "Active"), ["Yes 1", "No 2"]);
    assert_eq!(facet(&html, "Staff"), ["Yes 0", "No 2"]);
    let html = root.page("/admin/users/?active=yes&staff=yes&q=many").await;
    assert_eq!(facet(&html, "Active"), ["Yes 1,000+", "No"], "a search for words ends after the first rows");
}
