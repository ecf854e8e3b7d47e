//! nginx and Caddy before the service, with TLS, by their sample configurations.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use gatepost::http::client_address::TrustedProxies;
use reqwest::header::HeaderMap;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use super::{read, replaced};
use crate::harness::client::{Answer, Call};
use crate::harness::{TestServer, eventually, find, free_port, nginx_configuration, skip};

/// A proxy with its sample configuration, before a server of a test. Stopped when dropped.
struct Proxy {
    process: Child,
    http: SocketAddr,
    https: SocketAddr,
    client: reqwest::Client,
    /// Connections that the proxy has opened to the service.
    connections: Arc<AtomicUsize>,
    relay: tokio::task::JoinHandle<()>,
    _folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.relay.abort();
    }
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

/// Runs a command to its end, which has to be a good one without a warning.
fn check(command: &mut Command) {
    let outcome = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&outcome.stderr);
    let has_warning = said.contains("[warn]") || said.contains("\"level\":\"warn\"");
    assert!(outcome.status.success() && !has_warning, "{said}");
}

impl Proxy {
    /// `None` where nginx or openssl is missing.
    async fn nginx(server: &TestServer) -> Option<Proxy> {
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
        let relayed = relay(server.address).await;
        let (http, https) = (free_port(), free_port());
        let site = read("deploy/nginx.conf");
        let site = replaced(&site, "server 127.0.0.1:8000;", &format!("server {};", relayed.0));
        let site = replaced(&site, "listen 80;", &format!("listen {http};"));
        let site = replaced(&site, "listen 443 ssl http2;", &format!("listen {https} ssl http2;"));
        let site = replaced(&site, "listen [::]:80;", "");
        let site = replaced(&site, "listen [::]:443 ssl http2;", "");
        let site = replaced(&site, "api.example.com", "localhost");
        let site = replaced(&site, "/etc/ssl/gatepost/", &format!("{path}/"));
        std::fs::write(folder.path().join("nginx.conf"), nginx_configuration(path, &site)).expect("a file");
        let command = || {
            let mut command = Command::new(&nginx);
            command.args(["-p", path, "-e", "error.log", "-c", "nginx.conf"]);
            command
        };
        check(command().arg("-t"));
        let command = command();
        Some(Proxy::start(command, folder, "fullchain.pem", [http, https], relayed).await)
    }

    /// `None` where Caddy is missing.
    async fn caddy(server: &TestServer) -> Option<Proxy> {
        let caddy = find("caddy")?;
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().to_str().expect("text").to_owned();
        let relayed = relay(server.address).await;
        let (http, https) = (free_port(), free_port());
        let site = read("deploy/Caddyfile");
        let site = replaced(&site, "127.0.0.1:8000 {", &format!("{} {{", relayed.0));
        let site = replaced(&site, "\napi.example.com {", "\nlocalhost {");
        // A certificate for the internet needs the internet. The other options keep it away from the rest of the machine.
        let options = format!(
            "{{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tdefault_bind 127.0.0.1\n\tstorage file_system {path}\n\
             \thttp_port {}\n\thttps_port {}\n}}\n",
            http.port(),
            https.port()
        );
        std::fs::write(folder.path().join("Caddyfile"), format!("{options}{site}")).expect("a file");
        let command = |name: &str| {
            let mut command = Command::new(&caddy);
            command.arg(name).args(["--adapter", "caddyfile", "--config", "Caddyfile"]);
            command.current_dir(&path).env("HOME", &path);
            command
        };
        check(&mut command("validate"));
        let command = command("run");
        Some(Proxy::start(command, folder, "pki/authorities/local/root.crt", [http, https], relayed).await)
    }

    /// `root`: the file in the folder with the certificate to trust.
    async fn start(
        mut command: Command,
        folder: TempDir,
        root: &str,
        [http, https]: [SocketAddr; 2],
        (_, connections, relay): (SocketAddr, Arc<AtomicUsize>, tokio::task::JoinHandle<()>),
    ) -> Proxy {
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the proxy runs");
        eventually("the proxy listens", async || TcpStream::connect(https).await.is_ok()).await;
        let root = folder.path().join(root);
        eventually("the certificate is there", async || certificate(&root).is_some()).await;
        let client = reqwest::Client::builder().tls_certs_only(certificate(&root)).no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none()).resolve("localhost", https).build();
        Proxy { process, http, https, client: client.expect("a client"), connections, relay, _folder: folder }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.https.port())
    }

    async fn send(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("the proxy answers");
        let (status, headers): (u16, HeaderMap) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.expect("a body").to_vec() }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        Proxy::send(self.client.get(self.url(path)).bearer_auth(token)).await
    }

    /// Creates an article with a body of this many bytes.
    async fn post(&self, token: &str, size: usize) -> Answer {
        let body = format!("{}{{\"name\":\"x\"}}", " ".repeat(size - 12));
        let request = self.client.post(self.url("/articles/")).bearer_auth(token);
        Proxy::send(request.header("content-type", "application/json").body(body)).await
    }
}

fn certificate(path: &Path) -> Option<reqwest::Certificate> {
    reqwest::Certificate::from_pem(&std::fs::read(path).ok()?).ok()
}

/// A server as the samples want it, with a limit to see by who is taken for whom.
async fn server() -> TestServer {
    TestServer::start_with(|config| {
        config.trusted_proxies = TrustedProxies(vec!["127.0.0.1".parse().expect("an address")]);
        config.rate_limit_address = "3/h".parse().ok();
        config.metrics_token = Some(gatepost::crypto::Secret::new("m".repeat(32)));
    })
    .await
}

async fn assert_works(server: &TestServer, proxy: &Proxy, token: &str) {
    let answer = proxy.get("/me/", token).await;
    assert_eq!((answer.status, answer.json()["username"].as_str()), (200, Some("alice")));
    // It is told of TLS, and tells browsers to insist on it.
    assert!(answer.header("strict-transport-security").starts_with("max-age=31536000"), "{answer:?}");
    assert_eq!(proxy.post(token, 100).await.redirect(), (201, "/articles/1/"));

    // What the client says of its address counts for nothing: three strangers' requests, and no more.
    let stranger = |n: usize| proxy.client.get(proxy.url("/me/")).header("x-forwarded-for", format!("192.0.2.{n}"));
    for n in 1..=3 {
        assert_eq!(Proxy::send(stranger(n)).await.status, 401);
    }
    assert_eq!(Proxy::send(stranger(4)).await.status, 429);
    // Nor does what it says of itself otherwise.
    let forged = proxy.client.get(proxy.url("/me/")).bearer_auth(token).header("x-forwarded-proto", "http");
    let forged = Proxy::send(forged.header("x-request-id", "chosen-by-the-client")).await;
    assert_eq!(forged.status, 200);
    assert_ne!(forged.header("x-request-id"), "chosen-by-the-client");
    assert!(!forged.header("strict-transport-security").is_empty());

    // The metrics stay within, whoever has the token.
    assert_eq!(server.call("GET", "/metrics").token(&"m".repeat(32)).status().await, 200);
    assert_eq!(proxy.get("/metrics", &"m".repeat(32)).await.status, 404);

    // What is not encrypted leads to what is, and a POST stays one.
    let plain = Call::new(proxy.http, "POST", "/articles/?a=b").header("host", "localhost").json("{}").send().await;
    let (status, location) = plain.redirect();
    assert_eq!(
        (status, location.replace(&format!(":{}", proxy.https.port()), "")),
        (308, "https://localhost/articles/?a=b".to_owned())
    );
}

#[tokio::test]
async fn the_service_works_behind_the_sample_of_nginx() {
    let server = server().await;
    let Some(nginx) = Proxy::nginx(&server).await else {
        return skip("the_service_works_behind_the_sample_of_nginx", "nginx or openssl");
    };
    let token = server.alice().await;
    assert_works(&server, &nginx, &token).await;
    let answer = nginx.get("/me/", &token).await;
    let id = answer.header("x-request-id");
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "it is nginx' id: {id}");
}

#[tokio::test]
async fn the_service_works_behind_the_sample_of_caddy() {
    let server = server().await;
    let Some(caddy) = Proxy::caddy(&server).await else {
        return skip("the_service_works_behind_the_sample_of_caddy", "caddy");
    };
    let token = server.alice().await;
    assert_works(&server, &caddy, &token).await;
    let answer = caddy.get("/me/", &token).await;
    assert_eq!(answer.header("x-request-id").split('-').count(), 5, "it is Caddy's id: {answer:?}");
    for (size, status) in [(1_048_576, 201), (1_048_577, 413), (2_100_000, 413)] {
        assert_eq!(caddy.post(&token, size).await.status, status, "{size} bytes");
    }
}

#[tokio::test]
async fn bodies_meet_the_services_limit_before_that_of_nginx() {
    let server = server().await;
    let Some(nginx) = Proxy::nginx(&server).await else {
        return skip("bodies_meet_the_services_limit_before_that_of_nginx", "nginx or openssl");
    };
    let token = server.alice().await;
    assert_eq!(nginx.post(&token, 1_048_576).await.status, 201);
    for size in [1_048_577, 1_500_000, 2 * 1024 * 1024] {
        let answer = nginx.post(&token, size).await;
        assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"), "{size} bytes");
    }
    let answer = nginx.post(&token, 2 * 1024 * 1024 + 1).await;
    assert_eq!((answer.status, answer.header("content-type")), (413, "text/html"), "this one is nginx'");
    assert_eq!(nginx.get("/me/", &token).await.status, 200);
}

/// A proxy closes an idle connection before the service does, so that it never sends on one that is closed.
async fn assert_keeps_connections(server: &TestServer, proxy: &Proxy) {
    let token = server.alice().await;
    for _ in 0..30 {
        assert_eq!(proxy.get("/articles/", &token).await.status, 200);
    }
    assert_eq!(proxy.connections.load(Ordering::SeqCst), 1);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(proxy.get("/articles/", &token).await.status, 200);
    assert_eq!(proxy.connections.load(Ordering::SeqCst), 2);
    let answers = join_all((0..200).map(|_| proxy.get("/articles/", &token))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
}

#[tokio::test]
async fn nginx_keeps_its_connections_to_the_service() {
    let server = server().await;
    let Some(nginx) = Proxy::nginx(&server).await else {
        return skip("nginx_keeps_its_connections_to_the_service", "nginx or openssl");
    };
    assert_keeps_connections(&server, &nginx).await;
}

#[tokio::test]
async fn caddy_keeps_its_connections_to_the_service() {
    let server = server().await;
    let Some(caddy) = Proxy::caddy(&server).await else {
        return skip("caddy_keeps_its_connections_to_the_service", "caddy");
    };
    assert_keeps_connections(&server, &caddy).await;
}
