//! The latest changes on the home page, after batches of many rows.

use std::sync::{Arc, Mutex};

use diesel::Connection as _;
use diesel::connection::InstrumentationEvent;
use diesel::sql_types::BigInt;
use gatepost::admin::model_admin::Staff;
use gatepost::admin::recent_changes;
use gatepost::db::rows::{self, Sql};
use gatepost::db::{Connection, DatabaseUrl};

use super::home::lines;
use crate::harness::TestServer;

diesel::define_sql_function! {
    /// Counts the entries that a statement looks at.
    fn counted(id: BigInt) -> Bool;
}

/// Deletes `count` articles that never were, `each` of them at once, before another batch deletes as many.
async fn two_batches(server: &TestServer, count: u32, each: u32) {
    let batch = format!("CASE WHEN n / {each} % 2 = 0 THEN 'one' ELSE 'two' END");
    server
        .sql(format!(
            "INSERT INTO history (at, actor, source, action, model, object_id, object, changes, batch)
             WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {})
             SELECT '2026-01-02 03:04:05', {batch}, 'admin', 'deleted', 'article', n, 'Article ' || n, '{{}}', {batch}
             FROM n ORDER BY n",
            2 * count
        ))
        .await;
}

/// One change alone, in the place of the `nth` entry of a batch.
async fn alone_among(server: &TestServer, nth: u32) {
    server
        .sql(format!(
            "UPDATE history SET batch = NULL, actor = 'someone', object = 'Alone'
             WHERE id = (SELECT id FROM history WHERE batch = 'one' ORDER BY id LIMIT 1 OFFSET {nth})"
        ))
        .await;
}

#[tokio::test]
async fn batches_of_any_size_leave_room_for_what_was_before_them() {
    let (server, mut root) = TestServer::with_superuser().await;
    two_batches(&server, 3_000, 10_000).await;
    let html = root.page("/admin/").await;
    let expected = ["one deleted 6,000 articles In the admin site", "root Created on the command line"];
    assert_eq!(lines(&html, "all"), expected);
}

#[tokio::test]
async fn what_was_written_between_the_entries_of_two_batches_is_shown() {
    let (server, mut root) = TestServer::with_superuser().await;
    two_batches(&server, 6_000, 200).await;
    alone_among(&server, 4_321).await;
    server.sql("DELETE FROM history WHERE id = (SELECT min(id) FROM history WHERE batch = 'two')").await;
    let html = root.page("/admin/").await;
    let expected = [
        "two deleted 5,999 articles In the admin site",
        "one deleted 5,999 articles In the admin site",
        "Alone Deleted by someone in the admin site",
        "root Created on the command line",
    ];
    assert_eq!(lines(&html, "all"), expected);
}

#[tokio::test]
async fn a_batch_is_stepped_over_without_reading_its_entries() {
    let (server, _) = TestServer::with_superuser().await;
    two_batches(&server, 20_000, 5_000).await;
    alone_among(&server, 12_345).await;
    let work = Arc::new(Mutex::new(Work::default()));
    let counting = work.clone();
    let read = move |conn: &mut Connection| {
        let condition = count_work(conn, &counting);
        let lines = recent_changes::lines(conn, &gatepost::server::site(), &Staff::command_line(), &condition)?;
        conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
        Ok(lines.len())
    };
    assert_eq!(server.db.read(read).await.expect("lines"), 4);
    let Work { entries, statements } = work.lock().expect("no panic").clone();
    assert!((10..200).contains(&statements.len()), "{}", statements.len());
    if matches!(server.db.url(), DatabaseUrl::Sqlite(_)) {
        assert!((100..2_000).contains(&entries), "{entries} of 40,000 entries");
        for statement in statements {
            let explain = Sql::new(format!("EXPLAIN QUERY PLAN {}", statement.replace("counted(id)", "1")));
            let plan = server.db.read(move |conn| Ok(rows::load(conn, explain)?)).await.expect("a plan");
            let plan: Vec<&str> = plan.iter().filter_map(|step| step.last()?.as_str()).collect();
            let is_by_batch = statement.contains("batch = ?");
            let reads = plan.iter().filter(|step| step.split(' ').nth(1) == Some("history"));
            for step in reads {
                let index = if is_by_batch {
                    "USING COVERING INDEX history_batch (batch=?"
                } else {
                    "USING INTEGER PRIMARY KEY"
                };
                assert!(step.starts_with("SEARCH history") && step.contains(index), "{statement}: {plan:?}");
            }
        }
    }
}

#[derive(Clone, Default)]
struct Work {
    /// Those that a condition was asked about.
    entries: usize,
    statements: Vec<String>,
}

/// Returns a condition that every entry fulfils. PostgreSQL has no function of ours that could count them.
fn count_work(conn: &mut Connection, work: &Arc<Mutex<Work>>) -> Sql {
    let (of_statements, of_entries) = (work.clone(), work.clone());
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string().split(" -- binds").next().unwrap_or_default().to_owned();
            of_statements.lock().expect("no panic").statements.push(text);
        }
    });
    match conn {
        Connection::Sqlite(conn) => {
            let count = move |_: i64| {
                of_entries.lock().expect("no panic").entries += 1;
                true
            };
            counted_utils::register_nondeterministic_impl(conn, count).expect("a function");
            Sql::new("counted(id)")
        }
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => Sql::all([]),
    }
}
