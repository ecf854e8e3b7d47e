//! Failures of PostgreSQL that pass, in English and in German: the words of a server decide nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection, RunQueryDsl};
use gatepost::db::{Connection, DatabaseUrl};
use gatepost::error::Error;
use serde_json::json;

use super::assert_unavailable;
use crate::harness::postgres::{self, Server};
use crate::harness::program::Program;
use crate::harness::small_disk::SmallDisk;
use crate::harness::{TestServer, eventually, skip};

/// A server that speaks German, with a template.
fn german(test: &str) -> Option<Server> {
    let server = postgres::german();
    match &server {
        Some(server) => server.make_template(),
        None => skip(test, "the locale de_DE.UTF-8, with PostgreSQL's messages,"),
    }
    server
}

/// On a database of this server.
async fn on(database: &postgres::Database) -> TestServer {
    let url = database.url.clone();
    TestServer::start_with(|config| config.database = url).await
}

#[tokio::test]
async fn while_another_holds_a_lock_a_german_server_is_unavailable() {
    let Some(german) = german("while_another_holds_a_lock_a_german_server_is_unavailable") else { return };
    let database = german.database();
    let server = on(&database).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "before").await.status, 201);
    let mut other = PgConnection::establish(database.address()).expect("a connection");
    other.batch_execute("BEGIN; LOCK TABLE articles IN EXCLUSIVE MODE").expect("the lock");
    assert_unavailable(&server.post_article(&alice, "meanwhile").await);
    assert_eq!(server.get("/articles/", &alice).await.status, 200, "reads go on");
    other.batch_execute("ROLLBACK").expect("the lock is released");
    assert_eq!(server.post_article(&alice, "after").await.status, 201);
    assert_eq!(server.count("articles").await, 2);
}

/// A write that changes one article, waits until another has changed the other one, and then wants that too. It waits only
/// the first time.
fn change_both(
    first: i64,
    has_begun: Arc<AtomicBool>,
    both: Arc<Barrier>,
) -> impl FnOnce(&mut Connection) -> Result<(), Error> + Clone {
    move |conn: &mut Connection| {
        let change = |conn: &mut Connection, id: i64| {
            diesel::sql_query(format!("UPDATE articles SET name = name || '{first}' WHERE id = {id}")).execute(conn)
        };
        change(conn, first)?;
        if !has_begun.swap(true, Ordering::SeqCst) {
            both.wait();
        }
        change(conn, 3 - first)?;
        Ok(())
    }
}

#[tokio::test]
async fn of_two_writes_in_a_deadlock_both_succeed_on_a_german_server() {
    let Some(german) = german("of_two_writes_in_a_deadlock_both_succeed_on_a_german_server") else { return };
    let database = german.database();
    let server = on(&database).await;
    let alice = server.alice().await;
    for _ in 0..2 {
        assert_eq!(server.post_article(&alice, "x").await.status, 201);
    }
    let both = Arc::new(Barrier::new(2));
    let has_begun = Arc::new(AtomicBool::new(false));
    let one = tokio::spawn({
        let (db, write) = (server.db.clone(), change_both(1, has_begun.clone(), both.clone()));
        async move { db.write(write).await }
    });
    // Otherwise both could be in one transaction.
    eventually("the first has begun", async || has_begun.load(Ordering::SeqCst)).await;
    let other = server.db.write(change_both(2, Arc::default(), both)).await;
    assert!(other.is_ok(), "{other:?}");
    let one = one.await.expect("it has run");
    assert!(one.is_ok(), "{one:?}");
    assert_eq!(server.count("articles WHERE length(name) = 3").await, 2, "each has changed both, once");
    // A server tells of it a little later.
    let deadlocks = "pg_stat_database WHERE datname = current_database() AND deadlocks > 0";
    eventually("there was a deadlock", async || server.count(deadlocks).await == 1).await;
}

#[tokio::test]
async fn while_its_disk_is_full_a_german_server_is_unavailable_for_writes() {
    const NAME: &str = "while_its_disk_is_full_a_german_server_is_unavailable_for_writes";
    let Some(german) = german(NAME) else { return };
    let Some(disk) = SmallDisk::mount(32) else { return skip(NAME, "the right to mount a tmpfs") };
    german.own_folder(disk.path());
    german.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.path().display()));
    let database = german.empty_database();
    german.sql(&format!("ALTER DATABASE {} SET TABLESPACE small", database.name()));
    let server = on(&database).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "before").await.status, 201);
    disk.fill();
    let mut refused = None;
    // The last pages of the tables may have room left.
    for n in 0..2000 {
        let answer = server.post_article(&alice, &format!("{n}")).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    assert_unavailable(&refused.expect("the disk is full at last"));
    assert_eq!(server.get("/articles/", &alice).await.status, 200, "reads go on");
    disk.make_room();
    eventually("there is room again", async || server.post_article(&alice, "after").await.status == 201).await;
}

#[tokio::test]
async fn a_database_that_takes_no_more_connections_is_served_by_those_there_are_and_nothing_is_remembered() {
    serves_with_the_connections_there_are(postgres::shared()).await;
}

#[tokio::test]
async fn a_german_database_that_takes_no_more_connections_is_served_by_those_there_are() {
    let Some(german) = german("a_german_database_that_takes_no_more_connections_is_served_by_those_there_are") else {
        return;
    };
    serves_with_the_connections_there_are(&german).await;
}

async fn serves_with_the_connections_there_are(postgres: &Server) {
    let database = postgres.database();
    postgres.sql("CREATE ROLE crowded LOGIN");
    let rights = "GRANT ALL ON SCHEMA public TO crowded; GRANT ALL ON ALL TABLES IN SCHEMA public TO crowded; \
        GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO crowded";
    postgres::run(database.address(), rights);
    let url = DatabaseUrl::parse(&database.address().replace("postgres@", "crowded@")).expect("a URL");
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    server.post_article(&alice, "here").await.assert(201, r#"{"id":1,"name":"here"}"#);
    // Those there are stay, and there will be no other one: so the connection that watches cannot come back.
    postgres.sql("ALTER ROLE crowded CONNECTION LIMIT 1");
    postgres.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'crowded' AND query ~ 'pg_current_snapshot|pg_database_size'",
    );
    eventually("the watch is lost", async || server.db.version().is_none()).await;
    for name in ["elsewhere", "elsewhere, again"] {
        postgres::run(database.address(), &format!("UPDATE articles SET name = '{name}'"));
        server.get("/articles/", &alice).await.assert(200, &format!(r#"[{{"id":1,"name":"{name}"}}]"#));
    }
    assert_eq!(server.post_article(&alice, "more").await.status, 201);
    assert_eq!(server.get("/readyz", "").await.status, 200);
    // Where no connection is left, nobody waits for one.
    postgres.sql("ALTER ROLE crowded CONNECTION LIMIT 0");
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'crowded'");
    eventually("requests are told at once", async || {
        let started = Instant::now();
        let answer = server.get("/articles/", &alice).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        started.elapsed() < Duration::from_secs(1)
    })
    .await;
    postgres.sql("ALTER ROLE crowded CONNECTION LIMIT -1");
    eventually("the watch is back", async || server.db.version().is_some()).await;
    eventually("it reads", async || server.get("/articles/", &alice).await.status == 200).await;
}

#[tokio::test]
async fn a_primary_that_has_become_a_standby_is_read_and_not_written() {
    is_read_and_not_written(Server::start(&[])).await;
}

#[tokio::test]
async fn a_german_primary_that_has_become_a_standby_is_read_and_not_written() {
    let Some(german) = german("a_german_primary_that_has_become_a_standby_is_read_and_not_written") else { return };
    is_read_and_not_written(german).await;
}

async fn is_read_and_not_written(mut postgres: Server) {
    let url = DatabaseUrl::parse(&postgres.url("postgres")).expect("a URL");
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    eventually("it is ready", async || server.fetch("/readyz").await.status == 200).await;
    assert_eq!(server.get("/articles/", &alice).await.status, 200, "the first token is linked");
    postgres.stop();
    postgres.become_standby();
    postgres.resume();
    eventually("it reads", async || server.get("/articles/", &alice).await.status == 200).await;
    // Whether it takes writes is asked every five seconds.
    eventually("it is not ready", async || server.fetch("/readyz").await.status == 503).await;
    let ready = server.fetch("/readyz").await;
    assert_eq!((ready.status, &ready.json()["checks"]["database"]), (503, &json!("read-only")));
    assert_eq!(ready.header("retry-after"), "5");
    let answer = server.call("POST", "/articles/").token(&alice).json(r#"{"name":"x"}"#).send().await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{answer:?}");
    assert_eq!(answer.header("retry-after"), "5");
    let program = Program::new().set("DATABASE_URL", &postgres.url("postgres"));
    let checked = program.run(&["check"]).await;
    assert!(checked.code == Some(1) && checked.stdout.contains("FAIL  database "), "{checked:?}");

    postgres.sql("SELECT pg_promote()");
    eventually("it is ready again", async || server.fetch("/readyz").await.status == 200).await;
    let answer = server.call("POST", "/articles/").token(&alice).json(r#"{"name":"x"}"#).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
}
