//! PgBouncer in transaction mode: each transaction may run in another session of the server.

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection, RunQueryDsl};
use futures_util::future::join_all;
use gatepost::db::DatabaseUrl;
use tempfile::TempDir;

use crate::harness::client::Call;
use crate::harness::postgres::{PgBouncer, Server};
use crate::harness::program::{Program, Serving};
use crate::harness::{TestServer, assert_has, assert_lacks, eventually, skip};

/// A server of its own, and PgBouncer in front of it.
fn pooled(test: &str) -> Option<(Server, PgBouncer)> {
    let server = Server::start(&[]);
    let bouncer = server.pgbouncer();
    if bouncer.is_none() {
        skip(test, "pgbouncer");
    }
    bouncer.map(|bouncer| (server, bouncer))
}

#[tokio::test]
async fn a_pooler_that_the_url_does_not_mention_is_found_at_the_start() {
    const NAME: &str = "a_pooler_that_the_url_does_not_mention_is_found_at_the_start";
    let Some((server, bouncer)) = pooled(NAME) else { return };
    let program = Program::new().set("DATABASE_URL", &bouncer.url("postgres", ""));
    let problem = "add `pool_mode=transaction` to the URL";
    let checked = program.run(&["check"]).await;
    assert!(checked.code == Some(1) && checked.stdout.contains(problem), "{checked:?}");
    program.run(&["serve"]).await.assert_error(problem);
    let program = program.set("DATABASE_URL", &bouncer.url("postgres", "?pool_mode=transaction"));
    program.run(&["check"]).await.success();
    // There is none.
    Program::new().set("DATABASE_URL", &server.url("postgres")).run(&["check"]).await.success();
    // What a transaction cannot be given each time.
    server.sql("ALTER ROLE postgres SET array_nulls = off");
    server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'postgres'",
    );
    program.run(&["migrate"]).await.assert_error("the role or the database changes array_nulls");
}

#[tokio::test]
async fn servers_that_start_at_once_behind_pgbouncer_migrate_once_and_serve() {
    const NAME: &str = "servers_that_start_at_once_behind_pgbouncer_migrate_once_and_serve";
    let Some((_server, bouncer)) = pooled(NAME) else { return };
    let folder = TempDir::new().expect("a folder");
    let program = Program::within(folder.path());
    let program = program.set("DATABASE_URL", &bouncer.url("postgres", "?pool_mode=transaction"));
    // The pool's keys are there before, as an administrator would see to.
    let token = program.run(&["token", "admin@example.com"]).await.success().trim().to_owned();
    let serving = join_all((0..3).map(|_| program.serve())).await;
    let log: String = serving.iter().map(Serving::stderr).collect();
    assert_eq!(log.matches("migrations applied").count(), 1, "{log}");
    let post = |n: usize| {
        let address = serving[n % 3].address;
        let body = format!(r#"{{"name":"{n}"}}"#);
        Call::new(address, "POST", "/articles/").token(&token).json(body).send()
    };
    for answers in [join_all((0..60).map(post)).await, join_all((0..60).map(post)).await] {
        assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    }
    for one in &serving {
        eventually("each sees all", async || {
            let list = Call::new(one.address, "GET", "/articles/?limit=1").token(&token).send().await;
            list.status == 200 && list.header("x-total-count") == "120"
        })
        .await;
        assert_lacks(&one.stderr(), &["prepared statement", "ERROR"]);
    }
}

#[tokio::test]
async fn nothing_of_a_session_reaches_another_client_of_pgbouncer() {
    const NAME: &str = "nothing_of_a_session_reaches_another_client_of_pgbouncer";
    let Some((_server, bouncer)) = pooled(NAME) else { return };
    let url = DatabaseUrl::parse(&bouncer.url("postgres", "?pool_mode=transaction")).expect("a URL");
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    for n in 0..20 {
        assert_eq!(server.post_article(&alice, &n.to_string()).await.status, 201);
        assert_eq!(server.get(&format!("/articles/?limit={}", n + 1), &alice).await.status, 200);
    }
    let lock = server.db.try_lock("sync").await.expect("the lock");
    assert!(lock.is_some() && server.db.try_lock("sync").await.expect("an answer").is_none());
    drop(lock);
    eventually("the lock is free", async || server.db.try_lock("sync").await.expect("an answer").is_some()).await;
    let mut others: Vec<PgConnection> =
        (0..8).map(|_| PgConnection::establish(&bouncer.url("postgres", "")).expect("a connection")).collect();
    for other in &mut others {
        other.batch_execute("BEGIN").expect("a transaction in each session");
        for (setting, value) in
            [("transaction_isolation", "read committed"), ("transaction_read_only", "off"), ("lock_timeout", "0")]
        {
            let query = format!("SELECT current_setting('{setting}') AS value");
            let row: Setting = diesel::sql_query(query).get_result(other).expect("a setting");
            assert_eq!(row.value, value, "{setting}");
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Setting {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

#[tokio::test]
async fn while_the_server_behind_pgbouncer_is_away_requests_are_told_to_come_back() {
    const NAME: &str = "while_the_server_behind_pgbouncer_is_away_requests_are_told_to_come_back";
    let Some((mut postgres, bouncer)) = pooled(NAME) else { return };
    let url = DatabaseUrl::parse(&bouncer.url("postgres", "?pool_mode=transaction")).expect("a URL");
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "before").await.status, 201);
    postgres.stop();
    eventually("requests are refused", async || server.post_article(&alice, "away").await.status == 503).await;
    eventually("it is not ready", async || server.fetch("/readyz").await.status == 503).await;
    postgres.resume();
    eventually("it is ready again", async || server.fetch("/readyz").await.status == 200).await;
    eventually("it writes", async || server.post_article(&alice, "after").await.status == 201).await;
    let names = server.get("/articles/", &alice).await.text();
    assert_has(&names, &["before", "after"]);
}
