//! The command: what it prints, how it ends, and that it does everything or nothing.

use diesel::connection::SimpleConnection;

use super::{Project, users};
use crate::harness::program::Program;
use crate::harness::{assert_has, assert_lacks};

#[tokio::test]
async fn a_dry_run_reports_and_creates_nothing() {
    let project = Project::new();
    project.user(1, "ann", "password = 'clear text'").sql("INSERT INTO articles_article VALUES (1, 'One')");
    let outcome = project.import(&["--dry-run"]).await;
    assert_eq!(
        outcome.success(),
        "                    new      known    refused\n\
         users                 1          0          0\n\
         groups                0          0          0\n\
         articles              1          0          0\n\
         changed  user 1 \"ann\": the password cannot be used: its scheme is unknown\n\
         No superuser can sign in to the admin with a password. Run `gatepost createsuperuser`, or set the password of one with `gatepost changepassword`.\n\
         Nothing was saved. Without --dry-run, everything that is new will be imported.\n"
    );
    assert!(!project.program.path("gatepost.sqlite3").exists());
    project.program.run(&["migrate"]).await.success();
    project.import(&["--dry-run"]).await.success();
    assert!(users(&project.program, "username").is_empty());
}

#[tokio::test]
async fn refused_rows_stop_the_import_with_a_code_of_their_own() {
    let project = Project::new();
    project.user(1, "ann", "").user(2, "b b", "");
    for options in [&[][..], &["--dry-run"]] {
        let outcome = project.import(options).await;
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert_has(&outcome.stdout, &["refused  user 2 \"b b\": the username has characters other than"]);
        assert_has(
            &outcome.stderr,
            &[
                "gatepost: nothing was imported: 1 refused; fix these rows in Django, or leave them out with --skip-refused\n",
            ],
        );
    }
    assert!(users(&project.program, "username").is_empty());
    let outcome = project.import(&["--skip-refused"]).await;
    assert!(outcome.success().ends_with("Everything that is new was imported.\n"), "{outcome:?}");
    assert_eq!(users(&project.program, "username"), ["ann"]);
}

#[tokio::test]
async fn a_superuser_who_can_sign_in_needs_no_advice() {
    let project = Project::new();
    let hash = "md5$seasalt4$35133774fcef3c9716791d9a94f6687a";
    project.user(1, "root", &format!("is_staff = 1, is_superuser = 1, password = '{hash}'"));
    for options in [&["--dry-run"][..], &[]] {
        assert_eq!(project.report(options).await.0["advice"], serde_json::json!([]));
    }
    let none = Project::new();
    none.user(1, "root", &format!("is_staff = 1, is_superuser = 1, is_active = 0, password = '{hash}'"));
    assert_has(&none.import(&[]).await.stdout, &["No superuser can sign in to the admin with a password."]);
}

#[tokio::test]
async fn what_is_no_django_project_is_not_read_and_nothing_is_created() {
    let program = Program::new();
    for (name, content, problem) in [
        ("none", None, "none: No such file"),
        ("empty", Some(""), "empty: it is empty"),
        ("text", Some("hello"), "text: expected value at line 1 column 1"),
        (
            "open.json",
            Some("[{\"model\": \"auth.group\", \"pk\": 1, \"fields\": {\"name\": \"x\"}}"),
            "open.json: EOF while parsing a list",
        ),
        ("other.json", Some("[1, 2]"), "other.json: invalid type: integer `1`"),
        ("x.bz2", Some("BZh91AY"), "x.bz2: bzip2 is not supported; decompress it first"),
    ] {
        if let Some(content) = content {
            std::fs::write(program.path(name), content).expect("a file");
        }
        program.run(&["import-django", name]).await.assert_error(problem);
    }
    let missing = program.run(&["import-django", "sqlite:nowhere.sqlite3"]).await;
    missing.assert_error("database sqlite:nowhere.sqlite3: it does not exist");
    let wrong = program.run(&["import-django", "postgres://u:hunter2@:x:/db"]).await;
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert_lacks(&wrong.stderr, &["hunter2"]);
    assert!(!program.path("nowhere.sqlite3").exists() && !program.path("gatepost.sqlite3").exists());
}

#[tokio::test]
async fn djangos_own_database_is_not_filled() {
    let project = Project::new();
    let before = std::fs::read(project.program.path("django.sqlite3")).expect("the file");
    let program = project.program.set("DATABASE_URL", "sqlite:./django.sqlite3");
    program.run(&["import-django", "django.sqlite3"]).await.assert_error("the source is Gatepost's own database");
    assert_eq!(std::fs::read(program.path("django.sqlite3")).expect("the file"), before);
}

#[tokio::test]
async fn django_can_go_on_while_it_is_read_and_its_latest_rows_are_seen() {
    let project = Project::new();
    project.user(1, "ann", "").sql("PRAGMA journal_mode = WAL");
    // The last connection would write the WAL back, so one stays open.
    let mut django = crate::harness::program::connect(&project.program.path("django.sqlite3"));
    django
        .batch_execute("PRAGMA wal_autocheckpoint = 0; INSERT INTO articles_article VALUES (1, 'Latest')")
        .expect("a row");
    let before = std::fs::read(project.program.path("django.sqlite3")).expect("the file");
    project.import(&[]).await.success();
    assert_eq!(project.program.texts("SELECT name FROM articles"), ["Latest"]);
    django.batch_execute("INSERT INTO articles_article VALUES (2, 'Later')").expect("it can be written");
    assert_eq!(std::fs::read(project.program.path("django.sqlite3")).expect("the file"), before);
}

/// Articles for some seconds of work.
fn many_articles() -> Project {
    let project = Project::new();
    project.user(1, "ann", "").sql(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 60000)
         INSERT INTO articles_article SELECT n, 'Article ' || n FROM numbers",
    );
    project
}

fn assert_empty(program: &Program) {
    for table in ["users", "articles", "history", "django_rows", "row_counts WHERE row_count > 0"] {
        assert_eq!(program.texts(&format!("SELECT CAST(count(*) AS TEXT) FROM {table}")), ["0"], "{table}");
    }
}

#[tokio::test]
async fn an_import_that_is_killed_leaves_nothing() {
    let project = many_articles();
    project.program.run(&["migrate"]).await.success();
    // It is killed when much has reached the disk, and before the commit.
    let script = r#""$@" & while kill -0 $!; do
        if [ "$(stat -c %s gatepost.sqlite3-wal || echo 0)" -gt 1000000 ]; then kill -9 $! && touch killed; fi
        sleep 0.01
    done"#;
    let Project { program } = project;
    let program = program.by(&["sh", "-c", script, "sh"]);
    program.run(&["import-django", "django.sqlite3"]).await;
    assert!(program.path("killed").exists(), "it was killed");
    assert_empty(&program);
    let program = program.by(&[]);
    program.run(&["import-django", "django.sqlite3"]).await.success();
    assert_eq!(program.texts("SELECT CAST(count(*) AS TEXT) FROM articles"), ["60000"]);
}

#[tokio::test]
async fn an_import_that_fails_half_way_leaves_nothing() {
    let project = many_articles();
    project.program.run(&["migrate"]).await.success();
    {
        let trigger = "CREATE TRIGGER full BEFORE INSERT ON articles WHEN NEW.id = 50000 \
             BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
        project.program.database().batch_execute(trigger).expect("a trigger");
    }
    project.import(&[]).await.assert_error("database or disk is full");
    assert_empty(&project.program);
}
