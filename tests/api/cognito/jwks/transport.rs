//! Proxies and certificates on the way to the keys.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::third;
use crate::harness::jwks::{JwksFixture, key_set};
use crate::harness::pool::TestPool;
use crate::harness::program::Program;
use crate::harness::skip;

/// A proxy that notes the first line of each request and passes nothing on.
struct DeadProxy {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl DeadProxy {
    async fn start() -> DeadProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = requests.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                noted.lock().expect("the lock").push(line);
                let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        DeadProxy { url, requests, task }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("the lock").clone()
    }
}

impl Drop for DeadProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs `check`; what it says of the keys, and what it says of what it could not do at all.
async fn check_keys(variables: &[(&str, &str)]) -> (bool, String) {
    let program = variables.iter().fold(Program::in_production(), |program, (name, value)| program.set(name, value));
    let outcome = program.run(&["check"]).await;
    let line = outcome.stdout.lines().find(|line| line.contains("  keys  "));
    (outcome.code == Some(0), line.map_or_else(|| format!("{outcome:?}"), str::to_owned))
}

#[tokio::test]
async fn keys_from_elsewhere_are_fetched_through_the_proxy_of_the_environment() {
    // An unknown name: if the proxy did not stand between, the error would be another one.
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = DeadProxy::start().await;
        let url = "https://keys.gatepost.invalid/jwks.json";
        let (ok, line) = check_keys(&[("COGNITO_JWKS_URL", url), (name, &proxy.url)]).await;
        assert!(!ok && line.starts_with("FAIL"), "{name}: {line}");
        assert_eq!(proxy.requests(), ["CONNECT keys.gatepost.invalid:443 HTTP/1.1"], "{name}: {line}");
    }
}

#[tokio::test]
async fn keys_of_loopback_addresses_are_never_fetched_through_a_proxy() {
    let proxy = DeadProxy::start().await;
    let source = JwksFixture::start(&[&third()]).await;
    let by_name = source.url().as_str().replace("127.0.0.1", "localhost");
    for url in [source.url().as_str(), &by_name] {
        let proxied = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]
            .map(|name| (name, proxy.url.as_str()));
        let variables: Vec<_> = proxied.into_iter().chain([("COGNITO_JWKS_URL", url)]).collect();
        let (ok, line) = check_keys(&variables).await;
        assert!(ok && line.starts_with("ok"), "{url}: {line}");
    }
    assert_eq!(proxy.requests(), [""; 0]);
}

#[tokio::test]
async fn keys_in_the_clear_need_no_certificates_on_the_machine() {
    let pool = TestPool::start().await;
    let folder = Program::with_keys_at(pool.jwks.url()).set("COGNITO_CREATE_USERS", "true");
    let folder = folder.set("SSL_CERT_FILE", "/nonexistent").set("SSL_CERT_DIR", "/nonexistent");
    let program = folder.serve().await;
    program.ready().await;
    assert_eq!(program.call("GET", "/me/").token(&pool.token("alice").sign()).status().await, 200);
}

/// An HTTPS server, and the certificate authority that it needs one to trust.
struct TlsSource {
    port: u16,
    ca: PathBuf,
    _folder: tempfile::TempDir,
    server: Child,
}

impl Drop for TlsSource {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Serves one file of keys over TLS on all addresses of this machine.
const TLS_SERVER: &str = r#"
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("jwks.json", "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("leaf.pem", "leaf.key")
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

impl TlsSource {
    /// `None` where openssl or Python is missing.
    fn start() -> Option<TlsSource> {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path();
        std::fs::write(path.join("jwks.json"), key_set(&[&third()])).expect("a file");
        std::fs::write(path.join("extensions"), "subjectAltName=IP:127.0.0.1,IP:0.0.0.0,DNS:localhost\n")
            .expect("a file");
        let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(path, &format!("req -x509 {new_key} -keyout ca.key -out ca.pem -days 2 -subj /CN=TestAuthority"))?;
        openssl(path, &format!("req {new_key} -keyout leaf.key -out leaf.csr -subj /CN=localhost"))?;
        openssl(
            path,
            "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out leaf.pem",
        )?;
        let mut server = Command::new("python3");
        server.args(["-c", TLS_SERVER]).current_dir(path).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = server.spawn().ok()?;
        let mut line = String::new();
        let output = server.stdout.take().expect("standard output");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("a line");
        let port = line.trim().parse().expect("a port");
        Some(TlsSource { port, ca: path.join("ca.pem"), _folder: folder, server })
    }
}

fn openssl(folder: &Path, arguments: &str) -> Option<()> {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().ok()?;
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

/// A case: its name, the environment, whether the keys come, and what the proxy is asked for.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], bool, &'a [&'a str]);

#[tokio::test]
async fn https_sources_need_a_trusted_certificate_and_ca_file_and_no_proxy_are_honoured() {
    let Some(source) = TlsSource::start() else {
        return skip(
            "https_sources_need_a_trusted_certificate_and_ca_file_and_no_proxy_are_honoured",
            "openssl or python3",
        );
    };
    let ca = source.ca.to_str().expect("text");
    // 0.0.0.0 leads to this machine, but is no loopback address: proxies count for it.
    let (local, elsewhere) =
        (format!("https://127.0.0.1:{}/", source.port), format!("https://0.0.0.0:{}/", source.port));
    let proxy = DeadProxy::start().await;
    let connect = format!("CONNECT 0.0.0.0:{} HTTP/1.1", source.port);
    let marked = source.ca.with_extension("marked.pem");
    let pem = std::fs::read(&source.ca).expect("the file");
    std::fs::write(&marked, [b"\xef\xbb\xbf", &pem[..]].concat()).expect("a file");
    let marked = marked.to_str().expect("text");
    let no_system = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    let rows: [Row; 8] = [
        ("unknown authority", &[("COGNITO_JWKS_URL", &local)], false, &[]),
        ("COGNITO_CA_FILE", &[("COGNITO_JWKS_URL", &local), ("COGNITO_CA_FILE", ca)], true, &[]),
        (
            "a byte order mark",
            &[("COGNITO_JWKS_URL", &local), ("COGNITO_CA_FILE", marked), no_system[0], no_system[1]],
            true,
            &[],
        ),
        (
            "COGNITO_CA_FILE where the system has no authorities",
            &[("COGNITO_JWKS_URL", &local), ("COGNITO_CA_FILE", ca), no_system[0], no_system[1]],
            true,
            &[],
        ),
        (
            "loopback is not proxied",
            &[("COGNITO_JWKS_URL", &local), ("COGNITO_CA_FILE", ca), ("HTTPS_PROXY", &proxy.url)],
            true,
            &[],
        ),
        ("no proxy", &[("COGNITO_JWKS_URL", &elsewhere), ("COGNITO_CA_FILE", ca)], true, &[]),
        (
            "HTTPS_PROXY",
            &[("COGNITO_JWKS_URL", &elsewhere), ("COGNITO_CA_FILE", ca), ("HTTPS_PROXY", &proxy.url)],
            false,
            &[&connect],
        ),
        (
            "NO_PROXY",
            &[
                ("COGNITO_JWKS_URL", &elsewhere),
                ("COGNITO_CA_FILE", ca),
                ("HTTPS_PROXY", &proxy.url),
                ("NO_PROXY", "example.com,0.0.0.0"),
            ],
            true,
            &[],
        ),
    ];
    for (case, variables, expected, requests) in rows {
        proxy.requests.lock().expect("the lock").clear();
        let (ok, line) = check_keys(variables).await;
        assert_eq!(ok, expected, "{case}: {line}");
        assert_eq!(proxy.requests(), requests, "{case}: {line}");
        assert!(case != "unknown authority" || line.contains("certificate"), "{case}: {line}");
    }
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_used_is_named_and_stops_the_start() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("text").to_owned()
    };
    let broken = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let rows = [
        ("missing", folder.path().join("missing").to_str().expect("text").to_owned()),
        ("empty", file("empty", "")),
        ("no PEM", file("text", "hello")),
        ("broken PEM", file("broken", broken)),
        ("no certificate in PEM", file("nonsense", &broken.replace("!!!!", "AAAA"))),
    ];
    for (case, path) in &rows {
        for command in ["check", "serve"] {
            let outcome = Program::in_production().set("COGNITO_CA_FILE", path).run(&[command]).await;
            let text = [outcome.stdout, outcome.stderr].concat();
            assert_eq!(outcome.code, Some(1), "{case}, {command}: {text}");
            assert!(text.contains("COGNITO_CA_FILE") && text.contains(path.as_str()), "{case}, {command}: {text}");
        }
    }
}
