//! What the command line says of itself.

use gatepost::config::{SECRETS, SETTINGS};

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
}

#[tokio::test]
async fn the_version_names_the_build_and_its_databases() {
    let version = Program::new().run(&["--version"]).await;
    let databases = if cfg!(feature = "postgres") { "SQLite and PostgreSQL" } else { "SQLite" };
    let expected = format!("gatepost {} (development build, {databases})\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(version.success(), expected);
}

#[tokio::test]
async fn completion_prints_a_script_that_the_shell_can_read() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = Program::new().run(&["completion", shell]).await;
        let script = outcome.success();
        for word in ["gatepost", "createsuperuser", "import-django"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let program = Program::new();
    std::fs::write(program.path("completion"), program.run(&["completion", "bash"]).await.success()).expect("a file");
    let ask = ". ./completion; COMP_WORDS=(gatepost create); COMP_CWORD=1; \
               _gatepost gatepost create gatepost; echo \"${COMPREPLY[@]}\"";
    let bash = std::process::Command::new("bash").args(["-c", ask]).current_dir(program.path("")).output();
    assert_eq!(String::from_utf8_lossy(&bash.expect("bash runs").stdout), "createsuperuser\n");
    let unknown = Program::new().run(&["completion", "sh"]).await;
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
}

#[tokio::test]
async fn man_writes_a_page_with_all_settings_and_one_for_each_command() {
    let program = Program::new();
    program.run(&["man", "pages/man1"]).await.success();
    let page = |name: &str| std::fs::read_to_string(program.path(&format!("pages/man1/{name}.1"))).expect(name);
    let main = page("gatepost");
    for setting in SETTINGS {
        assert!(main.contains(&format!("\\fB{}\\fR", setting.name)), "{}", setting.name);
    }
    for secret in SECRETS {
        assert!(main.contains(&format!("\\fB{}\\fR", secret.file)), "{}", secret.file);
    }
    assert!(main.contains("createsuperuser") && !main.contains('`'), "{main}");
    assert!(page("gatepost-backup").contains("SQLite database"));
    std::fs::write(program.path("taken"), "").expect("a file");
    program.run(&["man", "taken"]).await.assert_error("taken: ");
}

#[tokio::test]
async fn what_describes_the_program_needs_no_settings() {
    let program = Program::new();
    std::fs::write(program.path(".env"), "not a setting\n").expect("a file");
    program.run(&["check"]).await.assert_error(".env: line 1");
    for command in [&["openapi"][..], &["completion", "bash"], &["man", "pages"], &["--version"], &["--help"]] {
        program.run(command).await.success();
    }
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
        (&["completion", "bash"], ""),
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
