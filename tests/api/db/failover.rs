//! The loss of a primary: a standby takes over.

use std::time::{Duration, Instant};

use gatepost::db::DatabaseUrl;
use serde_json::json;
use tokio::net::TcpListener;

use super::postgres::{post_until, sorted_names};
use crate::harness::postgres::{self, Server};
use crate::harness::{TestServer, assert_has, eventually};

/// After the promotion: ten times what it takes, because the machine may be busy.
const AT_MOST: Duration = Duration::from_secs(5);

/// A URL with both hosts, of which libpq takes the one that can be written.
fn url_of(one: &Server, other: &Server) -> DatabaseUrl {
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", one.port(), other.port());
    DatabaseUrl::parse(&format!("postgres://postgres@{hosts}/postgres?target_session_attrs=read-write")).expect("a URL")
}

/// Waits until the standby has what the primary has committed, or fails after a while.
async fn streams(primary: &Server, state: &str) {
    let url = DatabaseUrl::parse(&primary.url("postgres")).expect("a URL");
    let query = format!("pg_stat_replication WHERE state = 'streaming' AND sync_state = '{state}'");
    eventually("the standby receives all", async || postgres::count(&url, &query) == 1).await;
}

#[tokio::test]
async fn when_the_primary_is_killed_under_load_a_standby_takes_over_and_no_acknowledged_article_is_lost() {
    let primary = Server::start(&[]);
    let standby = primary.standby();
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    primary.sql("SELECT pg_reload_conf()");
    streams(&primary, "sync").await;
    let url = url_of(&primary, &standby);
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let clients: Vec<_> =
        (0..4).map(|n| post_until(stopped.clone(), server.address, &alice, format!("client-{n}"))).collect();
    eventually("articles come", async || server.count("articles").await > 50).await;
    primary.signal("KILL");
    eventually("it is not ready", async || server.fetch("/readyz").await.status == 503).await;
    let ready = server.fetch("/readyz").await;
    assert_eq!((ready.status, &ready.json()["checks"]["database"]), (503, &json!("unavailable")));
    assert_eq!(server.get("/articles/", &alice).await.status, 503, "nothing is remembered that may be lost");

    standby.sql("SELECT pg_promote()");
    let promoted = Instant::now();
    // Each time another name: a write that was not acknowledged may have been committed.
    let mut names = (0..).map(|n| format!("again-{n}"));
    while server.post_article(&alice, &names.next().unwrap_or_default()).await.status != 201 {
        assert!(promoted.elapsed() < AT_MOST, "it does not go on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("writes go on {:?} after the promotion", promoted.elapsed());
    server.ready().await;
    stop.send(true).expect("the clients listen");
    let names = {
        let mut acknowledged = Vec::new();
        for client in clients {
            let (names, others) = client.await.expect("the client lives");
            acknowledged.extend(names);
            assert!(others.iter().all(|status| *status == 503), "{others:?}");
        }
        acknowledged
    };
    let kept: Vec<String> = sorted_names(&server.db).await;
    let lost: Vec<_> = names.iter().filter(|name| kept.binary_search(name).is_err()).collect();
    assert!(lost.is_empty(), "of {} acknowledged articles these are lost: {lost:?}", names.len());
    let list = server.get("/articles/?limit=1", &alice).await;
    assert_eq!(list.header("x-total-count"), kept.len().to_string(), "the list is that of the new primary");
}

#[tokio::test]
async fn a_server_starts_though_the_first_of_two_hosts_is_silent() {
    let (silent, primary) = (TcpListener::bind("127.0.0.1:0").await.expect("a port"), Server::start(&[]));
    let silent_port = silent.local_addr().expect("an address").port();
    let hosts = format!("127.0.0.1:{silent_port},127.0.0.1:{}", primary.port());
    let url = format!("postgres://postgres@{hosts}/postgres?target_session_attrs=read-write&connection_limit=3");
    let server = TestServer::start_with(|config| config.database = DatabaseUrl::parse(&url).expect("a URL")).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "kept").await.status, 201);
}

/// Whether the article is shown that the new primary lacks.
async fn is_shown(server: &TestServer, token: &str) -> bool {
    server.get("/articles/", token).await.text().contains("lost")
}

#[tokio::test]
async fn what_a_standby_had_not_received_is_lost_without_synchronous_standbys_and_not_shown_either() {
    let primary = Server::start(&[]);
    let standby = primary.standby();
    let url = url_of(&primary, &standby);
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "kept").await.status, 201);
    let of_standby = DatabaseUrl::parse(&standby.url("postgres")).expect("a URL");
    eventually("the standby has the article", async || postgres::replayed(&of_standby, "articles") == Some(1)).await;
    standby.sql("ALTER SYSTEM SET primary_conninfo = ''");
    standby.sql("SELECT pg_reload_conf()");
    let receivers = "pg_stat_wal_receiver";
    eventually("it receives no more", async || postgres::count(&of_standby, receivers) == 0).await;
    assert_eq!(server.post_article(&alice, "lost").await.status, 201, "nothing waits for the standby");
    for _ in 0..3 {
        assert_has(&server.get("/articles/", &alice).await.text(), &["kept", "lost"]);
    }
    primary.signal("KILL");
    standby.sql("SELECT pg_promote()");
    // Until the loss is noticed, for less than a second, what is remembered is shown.
    eventually("the loss is noticed", async || {
        server.fetch("/readyz").await.status == 503 || !is_shown(&server, &alice).await
    })
    .await;
    eventually("it is ready", async || server.fetch("/readyz").await.status == 200).await;
    server.get("/articles/", &alice).await.assert(200, r#"[{"id":1,"name":"kept"}]"#);
    assert_eq!(server.post_article(&alice, "after").await.status, 201);
    let list = server.get("/articles/", &alice).await;
    assert_eq!(list.header("x-total-count"), "2");
    assert_has(&list.text(), &["kept", "after"]);
}
