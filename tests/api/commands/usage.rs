//! What the command line says of itself.

use crate::harness::program::Program;

#[tokio::test]
async fn an_unknown_command_is_refused_with_a_hint() {
    let outcome = Program::new().run(&["frobnicate"]).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: unrecognized subcommand 'frobnicate'\n"), "{outcome:?}");
    let help = Program::new().run(&["--help"]).await;
    for command in ["serve", "migrate", "createsuperuser", "changepassword", "check", "token"] {
        assert!(help.success().contains(&format!("  {command} ")), "{command}: {help:?}");
    }
    let version = Program::new().run(&["--version"]).await;
    assert_eq!(version.success(), format!("gatepost {}\n", env!("CARGO_PKG_VERSION")));
}

/// Runs a command with its standard output in this file.
fn writing_to(file: &str, program: Program) -> Program {
    program.by(&["sh", "-c", &format!("exec \"$@\" >{file}"), "sh"])
}

#[tokio::test]
async fn output_that_is_lost_fails_every_command() {
    let program = Program::new().set("DJANGO_SUPERUSER_PASSWORD", "winter-Giraffe-71");
    program.run(&["createsuperuser", "--noinput", "--username", "root"]).await.success();
    let token = program.token().await;
    let program = writing_to("/dev/full", program);
    let (from, to) = ("sqlite:gatepost.sqlite3", "sqlite:copy.sqlite3");
    for (command, input) in [
        (&["openapi"][..], ""),
        (&["--version"], ""),
        (&["--help"], ""),
        (&["migrate"], ""),
        (&["backup", "backup.sqlite3"], ""),
        (&["copy-database", "--from", from, "--to", to], ""),
        (&["createsuperuser", "--noinput", "--username", "boss"], ""),
        (&["createsuperuser", "--noinput", "--username", "boss", "--if-missing"], ""),
        (&["changepassword", "root"], "summer-Giraffe-72\nsummer-Giraffe-72\n"),
        (&["check"], ""),
        (&["check-token"], token.as_str()),
        (&["token", "alice@example.com"], ""),
    ] {
        let outcome = program.run_with(command, input).await;
        assert_eq!(outcome.code, Some(1), "{command:?}: {outcome:?}");
        assert!(outcome.stderr.contains("No space left on device"), "{command:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_error() {
    // The command begins only when the pipe's only reader has ended.
    let script = "mkfifo pipe; : <pipe & exec 3>pipe; wait; exec \"$@\" >&3";
    for command in [&["openapi"][..], &["check"], &["token", "alice@example.com"], &["--help"]] {
        let program = Program::new().by(&["sh", "-c", script, "sh"]);
        assert_eq!(program.run(command).await.code, Some(0), "{command:?}");
    }
}

#[tokio::test]
async fn a_lost_warning_changes_nothing() {
    let program = Program::new().set("DJANGO_SUPERUSER_PASSWORD", "abc");
    let program = program.by(&["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"]);
    program.run(&["createsuperuser", "--noinput", "--username", "root"]).await.success();
}
