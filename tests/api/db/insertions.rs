//! On PostgreSQL, rows of several requests are inserted by one statement.

use futures_util::future::join_all;
use gatepost::config::Config;

use super::queue::{hold_writers, insert};
use crate::harness::client::Call;
use crate::harness::{TestServer, eventually};

async fn server() -> TestServer {
    TestServer::start_with(|config: &mut Config| config.metrics_address = Some(([127, 0, 0, 1], 0).into())).await
}

async fn queued(server: &TestServer) -> i64 {
    let address = server.metrics.expect("the metrics have an address");
    let metrics = Call::new(address, "GET", "/metrics").send().await.text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("gatepost_db_queued_writes "));
    line.and_then(|number| number.parse().ok()).expect("the number of queued writes")
}

/// Sends articles, each with a token, while all writers are held. Once all are queued, does something and lets one writer
/// take them.
async fn together(server: &TestServer, articles: &[(&str, &str)], before: impl AsyncFnOnce()) -> Vec<u16> {
    eventually("nothing else waits", async || queued(server).await == 0).await;
    let mut releases = hold_writers(&server.db).await;
    let posts = join_all(articles.iter().map(|(token, name)| server.post_article(token, name)));
    let release = async {
        eventually("all wait", async || queued(server).await == articles.len() as i64).await;
        before().await;
        drop(releases.pop());
    };
    let (answers, ()) = tokio::join!(posts, release);
    drop(releases);
    answers.iter().map(|answer| answer.status).collect()
}

async fn with_two_users() -> (TestServer, [String; 2]) {
    let server = server().await;
    let tokens = [server.caller("alice").await, server.caller("bob").await];
    for token in &tokens {
        server.me(token).await;
    }
    let were_seen = async || server.count("users WHERE last_seen_at IS NOT NULL").await == 2;
    eventually("both were seen", were_seen).await;
    (server, tokens)
}

#[tokio::test]
async fn articles_that_wait_together_are_one_statement_and_each_keeps_its_author_and_history() {
    let (server, [alice, bob]) = with_two_users().await;
    let names: Vec<String> = (0..9).map(|number| format!("article {number}")).collect();
    let articles: Vec<(&str, &str)> =
        names.iter().enumerate().map(|(n, name)| (if n % 3 == 0 { &*bob } else { &*alice }, &**name)).collect();
    let statuses = together(&server, &articles, async || {}).await;
    assert_eq!(statuses, vec![201; 9]);
    let written =
        "SELECT a.name || ': ' || u.username FROM articles a JOIN users u ON u.id = a.created_by ORDER BY a.name";
    let noted =
        "SELECT h.object || ': ' || h.actor FROM history h JOIN articles a ON a.id = h.object_id AND a.name = h.object
        JOIN users u ON u.id = h.actor_id AND u.id = a.created_by WHERE h.model = 'article' ORDER BY h.object";
    let expected: Vec<String> =
        (0..9).map(|number| format!("article {number}: {}", if number % 3 == 0 { "bob" } else { "alice" })).collect();
    assert_eq!(server.texts(written).await, expected);
    assert_eq!(server.texts(noted).await, expected);
    assert_eq!(server.number("SELECT count(DISTINCT (xmin::text, cmin::text)) FROM articles").await, 1);
    let in_order = server.texts("SELECT object_id FROM history WHERE model = 'article' ORDER BY id").await;
    assert_eq!(
        in_order,
        server.texts("SELECT id FROM articles ORDER BY id").await,
        "the history is in the order of the rows"
    );
    assert_eq!(server.get("/articles/", &alice).await.header("x-total-count"), "9");
}

#[tokio::test]
async fn of_articles_that_wait_together_those_of_a_user_who_was_renamed_meanwhile_have_the_new_name() {
    let (server, [alice, bob]) = with_two_users().await;
    let articles = [(&*bob, "0"), (&*alice, "1"), (&*bob, "2"), (&*alice, "3"), (&*alice, "4"), (&*bob, "5")];
    let other = server.second().await;
    let rename = async || other.sql("UPDATE users SET username = 'robert' WHERE username = 'bob'").await;
    assert_eq!(together(&server, &articles, rename).await, [201; 6]);
    let noted = "SELECT a.name || ': ' || h.actor FROM articles a JOIN history h ON h.model = 'article'
        AND h.object_id = a.id AND h.object = a.name AND h.actor_id = a.created_by ORDER BY a.name";
    let expected = ["0: robert", "1: alice", "2: robert", "3: alice", "4: alice", "5: robert"];
    assert_eq!(server.texts(noted).await, expected);
    assert_eq!(server.number("SELECT count(DISTINCT xmin::text) FROM articles").await, 1, "nothing was rolled back");
}

#[tokio::test]
async fn articles_are_inserted_together_beside_other_writes() {
    let (server, [alice, bob]) = with_two_users().await;
    eventually("nothing else waits", async || queued(&server).await == 0).await;
    let mut releases = hold_writers(&server.db).await;
    let plain = server.db.write(|conn| insert(conn, "by a statement of its own"));
    let posts = [(&alice, "one"), (&bob, "two"), (&alice, "three")];
    let posts = join_all(posts.map(|(token, name)| server.post_article(token, name)));
    let release = async {
        eventually("all wait", async || queued(&server).await == 4).await;
        drop(releases.pop());
    };
    let (plain, answers, ()) = tokio::join!(plain, posts, release);
    assert!(plain.is_ok() && answers.iter().all(|answer| answer.status == 201), "{plain:?} {answers:?}");
    assert_eq!(server.number("SELECT count(DISTINCT xmin::text) FROM articles").await, 1);
    assert_eq!(server.count("articles").await, 4);
}

#[tokio::test]
async fn of_articles_that_wait_together_only_those_of_a_user_who_lost_access_meanwhile_are_refused() {
    let (server, [alice, bob]) = with_two_users().await;
    let articles = [(&*alice, "first"), (&*bob, "refused"), (&*alice, "second"), (&*bob, "refused as well")];
    // The server's own writers are held.
    let other = server.second().await;
    let lose = async || other.sql("UPDATE users SET is_active = FALSE WHERE username = 'bob'").await;
    assert_eq!(together(&server, &articles, lose).await, [201, 401, 201, 401]);
    assert_eq!(server.texts("SELECT name FROM articles ORDER BY id").await, ["first", "second"]);
    assert_eq!(
        server.texts("SELECT object FROM history WHERE model = 'article' ORDER BY id").await,
        ["first", "second"]
    );
}

#[tokio::test]
async fn an_article_that_the_database_refuses_undoes_none_of_those_it_waited_with() {
    let (server, [alice, bob]) = with_two_users().await;
    let articles = [(&*alice, "first"), (&*bob, "forbidden"), (&*bob, "second")];
    server.sql("ALTER TABLE articles ADD CONSTRAINT allowed CHECK (name <> 'forbidden')").await;
    assert_eq!(together(&server, &articles, async || {}).await, [201, 400, 201]);
    assert_eq!(server.texts("SELECT name FROM articles ORDER BY name").await, ["first", "second"]);
    assert_eq!(server.count("history WHERE model = 'article'").await, 2);
}
