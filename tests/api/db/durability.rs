//! What is acknowledged lasts: crashes, full disks, files that become read-only.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;

use super::assert_unavailable;
use crate::harness::load::{Load, assert_kept, client, sound_names};
use crate::harness::program::{Program, as_root};
use crate::harness::small_disk::SmallDisk;
use crate::harness::{eventually, skip};

/// Any number below the bound.
fn random(bound: u64) -> u64 {
    RandomState::new().build_hasher().finish() % bound
}

#[tokio::test]
async fn every_acknowledged_article_survives_kill_9_at_any_moment() {
    let (program, client) = (Program::new(), client());
    let token = program.token().await;
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
    let token = program.token().await;
    let program = program.by(&[&tracer[..], &[calls, "-e", slow, "-o", "trace"]].concat());
    let server = program.serve().await;
    assert_eq!(server.post_article(&token, "first").await.status, 201);
    // This is written beside the request, and its wait for the disk is not to be taken for an article's.
    let seen = "SELECT username FROM users WHERE last_seen_at IS NOT NULL";
    eventually("the user was seen", async || program.texts(seen).len() == 1).await;
    for n in 0..20 {
        assert_eq!(server.post_article(&token, &format!("{n}")).await.status, 201);
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

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_room_again() {
    let Some(disk) = SmallDisk::mount(4) else {
        return skip("a_full_disk_refuses_writes_until_there_is_room_again", "the right to mount a tmpfs");
    };
    let program = Program::within(disk.path());
    let token = program.token().await;
    let server = program.serve().await;
    assert_eq!(server.post_article(&token, "before").await.status, 201);
    let mut acknowledged = BTreeSet::from(["before".to_owned()]);
    disk.fill();
    let mut refused = None;
    // SQLite may have room left in the file of its log.
    for n in 0..2000 {
        let answer = server.post_article(&token, &format!("{n}")).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
        acknowledged.insert(format!("{n}"));
    }
    assert_unavailable(&refused.expect("the disk is full at last"));
    for answer in join_all((0..8).map(|n| server.post_article(&token, ["a", "b"][n % 2]))).await {
        assert_unavailable(&answer);
    }
    let read = server.call("GET", "/articles/").token(&token).send().await;
    assert_eq!(read.status, 200, "reads go on: {read:?}");
    assert_eq!(sound_names(&mut program.database()), acknowledged, "what was refused is not there");
    disk.make_room();
    eventually("there is room again", async || server.post_article(&token, "after").await.status == 201).await;
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
    let token = program.token().await;
    let server = program.serve().await;
    assert_eq!(server.post_article(&token, "before").await.status, 201);
    // Not the shared memory beside them: the kernel kills who writes to a mapped file that became immutable.
    let files = ["gatepost.sqlite3", "gatepost.sqlite3-wal"].map(|name| program.path(name));
    let Some(immutable) = Immutable::make(files.to_vec()) else {
        return skip("a_database_that_becomes_read_only_refuses_writes_until_it_is_not", "the right to use chattr");
    };
    // The first finds out, the second meets a connection that was opened anew, to a file that is read-only.
    for _ in 0..2 {
        assert_unavailable(&server.post_article(&token, "refused").await);
        assert_eq!(server.call("GET", "/articles/").token(&token).status().await, 200, "reads go on");
    }
    drop(immutable);
    eventually("it can be written again", async || server.post_article(&token, "after").await.status == 201).await;
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
