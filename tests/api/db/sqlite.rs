//! SQLite: its locks, its single writer and its files.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use gatepost::db::DatabaseUrl;
use gatepost::error::Error;
use tempfile::TempDir;

use super::assert_unavailable;
use super::queue::{hold_writers, insert, names, statuses};
use crate::harness::TestServer;
use crate::harness::load::sound_names;
use crate::harness::program::{Program, connect};

#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer and its file")]
#[tokio::test]
async fn while_another_program_holds_the_lock_reads_go_on_and_writes_are_told_to_come_back() {
    for lock in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        let (server, token) = TestServer::with_alice().await;
        assert_eq!(server.post_article(&token, "before").await.status, 201);
        let mut other = connect(server.sqlite_file());
        other.batch_execute(lock).expect("the lock is free");
        let (write, read) = tokio::join!(server.post_article(&token, "refused"), server.get("/articles/", &token));
        assert_unavailable(&write);
        assert_eq!(read.status, 200, "{lock}: {read:?}");
        other.batch_execute("ROLLBACK").expect("the lock is given back");
        assert_eq!(server.post_article(&token, "after").await.status, 201, "{lock}");
        let names = sound_names(&mut other);
        assert_eq!(names, BTreeSet::from(["before".to_owned(), "after".to_owned()]), "{lock}");
    }
}

#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer and its file")]
#[tokio::test]
async fn a_write_waits_for_another_programs_short_transaction() {
    let (server, token) = TestServer::with_alice().await;
    assert_eq!(server.post_article(&token, "before").await.status, 201);
    let mut other = connect(server.sqlite_file());
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is free");
    // Where nobody waits for a lock, the write fails during this pause.
    let release = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        other.batch_execute("ROLLBACK").expect("the lock is given back");
    };
    let (answer, ()) = tokio::join!(server.post_article(&token, "patient"), release);
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer and its file")]
#[tokio::test]
async fn a_write_that_fails_undoes_itself_and_none_of_those_it_shares_a_commit_with() {
    let server = TestServer::start().await;
    let db = &server.db;
    let release = hold_writers(db).await;
    let database = server.sqlite_file().to_owned();
    let writes: Vec<BoxFuture<Result<(), Error>>> = vec![
        db.write(|conn| insert(conn, "first")).boxed(),
        db.write(|conn| insert(conn, "a name of more than the fifty characters that are allowed")).boxed(),
        db.write(|conn| insert(conn, "half").and(Err(Error::PermissionDenied))).boxed(),
        db.write(|conn| {
            let outcome = insert(conn, "panic");
            panic!("a test's panic, {outcome:?}")
        })
        .boxed(),
        db.write(|conn| insert(conn, "last")).boxed(),
        db.write(move |conn| {
            assert_eq!(names(conn), ["first", "last"], "what succeeded is there for those that follow");
            assert_eq!(names(&mut connect(&database)), [""; 0], "and all of it is committed together, later");
            Ok(())
        })
        .boxed(),
        // Polled after the others, when all of them are in the queue.
        async move {
            drop(release);
            Ok(())
        }
        .boxed(),
    ];
    let outcomes = join_all(writes).await;
    assert_eq!(statuses(&outcomes), [200, 500, 403, 500, 200, 200, 200], "{outcomes:?}");
    assert_eq!(names(&mut connect(server.sqlite_file())), ["first", "last"]);
}

#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer and its file")]
#[tokio::test]
async fn a_database_behind_a_link_is_watched_where_it_really_is() {
    let folder = TempDir::new().expect("a folder");
    let (real, link) = (folder.path().join("real.sqlite3"), folder.path().join("link.sqlite3"));
    std::os::unix::fs::symlink(&real, &link).expect("a link");
    // What was left there when the database itself still had this name: a valid header that never changes.
    let mut left = [0; 32768];
    left[..4].copy_from_slice(&3_007_000u32.to_ne_bytes());
    left[12] = 1;
    std::fs::write(folder.path().join("link.sqlite3-shm"), left).expect("a file");
    let server = TestServer::start_with(|config| config.database = DatabaseUrl::Sqlite(link)).await;
    let token = server.alice().await;
    for _ in 0..2 {
        server.get("/articles/", &token).await.assert(200, "[]");
    }
    // Another program changes the database.
    let mut other = connect(&real);
    let insert =
        "INSERT INTO articles (name, created_at, updated_at) VALUES ('new', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)";
    other.batch_execute(insert).expect("a change");
    server.get("/articles/", &token).await.assert(200, r#"[{"id":1,"name":"new"}]"#);
    other.batch_execute("UPDATE users SET is_active = FALSE").expect("a change");
    assert_eq!(server.get("/articles/", &token).await.code(), "user_inactive");
}

#[cfg(unix)]
#[tokio::test]
#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer and its file")]
async fn the_database_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    // Whatever the umask.
    let program = Program::new().by(&["sh", "-c", "umask 000; exec \"$@\"", "sh"]);
    let _server = program.serve().await;
    for file in ["gatepost.sqlite3", "gatepost.sqlite3-wal", "gatepost.sqlite3-shm"] {
        let mode = std::fs::metadata(program.path(file)).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}: {mode:o}");
    }
}
