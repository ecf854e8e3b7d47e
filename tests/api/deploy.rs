//! What operators start from: the settings file, the unit of systemd, the container, a proxy with TLS.

mod proxies;

use std::path::{Path, PathBuf};
use std::process::Command;

use gatepost::config::SETTINGS;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::harness::program::Program;
use crate::harness::{find, free_port, skip};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `.env.example` as it has to be.
fn env_example() -> String {
    let mut text = "# All settings of Gatepost and their defaults. Copy this file to `.env` in the folder where you\n\
                    # start Gatepost, or use it as systemd's EnvironmentFile. Remove the # in front of what you set.\n\
                    # The Debian package has `docs/` in /usr/share/doc/gatepost/.\n"
        .to_owned();
    for setting in SETTINGS {
        text.push('\n');
        for paragraph in [setting.meaning.to_owned(), format!("Default: {}.", setting.default)] {
            let mut line = "#".to_owned();
            for word in paragraph.split(' ') {
                if line.len() + word.len() >= 110 {
                    text.push_str(&line);
                    text.push('\n');
                    line = "#".to_owned();
                }
                line.push(' ');
                line.push_str(word);
            }
            text.push_str(&line);
            text.push('\n');
        }
        text.push_str(&format!("#{}=\n", setting.name));
    }
    text
}

#[test]
fn the_example_of_a_settings_file_has_every_setting() {
    let expected = env_example();
    assert!(read(".env.example") == expected, ".env.example has to be:\n{expected}");
}

#[tokio::test]
async fn the_example_of_a_settings_file_can_be_read_and_changes_nothing() {
    let program = Program::new();
    let example = read(".env.example");
    let uncommented: String = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.ends_with('=') && !setting.starts_with(' ') => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert_eq!(uncommented.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count(), SETTINGS.len());
    for text in [example, uncommented] {
        std::fs::write(program.path(".env"), text).expect("a file");
        let outcome = program.run(&["check"]).await;
        assert!(outcome.success().contains("development mode, 127.0.0.1:0"), "{outcome:?}");
    }
}

/// Replaces what has to be in the text.
#[track_caller]
fn replaced(text: &str, what: &str, by: &str) -> String {
    assert!(text.contains(what), "the sample has no {what}");
    text.replace(what, by)
}

#[test]
fn the_unit_of_systemd_is_sound_and_shut() {
    const NAME: &str = "the_unit_of_systemd_is_sound_and_shut";
    let Some(analyze) = find("systemd-analyze") else { return skip(NAME, "systemd-analyze") };
    let unit = read("deploy/gatepost.service");
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("gatepost.service");
    // The program has to be there.
    let unit =
        replaced(&unit, "ExecStart=/usr/local/bin/gatepost", &format!("ExecStart={}", env!("CARGO_BIN_EXE_gatepost")));
    std::fs::write(&file, unit).expect("a file");
    let run = |arguments: &[&str]| {
        let output = Command::new(&analyze).args(arguments).arg(&file).output().expect("systemd-analyze runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let (is_sound, said) = run(&["verify"]);
    assert!(is_sound && said.is_empty(), "{said}");
    let socket = folder.path().join("gatepost.socket");
    std::fs::write(&socket, read("deploy/gatepost.socket")).expect("a file");
    let (is_sound, said) = run(&["verify", socket.to_str().expect("a path")]);
    assert!(is_sound && said.is_empty(), "{said}");
    // In tenths of the scale's ten: 1.5.
    let (is_shut, said) = run(&["security", "--offline=true", "--no-pager", "--threshold=15"]);
    assert!(is_shut && said.contains("Overall exposure level"), "{said}");
}

#[test]
fn the_container_is_built_of_what_is_there_and_of_no_secrets() {
    let file = read("deploy/Dockerfile");
    let copied: Vec<&str> = file
        .lines()
        .filter_map(|line| line.strip_prefix("COPY ").filter(|line| !line.starts_with("--from")))
        .flat_map(|line| line.split(' ').rev().skip(1))
        .collect();
    let ignored = read(".dockerignore");
    let mut sent: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut needed = copied.clone();
    sent.sort_unstable();
    needed.sort_unstable();
    assert_eq!(sent, needed, "what is sent to the build is what it copies");
    assert!(ignored.lines().any(|line| line == "*"), "all the rest stays here");
    for path in copied {
        assert!(repository(path).exists(), "{path}");
    }
    let version = env!("CARGO_PKG_RUST_VERSION");
    assert!(file.contains(&format!("FROM rust:{version}-")), "the image's Rust is the least that will do");
    assert!(file.lines().any(|line| line == "USER nonroot"));
    let settings = file.split_once("\nENV ").and_then(|(_, rest)| rest.split_once("\nEXPOSE")).expect("settings").0;
    for name in settings.lines().filter_map(|line| line.trim().split_once('=')).map(|(name, _)| name) {
        assert!(name == "PATH" || SETTINGS.iter().any(|setting| setting.name == name), "{name} is no setting");
    }
}

#[test]
fn the_dev_container_has_the_packages_that_ci_installs() {
    let (ci, container) = (read(".ci/run"), read(".devcontainer/Dockerfile"));
    let needed = ci.lines().filter_map(|line| line.strip_prefix("need ")?.split(' ').nth(1));
    let further = ci.split("missing+=(").skip(1).filter_map(|rest| rest.split_once(')')).map(|(names, _)| names);
    let further = further.flat_map(|names| names.split(' ')).filter(|name| !name.contains('$'));
    let needed: Vec<&str> = needed.chain(further).collect();
    assert!(needed.len() > 10, "{needed:?}");
    let installed: Vec<&str> = container.split_whitespace().collect();
    for name in needed {
        assert!(installed.contains(&name), "{name} is missing in .devcontainer/Dockerfile");
    }
}

#[tokio::test]
async fn health_asks_the_server_of_its_settings() {
    let program = Program::new();
    let serving = program.serve().await;
    let at = |address: String| Program::new().set("BIND_ADDRESS", &address);
    assert_eq!(at(serving.address.to_string()).run(&["health"]).await.success(), "ok\n");
    // Where a server listens on all addresses it is asked on this machine.
    assert_eq!(at(format!("0.0.0.0:{}", serving.address.port())).run(&["health"]).await.success(), "ok\n");
    // It needs no other setting, and no database.
    let bare = at(serving.address.to_string()).set("APP_ENV", "production");
    assert_eq!(bare.run(&["health"]).await.success(), "ok\n");
    assert!(!bare.path("gatepost.sqlite3").exists());

    let nobody = free_port();
    at(nobody.to_string()).run(&["health"]).await.assert_error(&format!("{nobody} does not respond: "));
    Program::new().run(&["health"]).await.assert_error("BIND_ADDRESS has port 0");
    at("8000".to_owned()).run(&["health"]).await.assert_error("BIND_ADDRESS: `8000` is not an IP address and port");

    for (said, error) in [
        (&b"HTTP/1.1 503 Service Unavailable\r\n\r\n"[..], "answers 503"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "answers 404"),
        (b"220 mail", "does not respond"),
        (b"", "does not respond"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, said).await;
        };
        let program = at(address.to_string());
        let (outcome, ()) = tokio::join!(program.run(&["health"]), answer);
        outcome.assert_error(&format!("{address} {error}"));
    }
}
