//! Secrets that are in files, and not in the environment.

use std::path::Path;

use gatepost::config::{SECRETS, SETTINGS};
use gatepost::users::password;

use crate::commands::{hash_of, users};
use crate::harness::program::{Outcome, Program};

const TOKEN: &str = "a-token-of-thirty-six-characters-or-so";

fn write(program: &Program, content: impl AsRef<[u8]>) -> String {
    let path = program.path("secret");
    std::fs::write(&path, content).expect("a file");
    path.to_str().expect("a path").to_owned()
}

/// What `check` says about a token for the metrics in such a file.
async fn check(content: impl AsRef<[u8]>) -> Outcome {
    let program = Program::new();
    let path = write(&program, content);
    program.set("METRICS_TOKEN_FILE", &path).run(&["check"]).await
}

#[tokio::test]
async fn every_secret_can_be_in_a_file() {
    for secret in SECRETS {
        assert!(SETTINGS.iter().any(|setting| setting.name == secret.name), "{} is no setting", secret.name);
        let program = Program::new();
        let path = write(&program, "\"x\"\n");
        let outcome = program.set(secret.file, &path).run(&["check"]).await;
        outcome.assert_error(&format!("{}: begins or ends with a quotation mark", secret.name));
    }
}

#[tokio::test]
async fn the_end_of_the_line_is_not_part_of_a_secret() {
    for end in ["", "\n", "\r\n"] {
        let program = Program::new();
        let path = write(&program, format!("{TOKEN}{end}"));
        let program = program.set("METRICS_TOKEN_FILE", &path);
        let server = program.serve().await;
        assert_eq!(server.get("/metrics", TOKEN).await.status, 200, "{end:?}");
        assert_eq!(server.fetch("/metrics").await.status, 401, "{end:?}");
    }
}

#[tokio::test]
async fn the_database_may_be_named_by_a_file_that_the_settings_file_names() {
    let program = Program::new();
    write(&program, "sqlite:elsewhere.sqlite3\n");
    std::fs::write(program.path(".env"), "DATABASE_URL_FILE=secret\n").expect("a file");
    program.run(&["migrate"]).await.success();
    assert!(program.path("elsewhere.sqlite3").exists() && !program.path("gatepost.sqlite3").exists());
}

#[tokio::test]
async fn a_superusers_password_may_come_from_a_file() {
    let program = Program::new();
    let path = write(&program, "winter-Giraffe-71\n");
    let program = program.set("DJANGO_SUPERUSER_PASSWORD_FILE", &path);
    let arguments = ["createsuperuser", "--noinput", "--username", "root", "--email", "root@example.com"];
    program.run(&arguments).await.success();
    assert_eq!(users(&program), ["root root@example.com 111"]);
    assert!(password::verify("winter-Giraffe-71", &hash_of(&program, "root")));
    let both = program.set("DJANGO_SUPERUSER_PASSWORD", "winter-Giraffe-72");
    both.run(&arguments).await.assert_error("DJANGO_SUPERUSER_PASSWORD_FILE: DJANGO_SUPERUSER_PASSWORD is set, too");
}

#[tokio::test]
async fn a_file_without_one_secret_is_refused() {
    for (content, problem) in [
        (&b""[..], "is empty"),
        (b" \n", "is empty"),
        (b"first-line-of-the-secret\nsecond line\n", "has more than one line"),
        (b"first-line-of-the-secret\n\n", "has more than one line"),
        (b"\xff\xfe", "is not UTF-8"),
        (&[b'x'; 65_537], "has more than 65536 bytes"),
    ] {
        let outcome = check(content).await;
        outcome.assert_error("METRICS_TOKEN_FILE: `");
        outcome.assert_error(problem);
        assert!(!outcome.stderr.contains("first-line"), "{outcome:?}");
    }
    let short = check("short\n").await;
    short.assert_error("METRICS_TOKEN: ");
    assert!(!short.stderr.contains("`short`"), "{short:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_an_error_and_not_a_missing_secret() {
    let program = Program::new().set("METRICS_TOKEN_FILE", "/nowhere/token");
    program.run(&["check"]).await.assert_error("METRICS_TOKEN_FILE: `/nowhere/token` cannot be opened: No such file");
    let program = Program::new().set("METRICS_TOKEN_FILE", "/");
    program.run(&["check"]).await.assert_error("METRICS_TOKEN_FILE: `/` cannot be read: Is a directory");
}

#[tokio::test]
async fn a_setting_and_its_file_exclude_each_other() {
    let program = Program::new();
    let path = write(&program, TOKEN);
    let program = program.set("METRICS_TOKEN_FILE", &path).set("METRICS_TOKEN", TOKEN);
    let both = program.run(&["check"]).await;
    both.assert_error("METRICS_TOKEN_FILE: METRICS_TOKEN is set, too; keep only one of them");
    // An empty variable counts as not set.
    program.set("METRICS_TOKEN", "").run(&["check"]).await.success();
    Program::new().set("METRICS_TOKEN_FILE", "").run(&["check"]).await.success();
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_everybody_may_change_is_refused() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let program = Program::new();
    let path = write(&program, TOKEN);
    let program = program.set("METRICS_TOKEN_FILE", &path);
    for (mode, is_refused) in [(0o600, false), (0o440, false), (0o644, false), (0o646, true), (0o666, true)] {
        set_permissions(Path::new(&path), Permissions::from_mode(mode)).expect("permissions");
        let outcome = program.run(&["check"]).await;
        if is_refused {
            outcome.assert_error("can be changed by everybody on this machine");
        } else {
            outcome.success();
        }
    }
}

#[tokio::test]
async fn only_secrets_are_read_from_files() {
    let program = Program::new();
    let path = write(&program, "eu-west-1_AbCdEfGhI");
    let outcome = program.set("AWS_USER_POOLS_ID_FILE", &path).run(&["check"]).await;
    assert!(outcome.success().contains("local"), "{outcome:?}");
    assert!(outcome.stderr.contains("AWS_USER_POOLS_ID_FILE is set, but there is no such setting"), "{outcome:?}");
}
