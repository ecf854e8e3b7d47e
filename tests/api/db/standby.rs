//! Lists from a standby (`DATABASE_READ_URL`): when it answers, and when it must not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use gatepost::db::DatabaseUrl;

use super::postgres::post_until;
use crate::harness::client::Answer;
use crate::harness::postgres::{self, Server};
use crate::harness::program::{Outcome, Program};
use crate::harness::{TestServer, assert_has, assert_lacks, eventually, log_watch, skip};

/// How long an answer may take though the standby is silent: five times what it takes, because the machine may be busy.
const AT_MOST: Duration = Duration::from_secs(5);

fn parsed(url: &str) -> DatabaseUrl {
    DatabaseUrl::parse(url).expect("a URL")
}

/// Gatepost with these databases, and with metrics.
async fn gatepost(primary: &str, standby: &str) -> TestServer {
    let (primary, standby) = (parsed(primary), parsed(standby));
    TestServer::start_with(|config| {
        config.database = primary;
        config.read_database = Some(standby);
        config.metrics_address = Some(([127, 0, 0, 1], 0).into());
    })
    .await
}

/// The three of most tests. The server stops first.
struct Trio {
    server: TestServer,
    standby: Server,
    _primary: Server,
    alice: String,
}

impl Trio {
    /// Started, and the standby has answered.
    async fn start() -> Trio {
        let primary = Server::start(&[]);
        let standby = primary.standby();
        let server = gatepost(&primary.url("postgres"), &standby.url("postgres")).await;
        let alice = server.alice().await;
        let trio = Trio { server, standby, _primary: primary, alice };
        trio.standby_answers().await;
        trio
    }

    async fn standby_answers(&self) {
        standby_answers(&self.server, &self.alice).await;
    }

    /// The standby replays nothing any more.
    async fn pause(&self) {
        self.standby.sql("SELECT pg_wal_replay_pause()");
        let url = parsed(&self.standby.url("postgres"));
        let state = "pg_get_wal_replay_pause_state() state WHERE state = 'paused'";
        eventually("the replay is paused", async || postgres::count(&url, state) == 1).await;
    }

    fn resume(&self) {
        self.standby.sql("SELECT pg_wal_replay_resume()");
    }

    /// How many lines about the standby have these words.
    fn logged(&self, words: &str) -> usize {
        let name = format!("the standby postgres://postgres@127.0.0.1:{}/", self.standby.port());
        log_watch::lines().iter().filter(|line| line.contains(&name) && line.contains(words)).count()
    }
}

async fn metrics(server: &TestServer) -> String {
    let url = format!("http://{}/metrics", server.metrics.expect("an address of their own"));
    reqwest::get(url).await.expect("the metrics").text().await.expect("a text")
}

/// How many lists the primary or the standby has answered.
async fn lists(server: &TestServer, from: &str) -> u64 {
    let sample = format!("gatepost_db_list_reads_total{{server=\"{from}\"}} ");
    let metrics = metrics(server).await;
    let value = metrics.lines().find_map(|line| line.strip_prefix(&sample));
    value.unwrap_or_else(|| panic!("{sample} is missing: {metrics}")).parse().expect("a number")
}

/// All articles, at a URL that was not asked for before, so that no page is remembered. Half of them are long pages.
async fn list(server: &TestServer, token: &str) -> Answer {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let n = NUMBER.fetch_add(1, Ordering::Relaxed);
    let limit = if n.is_multiple_of(2) { 100 - (n / 2) % 80 } else { 101 + (n / 2) % 800 };
    let answer = server.get(&format!("/articles/?limit={limit}"), token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

async fn standby_answers(server: &TestServer, token: &str) {
    eventually("the standby answers", async || {
        let before = lists(server, "standby").await;
        list(server, token).await;
        lists(server, "standby").await > before
    })
    .await;
}

#[tokio::test]
async fn a_standby_that_has_everything_answers_lists_and_searches_and_nothing_else() {
    let primary = Server::start(&[]);
    let standby = primary.standby();
    standby.sql("ALTER SYSTEM SET log_statement = 'all'");
    standby.sql("SELECT pg_reload_conf()");
    let server = gatepost(&primary.url("postgres"), &standby.url("postgres")).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "one").await.status, 201);
    standby_answers(&server, &alice).await;
    assert_eq!(server.get("/articles/?search=one", &alice).await.names(), ["one"]);
    assert_eq!(server.get("/articles/1/", &alice).await.status, 200);
    server.me(&alice).await;
    standby_answers(&server, &alice).await;
    let log = standby.log();
    assert_has(&log, &["REPEATABLE READ, READ ONLY", "FROM articles"]);
    assert_lacks(&log, &["users", "sessions", "permissions"]);
}

#[tokio::test]
async fn without_the_setting_no_server_is_asked_for_its_position() {
    let primary = Server::start(&[("log_statement", "all")]);
    let url = parsed(&primary.url("postgres"));
    let server = TestServer::start_with(|config| {
        config.database = url;
        config.metrics_address = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    let alice = server.alice().await;
    list(&server, &alice).await;
    assert_has(&primary.log(), &["FROM articles"]);
    assert_lacks(&primary.log(), &["pg_control", "wal_"]);
    assert_lacks(&metrics(&server).await, &["gatepost_db_list_reads_total"]);
}

#[tokio::test]
async fn what_was_created_is_listed_at_once_though_the_standby_lags() {
    let trio = Trio::start().await;
    let Trio { server, alice, .. } = &trio;
    assert_eq!(list(server, alice).await.names().len(), 0);
    trio.pause().await;
    let before = lists(server, "standby").await;
    for (n, name) in ["one", "two", "three"].into_iter().enumerate() {
        assert_eq!(server.post_article(alice, name).await.status, 201);
        for _ in 0..3 {
            assert_eq!(list(server, alice).await.names().len(), n + 1, "{name}");
        }
        assert_eq!(server.get(&format!("/articles/?search={name}"), alice).await.names(), [name]);
    }
    assert_eq!(lists(server, "standby").await, before, "the standby does not have them");
    trio.resume();
    trio.standby_answers().await;
    assert_eq!(list(server, alice).await.names().len(), 3);
}

#[tokio::test]
async fn what_another_server_has_created_is_listed_within_a_second_though_the_standby_lags() {
    let trio = Trio::start().await;
    let Trio { server, alice, .. } = &trio;
    let other = server.second().await;
    trio.standby_answers().await;
    trio.pause().await;
    assert_eq!(other.post_article(alice, "one").await.status, 201);
    // Remembered or not.
    for path in ["/articles/", "/articles/?search=one"] {
        eventually("it is listed", async || server.get(path, alice).await.names() == ["one"]).await;
    }
    for _ in 0..5 {
        assert_eq!(list(server, alice).await.names(), ["one"], "it does not vanish again");
    }
}

#[tokio::test]
async fn a_deactivated_user_is_refused_at_once_though_active_on_the_standby() {
    let trio = Trio::start().await;
    let Trio { server, alice, .. } = &trio;
    trio.pause().await;
    server.sql("UPDATE users SET is_active = false").await;
    for path in ["/articles/", "/articles/?limit=3", "/articles/?search=x", "/me/"] {
        assert_eq!(server.get(path, alice).await.code(), "user_inactive", "{path}");
    }
    assert_eq!(postgres::count(&parsed(&trio.standby.url("postgres")), "users WHERE is_active"), 1);
}

#[tokio::test]
async fn while_the_standby_is_away_the_primary_answers() {
    let mut trio = Trio::start().await;
    assert_eq!(trio.server.post_article(&trio.alice, "one").await.status, 201);
    trio.standby.signal("KILL");
    eventually("it is noticed", async || {
        assert_eq!(list(&trio.server, &trio.alice).await.names(), ["one"]);
        trio.logged("lists are read from the primary") == 1
    })
    .await;
    let before = lists(&trio.server, "primary").await;
    for n in 1..=10 {
        assert_eq!(list(&trio.server, &trio.alice).await.names(), ["one"]);
        assert_eq!(lists(&trio.server, "primary").await, before + n);
        assert_eq!(trio.server.fetch("/readyz").await.status, 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(trio.logged("lists are read from the primary"), 1, "the log says so once");
    trio.standby.stop();
    trio.standby.resume();
    trio.standby_answers().await;
    assert_eq!(trio.logged("lists are read from the standby"), 2, "at the start, and again");
}

#[tokio::test]
async fn while_the_standby_is_silent_the_primary_answers_everyone_soon() {
    let trio = Trio::start().await;
    let Trio { server, alice, .. } = &trio;
    // As many connections as there may be. All of them will be silent.
    join_all((0..60).map(|_| list(server, alice))).await;
    trio.standby.signal("STOP");
    // More than there are threads, and each page is another one.
    let crowd = join_all((0..60).map(|_| list(server, alice)));
    let others = join_all((0..20).map(|_| server.get("/articles/1/", alice)));
    let both = async { tokio::join!(crowd, others) };
    tokio::time::timeout(AT_MOST, both).await.expect("nobody waits for the standby");
    tokio::time::timeout(AT_MOST, list(server, alice)).await.expect("nor afterwards");
    assert_eq!(server.fetch("/readyz").await.status, 200);
    assert_eq!((trio.logged("it does not answer"), trio.logged("lists are read from the primary")), (1, 1));
    trio.standby.signal("CONT");
    trio.standby_answers().await;
}

#[tokio::test]
async fn a_page_and_its_total_are_of_one_moment_while_another_server_writes() {
    let trio = Trio::start().await;
    let Trio { server, alice, .. } = &trio;
    let other = server.second().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let clients: Vec<_> =
        (0..4).map(|n| post_until(stopped.clone(), other.address, alice, format!("client-{n}"))).collect();
    let before = lists(server, "standby").await;
    for limit in 500..700 {
        let page = server.get(&format!("/articles/?search=client&limit={limit}"), alice).await;
        let total: usize = page.header("x-total-count").parse().unwrap_or_else(|_| panic!("{page:?}"));
        assert_eq!(page.names().len(), total.min(limit));
    }
    stop.send(true).expect("the clients listen");
    for client in clients {
        client.await.expect("the client lives");
    }
    assert!(lists(server, "standby").await > before, "the standby has answered some of them");
}

#[tokio::test]
async fn a_page_and_its_etag_are_the_same_from_both() {
    let trio = Trio::start().await;
    let Trio { server, alice, .. } = &trio;
    server.articles(&["one", "two", "three"]).await;
    trio.standby_answers().await;
    let standbys = lists(server, "standby").await;
    let of_standby = server.get("/articles/?limit=2", alice).await;
    assert_eq!(lists(server, "standby").await, standbys + 1);
    trio.pause().await;
    // It changes no list, but the page is not remembered any more.
    server.sql("UPDATE users SET last_name = 'x'").await;
    let primaries = lists(server, "primary").await;
    let of_primary = server.get("/articles/?limit=2", alice).await;
    assert_eq!(lists(server, "primary").await, primaries + 1);
    for header in ["etag", "link", "x-total-count"] {
        assert!(!of_standby.header(header).is_empty());
        assert_eq!(of_standby.header(header), of_primary.header(header));
    }
    assert_eq!(of_standby.text(), of_primary.text());
    let again =
        server.call("GET", "/articles/?limit=2").token(alice).header("if-none-match", of_standby.header("etag"));
    assert_eq!(again.status().await, 304);
}

#[tokio::test]
async fn a_cursor_of_one_leads_on_at_the_other() {
    let trio = Trio::start().await;
    let Trio { server, alice, .. } = &trio;
    let names: Vec<String> = (0..20).map(|n| format!("{n:02}")).collect();
    server.articles(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (standbys, primaries) = (lists(server, "standby").await, lists(server, "primary").await);
    let (mut found, mut next) = (Vec::new(), Some("/articles/?limit=3&ordering=name".to_owned()));
    while let Some(path) = next {
        if found.len() % 2 == 0 {
            trio.pause().await;
            server.sql("UPDATE users SET last_name = 'x'").await;
        } else {
            trio.resume();
            trio.standby_answers().await;
        }
        let page = server.get(&path, alice).await;
        found.extend(page.names());
        next = page.link("next").map(|link| link.replace(&format!("http://{}", server.address), ""));
    }
    assert_eq!(found, names);
    assert!(lists(server, "standby").await > standbys && lists(server, "primary").await > primaries);
}

/// Both hosts, of which libpq takes the one that can be written.
fn either(one: &Server, other: &Server) -> String {
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", one.port(), other.port());
    format!("postgres://postgres@{hosts}/postgres?target_session_attrs=read-write")
}

async fn lose(primary: &Server, server: &TestServer) {
    primary.signal("KILL");
    eventually("it is not ready", async || server.fetch("/readyz").await.status == 503).await;
}

#[tokio::test]
async fn a_standby_that_takes_over_answers_as_the_primary() {
    let primary = Server::start(&[]);
    let standby = primary.standby();
    let server = gatepost(&either(&primary, &standby), &standby.url("postgres")).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "one").await.status, 201);
    standby_answers(&server, &alice).await;
    lose(&primary, &server).await;
    assert_eq!(server.get("/articles/?limit=5", &alice).await.status, 503, "nobody can tell who may enter");
    standby.sql("SELECT pg_promote()");
    server.ready().await;
    let before = lists(&server, "standby").await;
    assert_eq!(server.post_article(&alice, "two").await.status, 201);
    for _ in 0..5 {
        assert_eq!(list(&server, &alice).await.names(), ["one", "two"]);
    }
    assert_eq!(lists(&server, "standby").await, before, "it is no standby any more");
    let name = format!("the standby {}: it is no standby", standby.url("postgres"));
    eventually("the log says so", async || log_watch::lines().iter().any(|line| line.contains(&name))).await;
}

#[tokio::test]
async fn a_standby_that_follows_the_new_primary_answers_again() {
    let primary = Server::start(&[]);
    let (reader, heir) = (primary.standby(), primary.standby());
    let server = gatepost(&either(&primary, &heir), &reader.url("postgres")).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "one").await.status, 201);
    for standby in [&reader, &heir] {
        let url = parsed(&standby.url("postgres"));
        eventually("each standby has it", async || postgres::replayed(&url, "articles") == Some(1)).await;
    }
    lose(&primary, &server).await;
    heir.sql("SELECT pg_promote()");
    let follow = format!("host=127.0.0.1 port={} user=postgres", heir.port());
    reader.sql(&format!("ALTER SYSTEM SET primary_conninfo = '{follow}'"));
    reader.sql("SELECT pg_reload_conf()");
    server.ready().await;
    assert_eq!(server.post_article(&alice, "two").await.status, 201);
    assert_eq!(list(&server, &alice).await.names(), ["one", "two"]);
    heir.sql("CHECKPOINT");
    let url = parsed(&reader.url("postgres"));
    eventually("it follows", async || postgres::count(&url, "articles") == 2).await;
    // It writes down where it is, as it does from time to time.
    reader.sql("CHECKPOINT");
    standby_answers(&server, &alice).await;
    assert_eq!(list(&server, &alice).await.names(), ["one", "two"]);
}

#[tokio::test]
async fn a_standby_that_has_what_the_new_primary_lacks_does_not_answer() {
    let primary = Server::start(&[]);
    let (reader, heir) = (primary.standby(), primary.standby());
    let server = gatepost(&either(&primary, &heir), &reader.url("postgres")).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "kept").await.status, 201);
    let of_heir = parsed(&heir.url("postgres"));
    eventually("the heir has it", async || postgres::replayed(&of_heir, "articles") == Some(1)).await;
    heir.sql("ALTER SYSTEM SET primary_conninfo = ''");
    heir.sql("SELECT pg_reload_conf()");
    eventually("it receives no more", async || postgres::count(&of_heir, "pg_stat_wal_receiver") == 0).await;
    assert_eq!(server.post_article(&alice, "lost").await.status, 201);
    // So much that the heir's position stays behind the reader's.
    primary.sql("CREATE TABLE much AS SELECT * FROM generate_series(1, 100000)");
    let of_reader = parsed(&reader.url("postgres"));
    let has_much = "pg_class WHERE relname = 'much'";
    eventually("the reader has all", async || postgres::count(&of_reader, has_much) == 1).await;
    standby_answers(&server, &alice).await;
    assert_eq!(list(&server, &alice).await.names(), ["kept", "lost"]);
    lose(&primary, &server).await;
    heir.sql("SELECT pg_promote()");
    server.ready().await;
    for _ in 0..10 {
        assert_eq!(list(&server, &alice).await.names(), ["kept"]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.post_article(&alice, "after").await.status, 201);
    assert_eq!(list(&server, &alice).await.names(), ["kept", "after"]);
    assert_eq!(postgres::count(&of_reader, "articles WHERE name = 'lost'"), 1, "it still has it");
}

async fn check(primary: &str, standby: &str) -> Outcome {
    Program::new().set("DATABASE_URL", primary).set("DATABASE_READ_URL", standby).run(&["check"]).await
}

#[tokio::test]
async fn check_says_how_far_behind_a_standby_is_and_what_is_none() {
    let (primary, other) = (Server::start(&[]), Server::start(&[]));
    let (standby, anothers) = (primary.standby(), other.standby());
    let url = primary.url("postgres");
    eventually("it is up to date", async || {
        let checked = check(&url, &standby.url("postgres")).await;
        assert_has(checked.success(), &["ok    standby", "follows the database, "]);
        checked.stdout.contains("database, 0 bytes behind")
    })
    .await;
    let nowhere = format!("postgres://postgres@127.0.0.1:{}/postgres", crate::harness::free_port().port());
    for (bad, problem) in [
        (url.clone(), "it is no standby"),
        (anothers.url("postgres"), "it is the standby of another primary"),
        (nowhere, "refused"),
    ] {
        let checked = check(&url, &bad).await;
        assert_eq!(checked.code, Some(1), "{checked:?}");
        assert_has(&checked.stdout, &["FAIL  standby", problem]);
    }
    standby.sql("SELECT pg_wal_replay_pause()");
    primary.sql("CREATE TABLE more AS SELECT * FROM generate_series(1, 1000)");
    let checked = check(&url, &standby.url("postgres")).await;
    assert_lacks(checked.success(), &["database, 0 bytes behind"]);
    standby.sql("SELECT pg_wal_replay_resume()");
}

#[tokio::test]
async fn the_standby_of_another_primary_is_never_read() {
    let (primary, other) = (Server::start(&[]), Server::start(&[]));
    let standby = other.standby();
    // A database that looks the same, and whose WAL is longer.
    drop(gatepost::db::Db::open(&parsed(&other.url("postgres"))).expect("the migrations are applied"));
    other.sql("CREATE TABLE much AS SELECT * FROM generate_series(1, 100000)");
    let server = gatepost(&primary.url("postgres"), &standby.url("postgres")).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "one").await.status, 201);
    let name = format!("the standby {}: it is the standby of another primary", standby.url("postgres"));
    eventually("the log says so", async || {
        assert_eq!(list(&server, &alice).await.names(), ["one"]);
        log_watch::lines().iter().any(|line| line.contains(&name))
    })
    .await;
    assert_eq!(lists(&server, "standby").await, 0);
}

#[tokio::test]
async fn in_front_of_a_standby_a_pooler_of_sessions_works_and_one_of_transactions_is_refused() {
    const NAME: &str = "in_front_of_a_standby_a_pooler_of_sessions_works_and_one_of_transactions_is_refused";
    let primary = Server::start(&[]);
    let standby = primary.standby();
    let (Some(transactions), Some(sessions)) = (standby.pgbouncer(), standby.pgbouncer_of_sessions()) else {
        return skip(NAME, "pgbouncer");
    };
    let url = primary.url("postgres");
    let refused = Program::new().set("DATABASE_URL", &url);
    let refused = refused.set("DATABASE_READ_URL", &transactions.url("postgres", "?pool_mode=transaction"));
    refused.run(&["check"]).await.assert_error("DATABASE_READ_URL: has `pool_mode=transaction`");
    let unmentioned = check(&url, &transactions.url("postgres", "")).await;
    assert_has(&unmentioned.stdout, &["FAIL  standby", "a pooler such as PgBouncer is in front of it"]);
    let pooled = sessions.url("postgres", "?pool_mode=session");
    assert_has(check(&url, &pooled).await.success(), &["follows the database"]);
    let server = gatepost(&url, &pooled).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "one").await.status, 201);
    standby_answers(&server, &alice).await;
    assert_eq!(list(&server, &alice).await.names(), ["one"]);
}
