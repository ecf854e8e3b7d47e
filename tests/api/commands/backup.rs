//! `backup`, with the server at work, and the way back.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use crate::harness::load::{Load, assert_kept, client, sound_names};
use crate::harness::program::{Program, connect};

fn files(program: &Program) -> BTreeSet<String> {
    let entries = std::fs::read_dir(program.path(".")).expect("the folder is there");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn a_backup_made_under_load_has_every_article_acknowledged_before_it_and_can_be_restored() {
    let program = Program::new();
    let server = program.serve().await;
    let token = program.token().await;
    let mut load = Load::start(&client(), server.address, &token, "load");
    load.has_acknowledged(200).await;

    let before = load.so_far();
    let outcome = program.run(&["backup", "backup.sqlite3"]).await;
    let backup = program.path("backup.sqlite3");
    let metadata = std::fs::metadata(&backup).expect("the file is there");
    assert_eq!(
        outcome.success(),
        format!("{} bytes of sqlite:gatepost.sqlite3 written to backup.sqlite3.\n", metadata.len())
    );
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "it is for its owner alone");
    load.has_acknowledged(load.so_far().len() + 20).await;
    server.kill();
    let all: BTreeSet<_> = load.acknowledged().await.into_iter().collect();
    let before: BTreeSet<_> = before.into_iter().collect();
    assert!(!files(&program).iter().any(|name| name.contains("partial")), "{:?}", files(&program));

    // As docs/operation.md says it.
    for name in ["gatepost.sqlite3-wal", "gatepost.sqlite3-shm"] {
        // A server that ended well has removed them.
        let _ = std::fs::remove_file(program.path(name));
    }
    std::fs::rename(&backup, program.path("gatepost.sqlite3")).expect("the backup takes the database's place");
    let restored = sound_names(&mut connect(&program.path("gatepost.sqlite3")));
    assert_kept(&restored, &before);
    assert!(restored.len() < all.len(), "what came after the backup is not in it");

    let server = program.serve().await;
    let list = server.call("GET", "/articles/?limit=1").token(&token).send().await;
    assert_eq!((list.status, list.header("x-total-count")), (200, restored.len().to_string().as_str()));
    let created = server.call("POST", "/articles/").token(&token).json(r#"{"name":"after"}"#).send().await;
    assert_eq!(created.status, 201, "{created:?}");
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_behind_when_it_fails() {
    let program = Program::new();
    program.run(&["backup", "backup.sqlite3"]).await.assert_error("sqlite:gatepost.sqlite3: it does not exist");
    assert_eq!(files(&program).len(), 0, "no database is made");

    program.run(&["migrate"]).await.success();
    std::fs::write(program.path("precious"), "kept").expect("a file");
    std::os::unix::fs::symlink("nowhere", program.path("link")).expect("a link");
    let before = files(&program);
    for (file, problem) in [
        ("precious", "the file exists already"),
        ("link", "the file exists already"),
        ("gatepost.sqlite3", "the file exists already"),
        ("no/such/folder", "No such file or directory"),
    ] {
        program.run(&["backup", file]).await.assert_error(problem);
    }
    assert_eq!(files(&program), before);
    assert_eq!(std::fs::read_to_string(program.path("precious")).expect("it is there"), "kept");

    let program = Program::new();
    let other = "no database, though long enough for the header of one".repeat(9);
    std::fs::write(program.path("gatepost.sqlite3"), other).expect("a file");
    program.run(&["backup", "backup.sqlite3"]).await.assert_error("file is not a database");
    assert_eq!(files(&program), BTreeSet::from(["gatepost.sqlite3".to_owned()]));
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_backup_of_postgresql_is_left_to_pg_dump() {
    let program = Program::new().set("DATABASE_URL", "postgres://alice:secret@db.example.com/gatepost");
    let outcome = program.run(&["backup", "backup.sqlite3"]).await;
    outcome.assert_error(
        "this command does not support postgres://alice:***@db.example.com/gatepost; use PostgreSQL's pg_dump",
    );
}
