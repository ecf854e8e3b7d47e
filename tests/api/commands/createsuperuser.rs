//! `createsuperuser` and `changepassword`.

use diesel::connection::SimpleConnection;
use gatepost::users::password;

use super::{hash_of, history, users};
use crate::harness::program::Program;

#[tokio::test]
async fn createsuperuser_asks_and_creates() {
    let program = Program::new();
    let answers = "root\nroot@example.com\nwinter-Giraffe-71\nwinter-Giraffe-71\n";
    let outcome = program.run_with(&["createsuperuser"], answers).await;
    assert!(outcome.success().ends_with("Superuser root created.\n"), "{outcome:?}");
    assert_eq!(users(&program), ["root root@example.com 111"]);
    assert!(password::verify("winter-Giraffe-71", &hash_of(&program, "root")));
    let history = history(&program);
    assert!(matches!(&history[..], [row] if row.starts_with("command_line created user root {")), "{history:?}");
    assert!(!history[0].contains("argon2") && !history[0].contains("Giraffe"), "{history:?}");
    assert!(!outcome.stdout.contains("Giraffe") && !outcome.stderr.contains("Giraffe"), "{outcome:?}");
}

#[tokio::test]
async fn createsuperuser_asks_again_until_name_and_address_can_be_used() {
    let program = Program::new();
    program
        .run_with(&["createsuperuser"], "root\nroot@example.com\nwinter-Giraffe-71\nwinter-Giraffe-71\n")
        .await
        .success();
    let answers =
        "\na name\nroot\nboss\nno address\nROOT@example.com\nboss@example.com\nwinter-Giraffe-71\nwinter-Giraffe-71\n";
    let outcome = program.run_with(&["createsuperuser"], answers).await;
    outcome.success();
    let problems: Vec<_> = outcome.stderr.lines().filter(|line| line.starts_with("Error: ")).collect();
    assert_eq!(
        problems,
        [
            "Error: This field may not be blank.",
            "Error: Enter a valid username. It may have letters, digits and @/./+/-/_ only.",
            "Error: That username is already taken.",
            "Error: Enter a valid e-mail address.",
            "Error: That email is already taken.",
        ]
    );
    assert_eq!(users(&program), ["root root@example.com 111", "boss boss@example.com 111"]);
}

#[tokio::test]
async fn createsuperuser_creates_nobody_where_the_answers_do_not_do() {
    let rows = [
        ("nothing at all", "", "the input ended before all questions were answered"),
        ("no password", "root\n\n", "the input ended"),
        ("two passwords", "root\n\nwinter-Giraffe-71\nwinter-Giraffe-72\n", "no usable password was given"),
        ("a blank password", "root\n\n\n\n", "no usable password was given"),
        ("a weak password, not insisted on", "root\n\nabc\nabc\nn\n", "no usable password was given"),
    ];
    for (what, answers, problem) in rows {
        let program = Program::new();
        let outcome = program.run_with(&["createsuperuser"], answers).await;
        assert_eq!(outcome.code, Some(1), "{what}: {outcome:?}");
        assert!(outcome.stderr.lines().last().is_some_and(|line| line.contains(problem)), "{what}: {outcome:?}");
        assert_eq!(users(&program), [""; 0], "{what}");
    }
}

#[tokio::test]
async fn a_weak_password_is_taken_when_it_is_insisted_on() {
    let program = Program::new();
    let outcome = program.run_with(&["createsuperuser", "--username", "root", "--email", ""], "abc\nabc\ny\n").await;
    outcome.success();
    assert!(outcome.stderr.contains("This password is too short."), "{outcome:?}");
    assert!(password::verify("abc", &hash_of(&program, "root")));
}

#[tokio::test]
async fn createsuperuser_without_questions_takes_djangos_variables() {
    let with = |name: &str, email: &str, password: &str| {
        let program = Program::new().set("DJANGO_SUPERUSER_USERNAME", name);
        program.set("DJANGO_SUPERUSER_EMAIL", email).set("DJANGO_SUPERUSER_PASSWORD", password)
    };
    let program = with("root", "root@example.com", "winter-Giraffe-71");
    let outcome = program.run(&["createsuperuser", "--noinput"]).await;
    assert_eq!((outcome.success(), outcome.stderr.contains("Warning")), ("Superuser root created.\n", false));
    assert_eq!(users(&program), ["root root@example.com 111"]);
    assert!(password::verify("winter-Giraffe-71", &hash_of(&program, "root")));
    let again = program.run(&["createsuperuser", "--noinput", "--email", "other@example.com"]).await;
    again.assert_error("username: A user with that username already exists.");
    let again = program.run(&["createsuperuser", "--noinput", "--username", "other"]).await;
    again.assert_error("email: A user with that e-mail already exists.");
    assert_eq!(users(&program).len(), 1);
    // What the command line says goes before the environment.
    program.run(&["createsuperuser", "--noinput", "--username", "boss", "--email", "b@example.com"]).await.success();
    assert_eq!(users(&program)[1], "boss b@example.com 111");

    let weak = with("root", "", "abc");
    let outcome = weak.run(&["createsuperuser", "--noinput"]).await;
    outcome.success();
    assert!(outcome.stderr.contains("Warning: This password is too short."), "{outcome:?}");

    let none = with("root", "", "");
    let outcome = none.run(&["createsuperuser", "--noinput"]).await;
    outcome.success();
    assert!(outcome.stderr.contains("DJANGO_SUPERUSER_PASSWORD is not set"), "{outcome:?}");
    assert_eq!(hash_of(&none, "root"), "", "nobody can sign in with an empty password");

    with("", "", "x")
        .run(&["createsuperuser", "--noinput"])
        .await
        .assert_error("--noinput needs --username or DJANGO_SUPERUSER_USERNAME");
    let bad = with("a b", "", "winter-Giraffe-71");
    bad.run(&["createsuperuser", "--noinput"]).await.assert_error("username: Enter a valid username.");
    assert_eq!(users(&bad), [""; 0]);
}

#[tokio::test]
async fn changepassword_sets_another_password() {
    let program = Program::new().set("DJANGO_SUPERUSER_PASSWORD", "winter-Giraffe-71");
    program.run(&["createsuperuser", "--noinput", "--username", "root"]).await.success();
    let outcome = program.run_with(&["changepassword", "root"], "summer-Giraffe-72\nsummer-Giraffe-72\n").await;
    assert!(outcome.success().ends_with("Password changed. The sessions in the admin have ended.\n"), "{outcome:?}");
    let hash = hash_of(&program, "root");
    assert!(password::verify("summer-Giraffe-72", &hash) && !password::verify("winter-Giraffe-71", &hash));
    assert_eq!(history(&program)[1], r#"command_line changed user root {"password":"changed"}"#);

    let refused = program.run_with(&["changepassword", "root"], "one-Giraffe-1\nother-Giraffe-2\n").await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(hash_of(&program, "root"), hash, "it is the old one still");
    program.run_with(&["changepassword", "nobody"], "").await.assert_error("there is no user `nobody`");
}

#[tokio::test]
async fn a_password_that_is_too_long_is_set_by_no_command() {
    let long = "x".repeat(4097);
    let problem = "This password is too long. It must have at most 4096 bytes.";
    let program = Program::new().set("DJANGO_SUPERUSER_PASSWORD", &long);
    program.run(&["createsuperuser", "--noinput", "--username", "root"]).await.assert_error(problem);
    let answers = format!("root\n\n{long}\n{long}\ny\n");
    let outcome = program.run_with(&["createsuperuser"], &answers).await;
    assert!(outcome.code == Some(1) && outcome.stderr.contains(problem), "{outcome:?}");
    assert!(!outcome.stdout.contains("anyway"), "a hard limit cannot be insisted on: {outcome:?}");
    assert_eq!(users(&program), [""; 0]);

    let longest = "x".repeat(4096);
    let program = program.set("DJANGO_SUPERUSER_PASSWORD", &longest);
    program.run(&["createsuperuser", "--noinput", "--username", "root"]).await.success();
    let outcome = program.run_with(&["changepassword", "root"], &format!("{long}\n{long}\ny\n")).await;
    assert!(outcome.code == Some(1) && outcome.stderr.contains(problem), "{outcome:?}");
    assert!(password::verify(&longest, &hash_of(&program, "root")), "it is the old one still");
}

#[tokio::test]
async fn if_missing_creates_once_and_then_changes_nothing() {
    let program = Program::new().set("DJANGO_SUPERUSER_PASSWORD", "winter-Giraffe-71");
    let command = ["createsuperuser", "--noinput", "--if-missing", "--username", "root"];
    assert_eq!(program.run(&command).await.success(), "Superuser root created.\n");
    let hash = hash_of(&program, "root");
    let again =
        program.set("DJANGO_SUPERUSER_PASSWORD", "summer-Giraffe-72").set("DJANGO_SUPERUSER_EMAIL", "r@example.com");
    let outcome = again.run(&command).await;
    assert_eq!((outcome.success(), outcome.stderr.contains("Warning")), ("User root exists already.\n", false));
    assert_eq!((users(&again), hash_of(&again, "root")), (vec!["root  111".to_owned()], hash));
    assert_eq!(history(&again).len(), 1);

    again.database().batch_execute("UPDATE users SET is_superuser = 0").expect("a change");
    let outcome = again.run(&command).await;
    outcome.success();
    assert!(outcome.stderr.contains("Warning: root is not an active superuser, and stays as it is."), "{outcome:?}");
    assert_eq!(users(&again), ["root  101"]);
    // What would have been an error stays one.
    again.run(&["createsuperuser", "--noinput", "--username", "root"]).await.assert_error("already exists");
    assert_eq!(again.run(&["createsuperuser", "--if-missing"]).await.code, Some(2), "it needs --noinput");
}

#[tokio::test]
async fn what_nobody_means_to_be_part_of_a_password_is_refused() {
    for value in [
        "\"winter-Giraffe-71\"",
        "'winter-Giraffe-71'",
        "winter-Giraffe-71\r",
        " winter-Giraffe-71",
        "\u{feff}winter-Giraffe-71",
    ] {
        let program = Program::new().set("DJANGO_SUPERUSER_PASSWORD", value);
        let outcome = program.run(&["createsuperuser", "--noinput", "--username", "root"]).await;
        outcome.assert_error("DJANGO_SUPERUSER_PASSWORD: ");
        assert!(!outcome.stderr.contains("Giraffe"), "{outcome:?}");
        assert_eq!(users(&program), [""; 0], "{value:?}");
    }
    let program = Program::new().set("DJANGO_SUPERUSER_PASSWORD", "\"winter-Giraffe-71");
    program.run(&["createsuperuser", "--noinput", "--username", "root"]).await.success();
}
