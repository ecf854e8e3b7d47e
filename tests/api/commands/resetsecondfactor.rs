//! `resetsecondfactor`, and what `check` says of second factors.

use diesel::connection::SimpleConnection;

use crate::harness::FACTOR_KEY;
use crate::harness::program::Program;

#[tokio::test]
async fn on_the_command_line_a_password_keeps_the_factor_and_a_reset_takes_it() {
    let program = Program::new().set("DJANGO_SUPERUSER_PASSWORD", "winter-Giraffe-71");
    program.run(&["createsuperuser", "--noinput", "--username", "root"]).await.success();
    let rows = "INSERT INTO second_factors VALUES (1, 'sealed', 0, '2026-01-01 00:00:00');
                INSERT INTO recovery_codes (user_id, code_hash, created_at) VALUES (1, 'hash', '2026-01-01 00:00:00');
                INSERT INTO sessions VALUES (5, 'hash', 1, '{}', '::1', 'Mozilla', '2026-01-01 00:00:00', '2026-01-01 00:00:00')";
    program.database().batch_execute(rows).expect("the rows are inserted");
    let counts = || {
        program.texts("SELECT (SELECT count(*) FROM second_factors) || ' ' || (SELECT count(*) FROM recovery_codes) || ' ' || (SELECT count(*) FROM sessions)")
    };
    program.run_with(&["changepassword", "root"], "summer-Giraffe-72\nsummer-Giraffe-72\n").await.success();
    assert_eq!(counts(), ["1 1 0"]);
    let session = "INSERT INTO sessions VALUES (6, 'hash', 1, '{}', '::1', 'Mozilla', '2026-01-01 00:00:00', '2026-01-01 00:00:00')";
    program.database().batch_execute(session).expect("a session");
    let outcome = program.run(&["resetsecondfactor", " root"]).await;
    outcome.assert_error("there is no user ` root`");
    let outcome = program.run(&["resetsecondfactor", "root"]).await;
    assert_eq!(outcome.success(), "root has no second factor any more, and is signed out.\n");
    assert_eq!(counts(), ["0 0 0"]);
    let history =
        program.texts("SELECT source || ' ' || object || ' ' || changes FROM history ORDER BY id DESC LIMIT 1");
    assert_eq!(history, [r#"command_line root {"second_factor":[true,false]}"#]);
    assert_eq!(program.run(&["resetsecondfactor", "root"]).await.success(), "root has no second factor.\n");
}

/// The line of `check` on second factors.
async fn finding(program: &Program, expected: i32) -> String {
    let outcome = program.run(&["check"]).await;
    assert_eq!(outcome.code, Some(expected), "{outcome:?}");
    let lines: Vec<_> = outcome.stdout.lines().filter(|line| line.contains("second factor  ")).collect();
    assert_eq!(lines.len(), 1, "{outcome:?}");
    lines[0].to_owned()
}

#[tokio::test]
async fn check_says_where_the_key_is_and_whether_it_opens_all() {
    let program = Program::new().set("REQUIRE_SECOND_FACTOR", "staff");
    let file = "gatepost.second-factor.key";
    let line = finding(&program, 0).await;
    assert_eq!(line, format!("ok    second factor  the first enrolment creates the key in {file}"));
    program.run(&["migrate"]).await.success();
    std::fs::write(program.path(file), "not a key").expect("a file");
    chmod(&program, file, 0o600);
    let line = finding(&program, 1).await;
    assert_eq!(line, format!("FAIL  second factor  the key file {file}: does not hold 32 bytes in base64"));
    std::fs::write(program.path(file), FACTOR_KEY).expect("a file");
    assert_eq!(finding(&program, 0).await, format!("ok    second factor  the key is in {file}"));
    chmod(&program, file, 0o640);
    assert!(finding(&program, 1).await.ends_with("is accessible to other users of this machine; run chmod 600 on it"));
    chmod(&program, file, 0o600);

    let rows = "INSERT INTO users (id, username, email, first_name, last_name, is_active, is_staff, is_superuser, date_joined, origin)
                    VALUES (1, 'ann', '', '', '', 1, 1, 0, '2026-01-01 00:00:00', 'admin');
                INSERT INTO second_factors VALUES (1, 'sealed', 0, '2026-01-01 00:00:00')";
    program.database().batch_execute(rows).expect("the rows are inserted");
    let others = "1 of 1 were encrypted with another key; restore that key, or use resetsecondfactor";
    assert_eq!(finding(&program, 1).await, format!("FAIL  second factor  {others}"));
    std::fs::remove_file(program.path(file)).expect("the file is there");
    let line = finding(&program, 1).await;
    assert!(line.contains(&format!("the key file {file} is missing; restore it from a backup")), "{line}");
    program.run(&["resetsecondfactor", "ann"]).await.success();
    let program = program.set("SECOND_FACTOR_KEY", FACTOR_KEY);
    assert_eq!(finding(&program, 0).await, "ok    second factor  the key is set");
}

fn chmod(program: &Program, name: &str, mode: u32) {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(program.path(name), permissions).expect("its mode is set");
}
