//! `serve`: what it says at the start, and how it refuses to.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use gatepost::users::password;

use super::{hash_of, pretend_newer, users};
use crate::harness::eventually;
use crate::harness::jwks::JwksFixture;
use crate::harness::pool::{ISSUER, POOL_ID, TestKey};
use crate::harness::program::Program;

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
    let token = program.token().await;
    let list = server.call("GET", "/articles/").token(&token).send().await;
    list.assert(200, "[]");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.fetch(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn hints_name_the_program_as_it_was_started() {
    let path = env!("CARGO_BIN_EXE_gatepost");
    let features = if cfg!(feature = "postgres") { "--features postgres " } else { "" };
    // cargo sets the variable for the programs that it runs.
    let by_cargo = Program::new().set("CARGO_MANIFEST_DIR", "/src");
    for (program, started) in [(Program::new(), path.to_owned()), (by_cargo, format!("cargo run --quiet {features}--"))]
    {
        let server = program.serve().await;
        eventually("the text is there", async || server.stdout().contains("curl ")).await;
        let command = format!("{started} token alice@example.com");
        assert!(server.stdout().contains(&format!("TOKEN=$({command})\n")), "{}", server.stdout());
        let page = server.call("GET", "/articles/").header("accept", "text/html").send().await.text();
        assert!(page.contains(&format!(">{command}</pre>")), "{page}");
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
    let program = Program::with_keys_at(source.url());
    let server = program.serve().await;
    let text = server.stdout();
    for expected in [&format!("user pool  {POOL_ID}, keys from {}\n", source.url()), "in production mode\n", ISSUER] {
        assert!(text.contains(expected), "{expected} is missing: {text}");
    }
    server.ready().await;
    assert!(!server.stdout().contains("superuser") && !server.stdout().contains("Next"), "{text}");
    assert_eq!(users(&program), [""; 0]);
}

#[tokio::test]
async fn serve_shows_the_urls_that_people_can_open() {
    let source = JwksFixture::start(&[&TestKey::nth(0)]).await;
    let program = Program::with_keys_at(source.url()).set("PUBLIC_URL", "https://api.example.com/");
    let server = program.serve().await;
    let text = server.stdout();
    for expected in [
        &format!("  address    {}\n", server.address),
        "  admin      https://api.example.com/admin/\n",
        "  API        https://api.example.com/articles/  https://api.example.com/me/\n",
        "  docs       https://api.example.com/docs/  ",
    ] {
        assert!(text.contains(expected), "{expected} is missing: {text}");
    }
    assert!(!text.contains(&format!("http://{}", server.address)), "{text}");
    server.kill();

    let socket = format!("unix:{}", program.path("gatepost.sock").display());
    let at_socket = program.set("BIND_ADDRESS", &socket).serve().await;
    let text = at_socket.stdout();
    assert!(text.contains(&format!("  socket     {socket}\n  admin      https://api.example.com/admin/\n")), "{text}");

    // What to type next is for this machine, which may not reach that URL.
    let local = Program::new().set("PUBLIC_URL", "http://gatepost.example").serve().await;
    eventually("the text is there", async || local.stdout().contains("curl ")).await;
    assert!(local.stdout().contains(&format!(" http://{}/articles/\n", local.address)), "{}", local.stdout());
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
    program.run(&["serve"]).await.assert_error("gatepost.local-pool.keys: holds keys and is accessible to other users");
    mode(0o600).expect("a mode");
    program.run(&["serve"]).await.assert_error("gatepost.local-pool.keys: is not a key file of the local user pool");

    Program::new().set("APP_ENV", "production").run(&["serve"]).await.assert_error("AWS_USER_POOLS_ID: is not set");
    let ca_file = Program::with_keys_at("http://127.0.0.1:9/").set("COGNITO_CA_FILE", "none.pem");
    ca_file.run(&["serve"]).await.assert_error("COGNITO_CA_FILE: none.pem: ");
}

#[tokio::test]
async fn processes_that_start_at_once_on_an_empty_folder_all_come_up_and_agree() {
    for round in 0..4 {
        let program = Program::new();
        let (first, second, third) = tokio::join!(program.serve(), program.serve(), program.serve());
        let servers = [first, second, third];
        let token = program.token().await;
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
