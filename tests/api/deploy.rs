//! What operators start from: the settings file, nginx before the service, the unit of systemd, the container.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use gatepost::config::SETTINGS;
use gatepost::http::client_address::TrustedProxies;
use reqwest::header::HeaderMap;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use crate::harness::client::{Answer, Call};
use crate::harness::program::Program;
use crate::harness::{TestServer, eventually, find, free_port, nginx_configuration, skip};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `.env.example` as it has to be.
fn env_example() -> String {
    let mut text = "# All settings of Gatepost and their defaults. Copy this file to `.env` in the folder where you\n\
                    # start Gatepost, or use it as systemd's EnvironmentFile. Remove the # in front of what you set.\n"
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

/// nginx with the sample configuration, before a server of a test. Stopped when dropped.
struct Nginx {
    process: Child,
    http: SocketAddr,
    https: SocketAddr,
    client: reqwest::Client,
    /// Connections that nginx has opened to the service.
    connections: Arc<AtomicUsize>,
    relay: tokio::task::JoinHandle<()>,
    _folder: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.relay.abort();
    }
}

/// Replaces what has to be in the text.
#[track_caller]
fn replaced(text: &str, what: &str, by: &str) -> String {
    assert!(text.contains(what), "the sample has no {what}");
    text.replace(what, by)
}

/// Passes connections on and counts them.
async fn relay(to: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let task = tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                if let Ok(mut to) = TcpStream::connect(to).await {
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                }
            });
        }
    });
    (address, count, task)
}

impl Nginx {
    /// `None` where nginx or openssl is missing.
    async fn start(server: &TestServer) -> Option<Nginx> {
        let nginx = find("nginx")?;
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().to_str().expect("text");
        let certificate = Command::new(find("openssl")?)
            .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost".split(' '))
            .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "privkey.pem", "-out", "fullchain.pem"])
            .current_dir(path)
            .output()
            .expect("openssl runs");
        assert!(certificate.status.success(), "{certificate:?}");
        let (upstream, connections, relay) = relay(server.address).await;
        let (http, https) = (free_port(), free_port());
        let site = read("deploy/nginx.conf");
        let site = replaced(&site, "server 127.0.0.1:8000;", &format!("server {upstream};"));
        let site = replaced(&site, "listen 80;", &format!("listen {http};"));
        let site = replaced(&site, "listen 443 ssl http2;", &format!("listen {https} ssl http2;"));
        let site = replaced(&site, "listen [::]:80;", "");
        let site = replaced(&site, "listen [::]:443 ssl http2;", "");
        let site = replaced(&site, "api.example.com", "localhost");
        let site = replaced(&site, "/etc/ssl/gatepost/", &format!("{path}/"));
        std::fs::write(folder.path().join("nginx.conf"), nginx_configuration(path, &site)).expect("a file");
        let command = || {
            let mut command = Command::new(&nginx);
            command
                .args(["-p", path, "-e", "error.log", "-c", "nginx.conf"])
                .stdout(Stdio::null())
                .stderr(Stdio::piped());
            command
        };
        let check = command().arg("-t").output().expect("nginx runs");
        let said = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success() && !said.contains("[warn]"), "{said}");
        let process = command().stderr(Stdio::null()).spawn().expect("nginx runs");
        eventually("nginx listens", async || TcpStream::connect(https).await.is_ok()).await;
        let certificate = std::fs::read(folder.path().join("fullchain.pem")).expect("a certificate");
        let certificate = reqwest::Certificate::from_pem(&certificate).expect("a certificate");
        let client = reqwest::Client::builder().tls_certs_only([certificate]).no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none()).resolve("localhost", https).build();
        let client = client.expect("a client");
        Some(Nginx { process, http, https, client, connections, relay, _folder: folder })
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.https.port())
    }

    async fn send(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("nginx answers");
        let (status, headers): (u16, HeaderMap) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.expect("a body").to_vec() }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        Nginx::send(self.client.get(self.url(path)).bearer_auth(token)).await
    }
}

/// A server as the sample wants it, with a limit to see by who is taken for whom.
async fn server() -> TestServer {
    TestServer::start_with(|config| {
        config.trusted_proxies = TrustedProxies(vec!["127.0.0.1".parse().expect("an address")]);
        config.rate_limit_address = "3/h".parse().ok();
        config.metrics_token = Some(gatepost::crypto::Secret::new("m".repeat(32)));
    })
    .await
}

#[tokio::test]
async fn the_service_works_behind_the_sample_of_nginx() {
    let server = server().await;
    let Some(nginx) = Nginx::start(&server).await else {
        return skip("the_service_works_behind_the_sample_of_nginx", "nginx or openssl");
    };
    let token = server.alice().await;
    let answer = nginx.get("/me/", &token).await;
    assert_eq!((answer.status, answer.json()["username"].as_str()), (200, Some("alice")));
    // It is told of TLS, and tells browsers to insist on it.
    assert!(answer.header("strict-transport-security").starts_with("max-age=31536000"), "{answer:?}");
    let id = answer.header("x-request-id");
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "it is nginx' id: {id}");

    let created = Nginx::send(
        nginx
            .client
            .post(nginx.url("/articles/"))
            .bearer_auth(&token)
            .header("content-type", "application/json")
            .body(r#"{"name":"through nginx"}"#),
    )
    .await;
    assert_eq!(created.redirect(), (201, "/articles/1/"));

    // What the client says of its address counts for nothing: three strangers' requests, and no more.
    let stranger = |n: usize| nginx.client.get(nginx.url("/me/")).header("x-forwarded-for", format!("192.0.2.{n}"));
    for n in 1..=3 {
        assert_eq!(Nginx::send(stranger(n)).await.status, 401);
    }
    assert_eq!(Nginx::send(stranger(4)).await.status, 429);
    // Nor does what it says of itself otherwise.
    let forged = nginx.client.get(nginx.url("/me/")).bearer_auth(&token).header("x-forwarded-proto", "http");
    let forged = Nginx::send(forged.header("x-request-id", "chosen-by-the-client")).await;
    assert_ne!(forged.header("x-request-id"), "chosen-by-the-client");
    assert!(!forged.header("strict-transport-security").is_empty());

    // The metrics stay within, whoever has the token.
    assert_eq!(server.call("GET", "/metrics").token(&"m".repeat(32)).status().await, 200);
    assert_eq!(nginx.get("/metrics", &"m".repeat(32)).await.status, 404);

    // What is not encrypted leads to what is, and a POST stays one.
    let plain = Call::new(nginx.http, "POST", "/articles/?a=b").header("host", "localhost").json("{}").send().await;
    assert_eq!(plain.redirect(), (308, "https://localhost/articles/?a=b"));
}

#[tokio::test]
async fn bodies_meet_the_services_limit_before_that_of_nginx() {
    let server = server().await;
    let Some(nginx) = Nginx::start(&server).await else {
        return skip("bodies_meet_the_services_limit_before_that_of_nginx", "nginx or openssl");
    };
    let token = server.alice().await;
    let post = async |size: usize| {
        let body = format!("{}{{\"name\":\"x\"}}", " ".repeat(size - 12));
        let request = nginx.client.post(nginx.url("/articles/")).bearer_auth(&token);
        Nginx::send(request.header("content-type", "application/json").body(body)).await
    };
    assert_eq!(post(1_048_576).await.status, 201);
    for size in [1_048_577, 1_500_000, 2 * 1024 * 1024] {
        let answer = post(size).await;
        assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"), "{size} bytes");
    }
    let answer = post(2 * 1024 * 1024 + 1).await;
    assert_eq!((answer.status, answer.header("content-type")), (413, "text/html"), "this one is nginx'");
    assert_eq!(nginx.get("/me/", &token).await.status, 200);
}

#[tokio::test]
async fn nginx_keeps_its_connections_to_the_service() {
    let server = server().await;
    let Some(nginx) = Nginx::start(&server).await else {
        return skip("nginx_keeps_its_connections_to_the_service", "nginx or openssl");
    };
    let token = server.alice().await;
    for _ in 0..30 {
        assert_eq!(nginx.get("/articles/", &token).await.status, 200);
    }
    assert_eq!(nginx.connections.load(Ordering::SeqCst), 1);
    // nginx closes an idle connection before the service does, so that it never sends on one that is closed.
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(nginx.get("/articles/", &token).await.status, 200);
    assert_eq!(nginx.connections.load(Ordering::SeqCst), 2);
    let answers = join_all((0..200).map(|_| nginx.get("/articles/", &token))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
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
