//! The commands, each run as a process: what they print, what they change, how they refuse.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use diesel::connection::SimpleConnection;
use gatepost::users::password;

use crate::harness::jwks::{Behaviour, JwksFixture};
use crate::harness::pool::{CLIENT_ID, ISSUER, POOL_ID, TestKey};
use crate::harness::program::{Outcome, Program, connect, texts};
use crate::harness::{eventually, skip};

/// What history says, a line for each row.
fn history(program: &Program) -> Vec<String> {
    let query = "SELECT source || ' ' || action || ' ' || model || ' ' || object || ' ' || changes AS text FROM history ORDER BY id";
    texts(&mut program.database(), query)
}

fn users(program: &Program) -> Vec<String> {
    let query = "SELECT username || ' ' || email || ' ' || is_staff || is_superuser || is_active AS text FROM users ORDER BY id";
    texts(&mut program.database(), query)
}

fn hash_of(program: &Program, username: &str) -> String {
    let query = format!("SELECT coalesce(password, '') AS text FROM users WHERE username = '{username}'");
    texts(&mut program.database(), &query).remove(0)
}

async fn token(program: &Program, arguments: &[&str]) -> String {
    let outcome = program.run(&[&["token", "alice@example.com"], arguments].concat()).await;
    let token = outcome.success().to_owned();
    assert_eq!(token.lines().count(), 1, "the token and nothing else: {token}");
    token.trim().to_owned()
}

/// A program in production with a user pool whose keys come from this address.
fn in_production(jwks_url: &str) -> Program {
    let program = Program::new().set("APP_ENV", "production").set("AWS_USER_POOLS_ID", POOL_ID);
    program.set("AWS_APP_CLIENT_ID", CLIENT_ID).set("COGNITO_JWKS_URL", jwks_url)
}

#[tokio::test]
async fn serve_says_where_everything_is_and_what_to_type_next() {
    let program = Program::new();
    let server = program.serve().await;
    eventually("the text is there", async || server.stdout().contains("curl ")).await;
    let text = server.stdout();
    let url = format!("http://{}", server.address);
    for expected in [
        &format!("Gatepost {} in development mode\n", env!("CARGO_PKG_VERSION")),
        &format!("{url}/articles/"),
        &format!("{url}/readyz"),
        "database   sqlite:gatepost.sqlite3\n",
        "local, because AWS_USER_POOLS_ID is not set\n",
        "issuer     https://cognito-idp.local.amazonaws.com/local_",
        "token alice@example.com",
    ] {
        assert!(text.contains(expected), "{expected} is missing: {text}");
    }
    // The next command that it names does what it says.
    let token = token(&program, &[]).await;
    let list = server.call("GET", "/articles/").token(&token).send().await;
    list.assert(200, "[]");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.call("GET", path).send().await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_first_start_in_development_shows_a_superusers_password_this_once() {
    let program = Program::new();
    let server = program.serve().await;
    eventually("the text is there", async || server.stdout().contains("curl ")).await;
    let text = server.stdout();
    let shown = text.split_once("superuser  admin, password ").and_then(|(_, rest)| rest.split_once(' '));
    let shown = shown.expect("a password is shown").0;
    assert!(shown.len() >= 16, "{shown}");
    assert!(password::verify(shown, &hash_of(&program, "admin")), "the password is the row's");
    assert_eq!(users(&program), ["admin admin@example.com 111"]);
    assert!(!server.stderr().contains(shown), "it is not logged: {}", server.stderr());
    server.kill();
    let again = program.serve().await;
    eventually("the text is there", async || again.stdout().contains("curl ")).await;
    assert!(!again.stdout().contains("superuser"), "{}", again.stdout());
    assert_eq!(users(&program).len(), 1);
}

#[tokio::test]
async fn serve_in_production_names_pool_and_keys_and_makes_nobody() {
    let source = JwksFixture::start(&[&TestKey::nth(0)]).await;
    let program = in_production(source.url().as_str());
    let server = program.serve().await;
    let text = server.stdout();
    for expected in [&format!("user pool  {POOL_ID}, keys from {}\n", source.url()), "in production mode\n", ISSUER] {
        assert!(text.contains(expected), "{expected} is missing: {text}");
    }
    eventually("the keys are there", async || server.call("GET", "/readyz").send().await.status == 200).await;
    assert!(!server.stdout().contains("superuser") && !server.stdout().contains("Next"), "{text}");
    assert_eq!(users(&program), [""; 0]);
}

#[tokio::test]
async fn each_option_of_token_is_seen_by_the_server_of_the_same_folder() {
    let rows: [(&str, &[&str], u16, &str); 8] = [
        (
            "a user who is not known may not come with an e-mail that is not verified",
            &["--unverified"],
            401,
            "email_unverified",
        ),
        ("a plain token", &[], 200, ""),
        ("groups", &["--group", "editors", "--group", "readers"], 200, ""),
        ("a user who is linked may", &["--unverified"], 200, ""),
        ("an access token where ID tokens are wanted", &["--access"], 401, "id_token_wanted"),
        ("expired", &["--expires-in", "-1"], 401, "token_expired"),
        ("expired, with a sign of equality", &["--expires-in=-3600"], 401, "token_expired"),
        ("a short life", &["--expires-in", "60"], 200, ""),
    ];
    let program = Program::new().set("COGNITO_LEEWAY_SECONDS", "0");
    let server = program.serve().await;
    for (what, arguments, status, code) in rows {
        let token = token(&program, arguments).await;
        let answer = server.call("GET", "/articles/").token(&token).send().await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        if status != 200 {
            assert_eq!(answer.code(), code, "{what}");
        }
    }
    assert_eq!(users(&program), ["admin admin@example.com 111", "alice@example.com alice@example.com 001"]);
}

#[tokio::test]
async fn tokens_carry_what_the_options_say() {
    use base64::Engine;
    let program = Program::new();
    let claims = async |arguments: &[&str]| {
        let token = token(&program, arguments).await;
        let part = token.split('.').nth(1).expect("three parts").to_owned();
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice::<serde_json::Value>(&claims).expect("JSON")
    };
    let plain = claims(&[]).await;
    assert_eq!((&plain["token_use"], &plain["email_verified"]), (&"id".into(), &true.into()));
    assert_eq!(plain["exp"].as_i64().zip(plain["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(3600));
    assert!(plain.get("cognito:groups").is_none());
    let bent = claims(&["--unverified", "--group", "a", "--group", "b"]).await;
    assert_eq!(bent["email_verified"], false);
    assert_eq!(bent["cognito:groups"], serde_json::json!(["a", "b"]));
    assert_eq!(bent["sub"], plain["sub"], "an address is one user");
    let access = claims(&["--access"]).await;
    assert_eq!((&access["token_use"], &access["sub"]), (&"access".into(), &plain["sub"]));
    assert!(access.get("email").is_none());
}

#[tokio::test]
async fn an_access_token_serves_a_user_who_is_linked_already_where_both_kinds_are_accepted() {
    let program = Program::new().set("COGNITO_TOKEN_USE", "any");
    let server = program.serve().await;
    let access = token(&program, &["--access"]).await;
    let before = server.call("GET", "/articles/").token(&access).send().await;
    assert_eq!((before.status, before.code().as_str()), (401, "email_missing"));
    let id = token(&program, &[]).await;
    assert_eq!(server.call("GET", "/articles/").token(&id).send().await.status, 200);
    assert_eq!(server.call("GET", "/articles/").token(&access).send().await.status, 200);
}

#[tokio::test]
async fn check_token_names_the_first_check_that_a_token_fails() {
    let program = Program::new().set("COGNITO_LEEWAY_SECONDS", "0");
    let token = async |arguments: &[&str]| {
        let outcome = program.run(&[&["token", "alice@example.com"], arguments].concat()).await;
        outcome.success().trim().to_owned()
    };
    let good = token(&[]).await;
    program.run_with(&["check-token"], &good).await.assert_error("there is no database at sqlite:gatepost.sqlite3 yet");
    program.run(&["migrate"]).await.success();
    let (head, rest) = good.split_once('.').expect("a token");
    let (claims, signature) = rest.split_once('.').expect("a token");
    let other_pool = Program::new().run(&["token", "alice@example.com"]).await.success().to_owned();
    let rows = [
        ("nothing", String::new(), "form", "token_malformed"),
        ("no token", "hello".to_owned(), "form", "token_malformed"),
        ("too large", "a".repeat(20_000), "form", "token_too_large"),
        ("no algorithm", format!("e30.{claims}.{signature}"), "header", "algorithm_not_allowed"),
        ("of another pool", other_pool, "key", "key_unknown"),
        ("other claims", format!("{head}.e30.{signature}"), "signature", "signature_invalid"),
        ("access", token(&["--access"]).await, "token_use", "id_token_wanted"),
        ("expired", token(&["--expires-in", "-1"]).await, "times", "token_expired"),
        ("unverified", token(&["--unverified"]).await, "user", "email_unverified"),
    ];
    for (case, token, check, code) in rows {
        let outcome = program.run_with(&["check-token"], &token).await;
        outcome.assert_error(&format!("refused: {code}"));
        let failed: Vec<_> = outcome.stdout.lines().filter(|line| line.starts_with("FAIL")).collect();
        assert!(matches!(failed[..], [line] if line[6..].starts_with(&format!("{check} "))), "{case}: {outcome:?}");
        let after = outcome.stdout.lines().skip_while(|line| !line.starts_with("FAIL")).skip(1);
        let reached = after.filter(|line| !line.starts_with("- ") && !line.contains("accepted:")).count();
        assert_eq!(reached, 0, "{case}: {outcome:?}");
    }
    for input in [good.clone(), format!("bearer {good}\n")] {
        let outcome = program.run_with(&["check-token"], &input).await;
        let text = outcome.success();
        assert!(text.contains("\"email\": \"alice@example.com\"") && text.contains("\"alg\": \"RS256\""), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), 10, "{text}");
        assert!(text.contains("ok    user       alice@example.com, created by the next request"), "{text}");
        assert!(!text.contains(signature), "the token itself is not repeated");
    }
    assert_eq!(texts(&mut program.database(), "SELECT username AS text FROM users"), [""; 0], "it changes nothing");
}

#[tokio::test]
async fn token_refuses_what_it_cannot_do() {
    Program::new().run(&["token", "not-an-address"]).await.assert_error("Enter a valid e-mail address.");
    let production = in_production("http://127.0.0.1:9/");
    production.run(&["token", "alice@example.com"]).await.assert_error("for the local user pool only");
    let absurd = Program::new().run(&["token", "alice@example.com", "--expires-in", "99999999999"]).await;
    assert_eq!((absurd.code, absurd.stdout.as_str()), (Some(2), ""), "{absurd:?}");
}

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
    assert!(outcome.success().ends_with("Password changed.\n"), "{outcome:?}");
    let hash = hash_of(&program, "root");
    assert!(password::verify("summer-Giraffe-72", &hash) && !password::verify("winter-Giraffe-71", &hash));
    assert_eq!(history(&program)[1], r#"command_line changed user root {"password":"changed"}"#);

    let refused = program.run_with(&["changepassword", "root"], "one-Giraffe-1\nother-Giraffe-2\n").await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(hash_of(&program, "root"), hash, "it is the old one still");
    program.run_with(&["changepassword", "nobody"], "").await.assert_error("there is no user `nobody`");
}

#[tokio::test]
async fn migrate_brings_a_database_up_to_date_and_says_so() {
    let program = Program::new();
    assert!(program.run(&["migrate"]).await.success().ends_with("migrations applied to sqlite:gatepost.sqlite3.\n"));
    assert_eq!(program.run(&["migrate"]).await.success(), "sqlite:gatepost.sqlite3 is up to date.\n");
    assert_eq!(texts(&mut program.database(), "SELECT journal_mode AS text FROM pragma_journal_mode"), ["wal"]);
}

#[tokio::test]
async fn commands_on_the_database_need_no_user_pool() {
    let program = Program::new()
        .set("APP_ENV", "production")
        .set("DJANGO_SUPERUSER_USERNAME", "root")
        .set("DJANGO_SUPERUSER_PASSWORD", "winter-Giraffe-71");
    program.run(&["migrate"]).await.success();
    program.run(&["createsuperuser", "--noinput"]).await.success();
    program.run_with(&["changepassword", "root"], "summer-Giraffe-72\nsummer-Giraffe-72\n").await.success();
    for command in [&["serve"][..], &["check"], &["token", "alice@example.com"]] {
        program.run(command).await.assert_error("AWS_USER_POOLS_ID: is not set");
    }
}

/// The words that `check` begins its lines with.
fn marks(outcome: &Outcome) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    outcome.stdout.lines().map(words).collect()
}

#[tokio::test]
async fn check_finds_nothing_wrong_before_and_after_the_first_start() {
    let source = JwksFixture::start(&[&TestKey::nth(0), &TestKey::nth(1)]).await;
    for program in [Program::new(), in_production(source.url().as_str())] {
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
async fn where_no_file_can_be_made_check_and_start_say_so() {
    if !Path::new("/proc/self").exists() {
        return skip("where_no_file_can_be_made_check_and_start_say_so", "/proc");
    }
    // Nobody can make a file there, not even root.
    let program = Program::new().set("DATABASE_URL", "sqlite:/proc/gatepost.sqlite3");
    program.run(&["migrate"]).await.assert_error("the file cannot be made: ");
    let outcome = program.run(&["check"]).await;
    assert!(outcome.code == Some(1) && outcome.stdout.contains("the file cannot be made: "), "{outcome:?}");
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
    let pending = format!("{} are pending", migrations.count());
    assert!(outcome.success().contains(&pending), "{outcome:?}");
    assert!(std::fs::read(&path).expect("the file") == before, "check has written to the database");
    let files = std::fs::read_dir(program.path("")).expect("the folder").count();
    assert_eq!(files, 1, "check leaves no file behind");
}

#[tokio::test]
async fn check_names_each_thing_that_is_wrong_and_fails() {
    let source = JwksFixture::start(&[&TestKey::nth(0)]).await;
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let healthy = || in_production(source.url().as_str());

    let outcome = in_production(&format!("http://{closed}/")).run(&["check"]).await;
    outcome.assert_error("1 of 4 checks failed");
    assert!(outcome.stdout.contains(&format!("FAIL  keys           http://{closed}/: ")), "{outcome:?}");

    let garbage = JwksFixture::start_with(Behaviour::Body(b"<html>".to_vec())).await;
    let outcome = in_production(garbage.url().as_str()).run(&["check"]).await;
    outcome.assert_error("1 of 4 checks failed");
    assert!(outcome.stdout.contains("FAIL  keys"), "{outcome:?}");

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
        outcome
            .stdout
            .contains("FAIL  migrations     the database has 99990101000000, which this version does not know"),
        "{outcome:?}"
    );
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

fn pretend_newer(program: &Program) {
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    program.database().batch_execute(newer).expect("a row");
}

#[tokio::test]
async fn each_failure_at_start_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let refusal = format!("BIND_ADDRESS: cannot listen on {address}: Address already in use");
    Program::new().set("BIND_ADDRESS", &address).run(&["serve"]).await.assert_error(&refusal);

    let program = Program::new();
    std::fs::write(program.path("gatepost.sqlite3"), [b'x'; 4096]).expect("a file");
    for command in ["serve", "migrate"] {
        program.run(&[command]).await.assert_error("database sqlite:gatepost.sqlite3: file is not a database");
    }

    let program = Program::new();
    program.run(&["migrate"]).await.success();
    pretend_newer(&program);
    for command in [&["serve"][..], &["migrate"], &["createsuperuser", "--noinput"], &["changepassword", "root"]] {
        let refusal = "it has the migration 99990101000000, which this version of Gatepost does not know";
        program.run(command).await.assert_error(refusal);
    }

    let nowhere = Program::new().set("DATABASE_URL", "sqlite:nowhere/db.sqlite3");
    nowhere.run(&["serve"]).await.assert_error("database sqlite:nowhere/db.sqlite3: its folder does not exist");

    let folder = Program::new().set("DATABASE_URL", "sqlite:/");
    folder.run(&["serve"]).await.assert_error("database sqlite:/: ");

    let program = Program::new();
    std::fs::write(program.path("gatepost.local-pool.keys"), "no keys\n").expect("a file");
    let mode = |mode| std::fs::set_permissions(program.path("gatepost.local-pool.keys"), Permissions::from_mode(mode));
    mode(0o644).expect("a mode");
    program.run(&["serve"]).await.assert_error("gatepost.local-pool.keys: holds keys and is open to other users");
    mode(0o600).expect("a mode");
    program.run(&["serve"]).await.assert_error("gatepost.local-pool.keys: is not a key file of the local user pool");

    Program::new().set("APP_ENV", "production").run(&["serve"]).await.assert_error("AWS_USER_POOLS_ID: is not set");
    let ca_file = in_production("http://127.0.0.1:9/").set("COGNITO_CA_FILE", "none.pem");
    ca_file.run(&["serve"]).await.assert_error("COGNITO_CA_FILE: none.pem: ");
}

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

#[tokio::test]
async fn processes_that_migrate_at_once_on_an_empty_folder_all_succeed_and_one_does_it() {
    for round in 0..20 {
        let program = Program::new();
        let outcomes = futures_util::future::join_all((0..5).map(|_| program.run(&["migrate"]))).await;
        let applied = outcomes.iter().filter(|outcome| outcome.success().contains("migrations applied")).count();
        assert_eq!(applied, 1, "round {round}: {outcomes:?}");
    }
}

#[tokio::test]
async fn processes_that_start_at_once_on_an_empty_folder_all_come_up_and_agree() {
    for round in 0..4 {
        let program = Program::new();
        let (first, second, third) = tokio::join!(program.serve(), program.serve(), program.serve());
        let servers = [first, second, third];
        let token = token(&program, &[]).await;
        for server in &servers {
            let answer = server.call("GET", "/articles/").token(&token).send().await;
            assert_eq!(answer.status, 200, "round {round}: one pool, whoever made its keys: {answer:?}");
            eventually("the text is there", async || server.stdout().contains("curl ")).await;
        }
        let shown = servers.iter().filter(|server| server.stdout().contains("superuser  admin")).count();
        assert_eq!(shown, 1, "round {round}: one superuser, whose password is shown once");
        assert_eq!(
            users(&program),
            ["admin admin@example.com 111", "alice@example.com alice@example.com 001"],
            "round {round}"
        );
    }
}
