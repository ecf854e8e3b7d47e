//! `check`.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::pretend_newer;
use crate::harness::aws::FakeAws;
use crate::harness::jwks::{Behaviour, JwksFixture, key_set};
use crate::harness::pool::TestKey;
use crate::harness::program::{Outcome, Program, connect};
use crate::harness::skip;

/// The words that `check` begins its lines with.
fn marks(outcome: &Outcome) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    outcome.stdout.lines().map(words).collect()
}

#[tokio::test]
async fn check_finds_nothing_wrong_before_and_after_the_first_start() {
    let source = JwksFixture::start(&[&TestKey::nth(0), &TestKey::nth(1)]).await;
    for program in [Program::new(), Program::with_keys_at(source.url())] {
        for is_started in [false, true] {
            if is_started {
                program.serve().await.kill();
            }
            let outcome = program.run(&["check"]).await;
            outcome.success();
            assert_eq!(marks(&outcome), ["ok configuration", "ok database", "ok migrations", "ok keys"], "{outcome:?}");
        }
    }
    assert!(source.fetches() >= 2, "the keys are asked for");
}

#[tokio::test]
async fn check_says_where_nobody_else_would_be_answered_or_told_apart() {
    let source = JwksFixture::start(&[&TestKey::nth(0)]).await;
    const NOTE: &str = "only this machine is answered";
    let program = Program::with_keys_at(source.url());
    assert!(program.run(&["check"]).await.success().contains(NOTE));
    let program = program.set("ALLOWED_HOSTS", "api.example.com");
    assert!(!program.run(&["check"]).await.success().contains(NOTE));
    const OF_PROXY: &str = "TRUSTED_PROXIES does not name the proxy";
    assert!(program.run(&["check"]).await.success().contains(OF_PROXY));
    let program = program.set("TRUSTED_PROXIES", "10.0.0.0/8,::1");
    assert!(program.run(&["check"]).await.success().contains(OF_PROXY), "the proxy connects from 127.0.0.1");
    let program = program.set("TRUSTED_PROXIES", "127.0.0.1");
    assert!(!program.run(&["check"]).await.success().contains(OF_PROXY));
    let program = program.set("BIND_ADDRESS", "127.0.0.1:8123").set("METRICS_ADDRESS", "127.0.0.1:8123");
    assert!(program.run(&["check"]).await.stdout.contains("METRICS_ADDRESS is that of BIND_ADDRESS"));
}

#[tokio::test]
async fn check_says_that_nobody_can_sign_in_by_a_public_url_without_tls() {
    let source = JwksFixture::start(&[&TestKey::nth(0)]).await;
    const NOTE: &str = "PUBLIC_URL begins with http://";
    for (url, is_noted) in [
        ("http://api.example.com", true),
        ("http://192.0.2.1:8000", true),
        ("https://api.example.com", false),
        ("http://localhost:8080", false),
        ("http://[::1]:8080", false),
    ] {
        let program = Program::with_keys_at(source.url()).set("PUBLIC_URL", url);
        assert_eq!(program.run(&["check"]).await.success().contains(NOTE), is_noted, "{url}");
    }
    let development = Program::new().set("PUBLIC_URL", "http://api.example.com");
    assert!(!development.run(&["check"]).await.success().contains(NOTE), "its cookies need no TLS");
}

#[tokio::test]
async fn check_looks_for_aws_credentials_if_settings_need_them() {
    let source = JwksFixture::start(&[&TestKey::nth(0)]).await;
    let aws = FakeAws::start().await;
    let program = || {
        let program = Program::with_keys_at(source.url()).set("AWS_ENDPOINT_URL", &aws.url(""));
        program.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &aws.url("/"))
    };
    assert!(!program().run(&["check"]).await.success().contains("credentials"), "nothing needs them");

    let syncing = || program().set("COGNITO_SYNC_SECONDS", "3600");
    let outcome = syncing().set("AWS_EC2_METADATA_DISABLED", "true").run(&["check"]).await;
    outcome.assert_error("1 of 5 checks failed");
    let line = "FAIL  credentials    COGNITO_SYNC_SECONDS: there are no AWS credentials: set AWS_ACCESS_KEY_ID and ";
    assert!(outcome.stdout.contains(line), "{outcome:?}");

    let started = Instant::now();
    aws.hold(true);
    let outcome = syncing().set("COGNITO_ADMIN_ACTIONS", "compare").run(&["check"]).await;
    aws.hold(false);
    outcome.assert_error("1 of 5 checks failed");
    let line =
        "FAIL  credentials    COGNITO_SYNC_SECONDS and COGNITO_ADMIN_ACTIONS: no AWS credentials from the instance";
    assert!(outcome.stdout.contains(line), "{outcome:?}");
    assert!(started.elapsed() < Duration::from_secs(20), "an instance that is silent is not waited for");

    let acting = program().set("COGNITO_ADMIN_ACTIONS", "compare").set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    let outcome = acting.set("AWS_SECRET_ACCESS_KEY", "secret-of-the-key").run(&["check"]).await;
    let line = "ok    credentials    of AWS for COGNITO_ADMIN_ACTIONS: access key AKIDEXAMPLE\n";
    assert!(outcome.success().contains(line) && !outcome.stdout.contains("secret-of"), "{outcome:?}");
    assert_eq!(aws.calls(), 0, "the credentials are not tried");
}

#[tokio::test]
async fn where_no_file_can_be_made_check_and_start_say_so() {
    if !Path::new("/proc/self").exists() {
        return skip("where_no_file_can_be_made_check_and_start_say_so", "/proc");
    }
    // Nobody can make a file there, not even root.
    let program = Program::new().set("DATABASE_URL", "sqlite:/proc/gatepost.sqlite3");
    program.run(&["migrate"]).await.assert_error("the file cannot be created: ");
    let outcome = program.run(&["check"]).await;
    assert!(outcome.code == Some(1) && outcome.stdout.contains("the file cannot be created: "), "{outcome:?}");
    let healthy = Program::new();
    healthy.run(&["check"]).await.success();
    assert_eq!(std::fs::read_dir(healthy.path("")).expect("the folder").count(), 0, "check leaves no file behind");
}

#[tokio::test]
async fn check_leaves_a_database_as_it_is_whoever_made_it() {
    use diesel::connection::SimpleConnection;
    let program = Program::new();
    let path = program.path("django.sqlite3");
    connect(&path).batch_execute("CREATE TABLE auth_user (id INTEGER PRIMARY KEY)").expect("a table");
    let before = std::fs::read(&path).expect("the file");
    let program = program.set("DATABASE_URL", "sqlite:django.sqlite3");
    let outcome = program.run(&["check"]).await;
    let migrations = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite")).expect("the folder");
    let pending = format!("{} pending", migrations.count());
    assert!(outcome.success().contains(&pending), "{outcome:?}");
    assert!(std::fs::read(&path).expect("the file") == before, "check has written to the database");
    let files = std::fs::read_dir(program.path("")).expect("the folder").count();
    assert_eq!(files, 1, "check leaves no file behind");
}

#[tokio::test]
async fn check_names_each_thing_that_is_wrong_and_fails() {
    let source = JwksFixture::start(&[&TestKey::nth(0)]).await;
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let healthy = || Program::with_keys_at(source.url());

    let outcome = Program::with_keys_at(format!("http://{closed}/")).run(&["check"]).await;
    outcome.assert_error("1 of 4 checks failed");
    assert!(outcome.stdout.contains(&format!("FAIL  keys           http://{closed}/: ")), "{outcome:?}");

    let garbage = JwksFixture::start_with(Behaviour::Body(b"<html>".to_vec())).await;
    let outcome = Program::with_keys_at(garbage.url()).run(&["check"]).await;
    outcome.assert_error("1 of 4 checks failed");
    assert!(outcome.stdout.contains("FAIL  keys"), "{outcome:?}");

    let headers = "content-encoding: gzip\r\n".to_owned();
    let packed = Behaviour::Answer { status: "200 OK", headers, body: key_set(&[&TestKey::nth(0)]) };
    let packed = JwksFixture::start_with(packed).await;
    let outcome = Program::with_keys_at(packed.url()).run(&["check"]).await;
    outcome.assert_error("1 of 4 checks failed");
    assert!(outcome.stdout.contains("the response is encoded with \"gzip\", which was not asked for"), "{outcome:?}");

    let outcome = healthy().set("DATABASE_URL", "sqlite:nowhere/db.sqlite3").run(&["check"]).await;
    outcome.assert_error("1 of 4 checks failed");
    assert!(
        outcome.stdout.contains("FAIL  database       sqlite:nowhere/db.sqlite3: the folder nowhere does not exist"),
        "{outcome:?}"
    );

    let program = healthy();
    std::fs::write(program.path("gatepost.sqlite3"), [b'x'; 4096]).expect("a file");
    let outcome = program.run(&["check"]).await;
    outcome.assert_error("2 of 4 checks failed");
    assert!(
        outcome.stdout.contains("FAIL  database       sqlite:gatepost.sqlite3: file is not a database"),
        "{outcome:?}"
    );

    let program = healthy();
    program.run(&["migrate"]).await.success();
    spoil_pages(&program);
    let outcome = program.run(&["check"]).await;
    assert!(outcome.code == Some(1) && outcome.stdout.contains("FAIL  database "), "{outcome:?}");

    let program = healthy();
    program.run(&["migrate"]).await.success();
    pretend_newer(&program);
    let outcome = program.run(&["check"]).await;
    outcome.assert_error("1 of 4 checks failed");
    assert!(
        outcome.stdout.contains(
            "FAIL  migrations     the database has the migration 99990101000000, which this version does not know"
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn check_fails_where_serve_could_not_listen_and_not_where_it_does_already() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    Program::new().set("BIND_ADDRESS", &taken).run(&["check"]).await.success();
    // An address for documentation (RFC 5737), which is no machine's.
    let outcome = Program::new().set("METRICS_ADDRESS", "192.0.2.1:9100").run(&["check"]).await;
    outcome.assert_error("1 of 4 checks failed");
    assert!(
        outcome.stdout.contains("FAIL  configuration  METRICS_ADDRESS: cannot listen on 192.0.2.1:9100: "),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn check_fails_where_migrate_would() {
    let program = Program::new();
    connect(&program.path("gatepost.sqlite3")).batch_execute("CREATE TABLE users (id INTEGER)").expect("a table");
    let before = std::fs::read(program.path("gatepost.sqlite3")).expect("the file");
    let outcome = program.run(&["check"]).await;
    outcome.assert_error("1 of 4 checks failed");
    assert!(outcome.stdout.contains("pending, and cannot be applied: "), "{outcome:?}");
    assert!(outcome.stdout.contains("table users already exists"), "{outcome:?}");
    assert!(std::fs::read(program.path("gatepost.sqlite3")).expect("the file") == before, "check has written");
    program.run(&["migrate"]).await.assert_error("table users already exists");
}

/// Overwrites pages in the middle of the database; its head remains good.
fn spoil_pages(program: &Program) {
    use std::io::{Seek, SeekFrom, Write};
    // Nothing may come back from the log.
    program
        .database()
        .batch_execute("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE")
        .expect("a checkpoint");
    let mut file = std::fs::OpenOptions::new().write(true).open(program.path("gatepost.sqlite3")).expect("the file");
    file.seek(SeekFrom::Start(2 * 4096)).and_then(|_| file.write_all(&[0xff; 4 * 4096])).expect("it can be written");
}
