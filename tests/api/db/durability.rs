//! What is acknowledged lasts, and what fails leaves nothing half done: crashes, full disks, locks, stops.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_web::ResponseError;
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use gatepost::db::{Connection, DatabaseUrl, Db};
use gatepost::error::Error;
use gatepost::users::password;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::harness::client::Answer;
use crate::harness::load::{Load, assert_kept, client, sound_names};
use crate::harness::program::{Program, Serving, as_root, connect, texts};
use crate::harness::{TestServer, eventually, skip};

/// A token for the program's local pool.
async fn token(program: &Program) -> String {
    program.run(&["token", "alice@example.com"]).await.success().trim().to_owned()
}

async fn post(server: &Serving, token: &str, name: &str) -> Answer {
    server.call("POST", "/articles/").token(token).json(format!(r#"{{"name":"{name}"}}"#)).send().await
}

/// Fails unless the answer asks to come back later.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{answer:?}");
    assert_eq!(answer.header("retry-after"), "5");
}

/// Any number below the bound.
fn random(bound: u64) -> u64 {
    RandomState::new().build_hasher().finish() % bound
}

#[tokio::test]
async fn every_acknowledged_article_survives_kill_9_at_any_moment() {
    let (program, client) = (Program::new(), client());
    let token = token(&program).await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..24 {
        let server = program.serve().await;
        let mut load = Load::start(&client, server.address, &token, &round.to_string());
        load.has_acknowledged(random(30) as usize + 1).await;
        // Some die right after an acknowledgement, when one that came too early would be found out.
        if round % 3 == 0 {
            tokio::time::sleep(Duration::from_micros(random(20_000))).await;
        }
        server.kill();
        acknowledged.extend(load.acknowledged().await);
        // In the other rounds it is the next start that finds the log of the killed process.
        if round % 2 == 0 {
            let found = sound_names(&mut program.database());
            assert_kept(&found, &acknowledged);
        }
    }
    let found = sound_names(&mut program.database());
    assert_kept(&found, &acknowledged);
}

#[tokio::test]
async fn no_article_is_acknowledged_before_the_disk_has_it() {
    const NAME: &str = "no_article_is_acknowledged_before_the_disk_has_it";
    let tracer = ["strace", "-D", "-f", "-q", "-y", "-s", "24", "-e"];
    let calls = "trace=fsync,fdatasync,recvfrom,read,write,writev,sendto,sendmsg";
    // A slow disk, so that an answer which does not wait for it comes first.
    let slow = "inject=fsync,fdatasync:delay_enter=50000";
    let mut probe = Command::new("strace");
    probe.args(["-f", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        return skip(NAME, "strace");
    }
    let program = Program::new();
    let token = token(&program).await;
    let program = program.by(&[&tracer[..], &[calls, "-e", slow, "-o", "trace"]].concat());
    let server = program.serve().await;
    assert_eq!(post(&server, &token, "first").await.status, 201);
    // This is written beside the request, and its wait for the disk is not to be taken for an article's.
    let seen = "SELECT username AS text FROM users WHERE last_seen_at IS NOT NULL";
    eventually("the user was seen", async || texts(&mut program.database(), seen).len() == 1).await;
    for n in 0..20 {
        assert_eq!(post(&server, &token, &format!("{n}")).await.status, 201);
    }
    let trace = || std::fs::read_to_string(program.path("trace")).expect("the trace");
    eventually("all answers are in the trace", async || trace().matches("HTTP/1.1 201").count() == 21).await;
    let (mut posts, mut syncs, mut syncs_before_answers) = (0, 0, Vec::new());
    for line in trace().lines() {
        posts += usize::from(line.contains("POST /articles/"));
        // What the first article's wait was for is over when the second arrives.
        if posts < 2 {
            continue;
        }
        // A call that another thread interrupts has two lines; the second has its end.
        let is_sync = line.contains("fdatasync") || line.contains("fsync");
        if is_sync && line.contains(" = 0") && (line.contains("gatepost.sqlite3") || line.contains("resumed")) {
            syncs += 1;
        }
        if line.contains("HTTP/1.1 201") {
            syncs_before_answers.push(syncs);
        }
    }
    assert_eq!(syncs_before_answers.len(), 20);
    let is_in_time = |(n, syncs): (usize, &usize)| *syncs > n;
    let all_in_time = syncs_before_answers.iter().enumerate().all(is_in_time);
    assert!(all_in_time, "waits for the disk that were over at each answer: {syncs_before_answers:?}");
}

/// A file system of a few megabytes.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    fn mount() -> Option<SmallDisk> {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().to_str().expect("a path in UTF-8").to_owned();
        as_root(&["mount", "-t", "tmpfs", "-o", "size=4m,mode=1777", "tmpfs", &path]).then_some(SmallDisk { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        use std::io::Write;
        let mut ballast = std::fs::File::create(self.path().join("ballast")).expect("a file");
        for size in [65536, 4096, 1] {
            while ballast.write(&[0; 65536][..size]).is_ok_and(|written| written > 0) {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path().join("ballast")).expect("the ballast is removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        as_root(&["umount", "-l", self.path().to_str().expect("a path in UTF-8")]);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_room_again() {
    let Some(disk) = SmallDisk::mount() else {
        return skip("a_full_disk_refuses_writes_until_there_is_room_again", "the right to mount a tmpfs");
    };
    let program = Program::within(disk.path());
    let token = token(&program).await;
    let server = program.serve().await;
    assert_eq!(post(&server, &token, "before").await.status, 201);
    let mut acknowledged = BTreeSet::from(["before".to_owned()]);
    disk.fill();
    let mut refused = None;
    // SQLite may have room left in the file of its log.
    for n in 0..2000 {
        let answer = post(&server, &token, &format!("{n}")).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
        acknowledged.insert(format!("{n}"));
    }
    assert_unavailable(&refused.expect("the disk is full at last"));
    for answer in join_all((0..8).map(|n| post(&server, &token, ["a", "b"][n % 2]))).await {
        assert_unavailable(&answer);
    }
    let read = server.call("GET", "/articles/").token(&token).send().await;
    assert_eq!(read.status, 200, "reads go on: {read:?}");
    assert_eq!(sound_names(&mut program.database()), acknowledged, "what was refused is not there");
    disk.make_room();
    eventually("there is room again", async || post(&server, &token, "after").await.status == 201).await;
    acknowledged.insert("after".to_owned());
    assert_eq!(sound_names(&mut program.database()), acknowledged);
}

/// Makes files immutable, which holds for root too, until it is dropped.
struct Immutable(Vec<PathBuf>);

impl Immutable {
    fn make(files: Vec<PathBuf>) -> Option<Immutable> {
        let immutable = Immutable(files);
        immutable.change("+i").then_some(immutable)
    }

    fn change(&self, how: &str) -> bool {
        let files = self.0.iter().map(|file| file.to_str().expect("a path in UTF-8"));
        as_root(&["chattr", how].into_iter().chain(files).collect::<Vec<_>>())
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        self.change("-i");
    }
}

#[tokio::test]
async fn a_database_that_becomes_read_only_refuses_writes_until_it_is_not() {
    let program = Program::new();
    let token = token(&program).await;
    let server = program.serve().await;
    assert_eq!(post(&server, &token, "before").await.status, 201);
    // Not the shared memory beside them: the kernel kills who writes to a mapped file that became immutable.
    let files = ["gatepost.sqlite3", "gatepost.sqlite3-wal"].map(|name| program.path(name));
    let Some(immutable) = Immutable::make(files.to_vec()) else {
        return skip("a_database_that_becomes_read_only_refuses_writes_until_it_is_not", "the right to use chattr");
    };
    // The first finds out, the second meets a connection that was opened anew, to a file that is read-only.
    for _ in 0..2 {
        assert_unavailable(&post(&server, &token, "refused").await);
        assert_eq!(server.call("GET", "/articles/").token(&token).send().await.status, 200, "reads go on");
    }
    drop(immutable);
    eventually("it can be written again", async || post(&server, &token, "after").await.status == 201).await;
    assert_eq!(sound_names(&mut program.database()), BTreeSet::from(["before".to_owned(), "after".to_owned()]));
}

#[tokio::test]
async fn a_server_does_not_start_on_a_database_that_it_cannot_write() {
    let program = Program::new();
    program.run(&["migrate"]).await.success();
    let Some(_immutable) = Immutable::make(vec![program.path("gatepost.sqlite3")]) else {
        return skip("a_server_does_not_start_on_a_database_that_it_cannot_write", "the right to use chattr");
    };
    for command in ["serve", "migrate"] {
        let refusal = "database sqlite:gatepost.sqlite3: attempt to write a readonly database";
        program.run(&[command]).await.assert_error(refusal);
    }
    let check = program.run(&["check"]).await;
    assert!(check.stdout.contains("FAIL  database"), "{check:?}");
    check.assert_error("1 of 4 checks failed");
}

#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer and its file")]
#[tokio::test]
async fn while_another_program_holds_the_lock_reads_go_on_and_writes_are_told_to_come_back() {
    for lock in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        let server = TestServer::start().await;
        let token = server.alice().await;
        assert_eq!(server.post(&token, r#"{"name":"before"}"#).await.status, 201);
        let mut other = connect(server.sqlite_file());
        other.batch_execute(lock).expect("the lock is free");
        let (write, read) =
            tokio::join!(server.post(&token, r#"{"name":"refused"}"#), server.get("/articles/", &token));
        assert_unavailable(&write);
        assert_eq!(read.status, 200, "{lock}: {read:?}");
        other.batch_execute("ROLLBACK").expect("the lock is given back");
        assert_eq!(server.post(&token, r#"{"name":"after"}"#).await.status, 201, "{lock}");
        let names = sound_names(&mut other);
        assert_eq!(names, BTreeSet::from(["before".to_owned(), "after".to_owned()]), "{lock}");
    }
}

#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer and its file")]
#[tokio::test]
async fn a_write_waits_for_another_programs_short_transaction() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    assert_eq!(server.post(&token, r#"{"name":"before"}"#).await.status, 201);
    let mut other = connect(server.sqlite_file());
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is free");
    // Where nobody waits for a lock, the write fails during this pause.
    let release = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        other.batch_execute("ROLLBACK").expect("the lock is given back");
    };
    let (answer, ()) = tokio::join!(server.post(&token, r#"{"name":"patient"}"#), release);
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// Keeps the writer busy until the returned end is dropped.
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
    entered.await.expect("the writer takes the job");
    release
}

fn insert(conn: &mut Connection, name: &str) -> Result<(), Error> {
    let now = "2026-01-01 00:00:00";
    let row = diesel::sql_query("INSERT INTO articles (name, created_at, updated_at) VALUES (?, ?, ?)");
    let row = row.bind::<diesel::sql_types::Text, _>(name).bind::<diesel::sql_types::Text, _>(now);
    row.bind::<diesel::sql_types::Text, _>(now).execute(conn)?;
    Ok(())
}

fn names(conn: &mut Connection) -> Vec<String> {
    texts(conn, "SELECT name AS text FROM articles ORDER BY id")
}

#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer and its file")]
#[tokio::test]
async fn a_write_that_fails_undoes_itself_and_none_of_those_it_shares_a_commit_with() {
    let server = TestServer::start().await;
    let db = &server.db;
    let release = hold_writer(db).await;
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
    let statuses: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().map_or_else(|error| error.status_code().as_u16(), |()| 200))
        .collect();
    assert_eq!(statuses, [200, 500, 403, 500, 200, 200, 200], "{outcomes:?}");
    assert_eq!(names(&mut connect(server.sqlite_file())), ["first", "last"]);
}

#[tokio::test]
async fn a_write_that_panics_is_answered_with_500_and_the_next_one_works() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    for _ in 0..3 {
        let panicking = server.db.write::<(), _>(|_| panic!("a test's panic")).await;
        let error = panicking.expect_err("nothing comes of a panic");
        assert_eq!((error.status_code().as_u16(), error.cause()), (500, Some("a write panicked")));
        assert_eq!(server.post(&token, r#"{"name":"next"}"#).await.status, 201);
    }
}

#[tokio::test]
async fn a_read_that_panics_is_answered_with_500_and_all_readers_live_on() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    // On the caller's own thread, where a connection is idle at that moment.
    let panics_here = async || {
        let panicking = server.db.read_here::<(), _>(|_| panic!("a test's panic")).await;
        panicking.expect_err("nothing comes of a panic").cause() == Some("a read panicked")
    };
    if cfg!(not(feature = "postgres")) {
        eventually("one panics on the caller's thread", panics_here).await;
    }
    // More than there are connections.
    for _ in 0..40 {
        let panicking = server.db.read::<(), _>(|_| panic!("a test's panic")).await;
        assert_eq!(panicking.expect_err("nothing comes of a panic").status_code().as_u16(), 500);
        let panicking = server.db.read_here::<(), _>(|_| panic!("a test's panic")).await;
        assert_eq!(panicking.expect_err("nor of one on the caller's thread").status_code().as_u16(), 500);
    }
    assert_eq!(server.get("/articles/", &token).await.status, 200);
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

#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer and its file")]
#[tokio::test]
async fn a_queue_of_writes_that_is_full_answers_503_and_loses_none_of_those_in_it() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    assert_eq!(server.post(&token, r#"{"name":"before"}"#).await.status, 201);
    // A write of its own beside the request, which must not take the place of one of those below.
    eventually("the user was seen", async || server.number("SELECT count(last_seen_at) FROM users").await == 1).await;
    let release = hold_writer(&server.db).await;
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
    assert_unavailable(&server.post(&token, r#"{"name":"refused"}"#).await);
    assert_eq!(server.get("/articles/", &token).await.status, 200, "reads go on");
    drop(release);
    let queued = waiting.len();
    let outcomes = join_all(waiting).await;
    assert!(outcomes.iter().all(Result::is_ok), "all that were taken are done");
    assert_eq!(server.number("SELECT count(*) FROM articles WHERE name = 'queued'").await, queued as i64);
    assert_eq!(server.post(&token, r#"{"name":"after"}"#).await.status, 201);
}

/// Sends the head of a request and reads until the server has said this.
async fn converse(stream: &mut TcpStream, text: &str, until: &str) -> String {
    stream.write_all(text.as_bytes()).await.expect("the server listens");
    let mut said = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&said).contains(until) {
            let mut buffer = [0; 4096];
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(read) => said.extend_from_slice(&buffer[..read]),
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), reading).await;
    assert!(in_time.is_ok(), "the server says nothing of {until}");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn sigterm_lets_running_requests_finish_and_ends_with_0_while_clients_idle() {
    let (program, client) = (Program::new(), client());
    let token = token(&program).await;
    let mut server = program.serve().await;
    assert_eq!(post(&server, &token, "before").await.status, 201);
    let mut idle = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.address).await.expect("the server accepts");
        let answer = converse(&mut stream, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n", "ok\"}").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        idle.push(stream);
    }
    idle.push(TcpStream::connect(server.address).await.expect("the server accepts"));
    let mut load = Load::start(&client, server.address, &token, "load");
    load.has_acknowledged(10).await;
    let mut running = TcpStream::connect(server.address).await.expect("the server accepts");
    let body = r#"{"name":"running"}"#;
    let head = format!(
        "POST /articles/ HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let interim = converse(&mut running, &head, "\r\n\r\n").await;
    assert!(interim.starts_with("HTTP/1.1 100"), "{interim}");

    server.signal("TERM");
    eventually("nobody else is let in", async || TcpStream::connect(server.address).await.is_err()).await;
    let answer = converse(&mut running, body, r#""name":"running"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "the request that ran is finished: {answer}");
    let finished = Instant::now();
    assert_eq!(server.exit().await.code(), Some(0), "{}", server.stderr());
    // An idle connection would be dropped after 15 s, and all of them after 20 s.
    assert!(finished.elapsed() < Duration::from_secs(10), "idle clients hold it up: {:?}", finished.elapsed());
    let mut acknowledged = BTreeSet::from(["before".to_owned(), "running".to_owned()]);
    acknowledged.extend(load.acknowledged().await);
    let found = sound_names(&mut program.database());
    assert_kept(&found, &acknowledged);
    assert!(server.stderr().contains("stopped"), "{}", server.stderr());
}

#[tokio::test]
async fn sigint_stops_the_server_too() {
    let program = Program::new();
    let mut server = program.serve().await;
    let _idle = TcpStream::connect(server.address).await.expect("the server accepts");
    server.signal("INT");
    assert_eq!(server.exit().await.code(), Some(0), "{}", server.stderr());
}

#[cfg(unix)]
#[tokio::test]
async fn the_local_pools_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    // Whatever the umask.
    let program = Program::new().by(&["sh", "-c", "umask 000; exec \"$@\"", "sh"]);
    token(&program).await;
    let mode = std::fs::metadata(program.path("gatepost.local-pool.keys")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
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

#[tokio::test]
async fn a_password_is_nowhere_but_hashed_with_argon2id() {
    let secret = "correct horse 7 staple";
    let program = Program::new()
        .set("DJANGO_SUPERUSER_USERNAME", "root")
        .set("DJANGO_SUPERUSER_PASSWORD", secret)
        .set("RUST_LOG", "trace");
    let outcome = program.run(&["createsuperuser", "--noinput"]).await;
    outcome.success();
    let hash = texts(&mut program.database(), "SELECT password AS text FROM users").remove(0);
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert!(password::verify(secret, &hash));
    for text in [secret, hash.as_str()] {
        assert!(!format!("{outcome:?}").contains(text), "{outcome:?}");
    }
    for file in std::fs::read_dir(program.path("")).expect("the folder") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("the file can be read");
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", path.display());
    }
}

#[tokio::test]
async fn debug_output_shows_no_secret() {
    let server = TestServer::start().await;
    let user = server.user_with("alice", |new| new.password = Some("$argon2id$secret".to_owned())).await;
    assert!(user.password.is_some());
    let shown = format!("{user:?} {:#?}", server.config);
    assert!(shown.contains("alice") && shown.contains("pool"), "{shown}");
    assert!(!shown.contains("$argon2id"), "{shown}");
    // Addresses of keys are shown, so none with a password in it is taken.
    let refusal = gatepost::cognito::user_pool::checked_url("https://user:hunter2@example.com/").expect_err("a secret");
    assert!(!refusal.contains("hunter2"), "{refusal}");
}
