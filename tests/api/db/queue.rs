//! The queue of writes, on both databases.

use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;

use actix_web::ResponseError;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use gatepost::db::rows::{self, Sql};
use gatepost::db::{Connection, Db};
use gatepost::error::Error;
use tokio::sync::oneshot;

use super::assert_unavailable;
use crate::harness::rows::texts;
use crate::harness::{TestServer, eventually};

/// How many threads take jobs from the queue.
const WRITERS: usize = if cfg!(feature = "postgres") { 2 } else { 1 };

/// Keeps every writer busy until its end of what is returned is dropped.
pub async fn hold_writers(db: &Db) -> Vec<mpsc::Sender<()>> {
    let mut releases = Vec::new();
    for _ in 0..WRITERS {
        releases.push(hold_writer(db).await);
    }
    releases
}

async fn hold_writer(db: &Db) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel();
    let (enter, entered) = oneshot::channel();
    let db = db.clone();
    let signals = Arc::new(Mutex::new(Some((enter, released))));
    tokio::spawn(async move {
        let hold = db.write(move |_| {
            if let Some((enter, released)) = signals.lock().expect("the signals").take() {
                let _ = enter.send(());
                // Ends with an error when the other end is dropped.
                let _ = released.recv();
            }
            Ok(())
        });
        hold.await
    });
    entered.await.expect("a writer takes the job");
    release
}

pub fn insert(conn: &mut Connection, name: &str) -> Result<(), Error> {
    let mut row = Sql::new(
        "INSERT INTO articles (name, created_at, updated_at) VALUES (?, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)",
    );
    row.bind(name);
    rows::execute(conn, row)?;
    Ok(())
}

pub fn statuses(outcomes: &[Result<(), Error>]) -> Vec<u16> {
    let status = |error: &Error| error.status_code().as_u16();
    outcomes.iter().map(|outcome| outcome.as_ref().map_or_else(status, |()| 200)).collect()
}

pub fn names(conn: &mut Connection) -> Vec<String> {
    texts(conn, "SELECT name FROM articles ORDER BY id")
}

#[tokio::test]
async fn a_queue_of_writes_that_is_full_answers_503_and_loses_none_of_those_in_it() {
    let (server, token) = TestServer::with_alice().await;
    assert_eq!(server.post_article(&token, "before").await.status, 201);
    // A write of its own beside the request, which must not take the place of one of those below.
    eventually("the user was seen", async || server.number("SELECT count(last_seen_at) FROM users").await == 1).await;
    let release = hold_writers(&server.db).await;
    let mut waiting: Vec<BoxFuture<Result<(), Error>>> = Vec::new();
    let overflow = loop {
        assert!(waiting.len() < 100_000, "the queue has no end");
        let mut write = server.db.write(|conn| insert(conn, "queued")).boxed();
        match std::future::poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx))).await {
            Poll::Pending => waiting.push(write),
            Poll::Ready(outcome) => break outcome,
        }
    };
    assert_eq!(overflow.expect_err("there is no room").status_code().as_u16(), 503);
    assert!(waiting.len() >= 1000, "a burst finds room: {}", waiting.len());
    assert_unavailable(&server.post_article(&token, "refused").await);
    assert_eq!(server.get("/articles/", &token).await.status, 200, "reads go on");
    drop(release);
    let queued = waiting.len();
    let outcomes = join_all(waiting).await;
    assert!(outcomes.iter().all(Result::is_ok), "all that were taken are done");
    assert_eq!(server.count("articles WHERE name = 'queued'").await, queued as i64);
    assert_eq!(server.post_article(&token, "after").await.status, 201);
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn writes_that_wait_together_are_committed_together() {
    let server = TestServer::start().await;
    let mut releases = hold_writers(&server.db).await;
    let writes = (0..10).map(|n| server.db.write(move |conn| insert(conn, &n.to_string())));
    let mut writes: Vec<BoxFuture<Result<(), Error>>> = writes.map(|write| write.boxed()).collect();
    // Polled after the others, when all of them are in the queue.
    let release_one = async {
        drop(releases.pop());
        Ok(())
    };
    writes.push(release_one.boxed());
    assert!(join_all(writes).await.iter().all(Result::is_ok));
    let transactions = server.number("SELECT count(DISTINCT xmin::text) FROM articles").await;
    assert_eq!((server.count("articles").await, transactions), (10, 1));
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_write_that_fails_undoes_itself_and_none_of_those_it_was_to_share_a_commit_with() {
    let server = TestServer::start().await;
    let db = &server.db;
    let mut releases = hold_writers(db).await;
    let writes: Vec<BoxFuture<Result<(), Error>>> = vec![
        db.write(|conn| insert(conn, "first")).boxed(),
        db.write(|conn| insert(conn, "a name of more than the fifty characters that are allowed")).boxed(),
        db.write(|conn| insert(conn, "half").and(Err(Error::PermissionDenied))).boxed(),
        db.write(|conn| {
            let outcome = insert(conn, "panic");
            panic!("a test's panic, {outcome:?}")
        })
        .boxed(),
        // It ignores that its statement failed, so its transaction cannot commit.
        db.write(|conn| insert(conn, "half again").and(rows::execute(conn, Sql::new("no SQL")).map(drop).or(Ok(()))))
            .boxed(),
        db.write(|conn| insert(conn, "last")).boxed(),
        async {
            drop(releases.pop());
            Ok(())
        }
        .boxed(),
    ];
    let outcomes = join_all(writes).await;
    assert_eq!(statuses(&outcomes), [200, 500, 403, 500, 500, 200, 200], "{outcomes:?}");
    assert_eq!(server.db.read(|conn| Ok(names(conn))).await.expect("the names"), ["first", "last"]);
}
