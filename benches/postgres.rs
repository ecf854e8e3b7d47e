//! `cargo bench --features postgres --bench postgres`: the service on PostgreSQL.
//!
//! Starts a PostgreSQL server of its own, which writes every commit to disk. Floors in the same run: pgbench with one
//! prepared insert per transaction, over as many connections, and the service on SQLite. `-- --log` prints the
//! statements of one POST and of the GET after it instead.

#[path = "http/client.rs"]
mod client;
#[path = "http/load.rs"]
mod load;
#[path = "http/server.rs"]
mod server;
#[path = "http/table.rs"]
mod table;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use gatepost::cognito::local_pool::{LocalPool, TokenRequest};
use load::{Load, Measured};
use server::Server;
use table::Comparison;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Number of connections, each with one request at a time.
const CLIENTS: usize = 32;
const ROUNDS: usize = 5;
/// Number of uncached reads.
const UNREMEMBERED_READS: usize = 10_000;
/// Duration of one measurement per round.
const PERIOD: Duration = Duration::from_secs(3);
const INSERT: &str = "INSERT INTO inserted (name) VALUES ('Article of the benchmark');";

fn main() -> Outcome<()> {
    // PostgreSQL does not run as root, and its user may not enter root's temporary folders.
    let folder = tempfile::TempDir::with_prefix_in("gatepost-bench-", "/tmp")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--log") {
        return print_statements(folder.path());
    }
    let postgres = Postgres::start(folder.path(), &[])?;
    let sqlite = Service::start(&folder.path().join("sqlite"), &[])?;
    let service = Service::start(&folder.path().join("service"), &[("DATABASE_URL", &postgres.url)])?;
    let mut writes = Comparison::new("POST, 32 clients, acknowledged when durable", "pgbench, one prepared insert");
    let mut mixed = Comparison::new("9 GET of 20 articles : 1 POST", "the same on SQLite");
    let mut reads = Comparison::new("GET 20 articles, nothing written", "the same on SQLite");
    let mut pages = Comparison::new("GET 20 articles, each time another query", "the same on SQLite");
    let mut per_post = Vec::new();
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS} ...");
        let floor = postgres.pgbench()?;
        let before = postgres.cpu_us()? + cpu_us(service.server.process.id())?;
        let posted = service.measure(vec![service.post.clone()])?;
        let used = postgres.cpu_us()? + cpu_us(service.server.process.id())? - before;
        per_post.push(used / (posted.per_second * PERIOD.as_secs_f64()));
        writes.rounds.push((posted, floor));
        mixed.rounds.push((service.measure(service.mix())?, sqlite.measure(sqlite.mix())?));
        pages.rounds.push((service.load(service.queries())?, sqlite.load(sqlite.queries())?));
        reads.rounds.push((service.measure(vec![service.get.clone()])?, sqlite.measure(vec![sqlite.get.clone()])?));
    }
    table::report(&[writes, mixed, reads, pages], &[], &arguments)?;
    per_post.sort_by(f64::total_cmp);
    println!("memory of the service, at most: {:.0} MB", service.server.memory_mb("VmHWM")?);
    println!("CPU per POST, service and PostgreSQL together: {:.0} µs", per_post[per_post.len() / 2]);
    Ok(())
}

/// What the server logs for one POST, and for a GET of the list after it.
fn print_statements(folder: &Path) -> Outcome<()> {
    let postgres = Postgres::start(folder, &[("log_statement", "all"), ("log_line_prefix", "")])?;
    let service = Service::start(&folder.join("service"), &[("DATABASE_URL", &postgres.url)])?;
    // The first requests prepare their statements.
    service.once(&service.post)?;
    service.once(&service.get)?;
    // The user is marked as seen in the background.
    std::thread::sleep(Duration::from_secs(1));
    for (name, request) in [("POST", &service.post), ("GET", &service.get)] {
        let start = postgres.log()?.len();
        service.once(request)?;
        println!("{name}:");
        let log = postgres.log()?;
        let is_polled = |line: &str| line.contains("pg_current_snapshot") || line.contains("pg_database_size");
        let lines = log[start..].lines().filter(|line| line.starts_with("LOG:") && !is_polled(line));
        lines.for_each(|line| println!("  {line}"));
    }
    Ok(())
}

struct Service {
    server: Server,
    post: Vec<u8>,
    get: Vec<u8>,
}

impl Service {
    /// With 20 articles.
    fn start(folder: &Path, variables: &[(&str, &str)]) -> Outcome<Service> {
        std::fs::create_dir(folder)?;
        let server = Server::service(folder, variables)?;
        let keys = if variables.is_empty() { "bench.local-pool.keys" } else { "gatepost.local-pool.keys" };
        let pool = LocalPool::open(&folder.join(keys))?;
        let token =
            pool.token(&TokenRequest { expires_in: 86_400, ..TokenRequest::new("alice@example.com".to_owned()) })?;
        let head = format!("host: 127.0.0.1\r\nauthorization: Bearer {token}\r\n");
        let body = r#"{"name":"Article of the benchmark"}"#;
        let length = body.len();
        let post = format!(
            "POST /articles/ HTTP/1.1\r\n{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let get = format!("GET /articles/?limit=20 HTTP/1.1\r\n{head}\r\n");
        let service = Service { server, post: post.into(), get: get.into() };
        for _ in 0..20 {
            service.once(&service.post)?;
        }
        Ok(service)
    }

    fn once(&self, request: &[u8]) -> Outcome<Vec<u8>> {
        runtime()?.block_on(load::once(self.server.address, request))
    }

    fn measure(&self, requests: Vec<Vec<u8>>) -> Outcome<Measured> {
        self.load(Load::Repeat(requests, PERIOD))
    }

    fn load(&self, load: Load) -> Outcome<Measured> {
        runtime()?.block_on(load::measure(self.server.address, CLIENTS, load))
    }

    fn mix(&self) -> Vec<Vec<u8>> {
        let mut mix = vec![self.get.clone(); 9];
        mix.push(self.post.clone());
        mix
    }

    /// The start of the list, with another cursor each time, so that no response is cached.
    fn queries(&self) -> Load {
        let get = String::from_utf8_lossy(&self.get);
        let cursor = |n: usize| URL_SAFE_NO_PAD.encode(format!("{{\"i\":-{}}}", n + 1));
        let request = |n| get.replacen("?limit=20", &format!("?limit=20&cursor={}", cursor(n)), 1).into_bytes();
        Load::Once((0..UNREMEMBERED_READS).map(request).collect())
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// A PostgreSQL server, stopped when this is dropped.
struct Postgres {
    process: Child,
    folder: PathBuf,
    port: u16,
    url: String,
}

impl Postgres {
    fn start(folder: &Path, settings: &[(&str, &str)]) -> Outcome<Postgres> {
        let folder = folder.join("postgres");
        std::fs::create_dir(&folder)?;
        if is_root()? {
            Command::new("chown").arg("postgres").args([&folder, folder.parent().ok_or("no parent")?]).status()?;
        }
        let data = folder.join("data");
        let made = unprivileged("initdb")?
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            return Err("initdb failed".into());
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = unprivileged("postgres")?;
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", "", "-c", "fsync=on"]);
        for (name, value) in settings {
            command.args(["-c", &format!("{name}={value}")]);
        }
        let log = std::fs::File::create(folder.join("log"))?;
        let process = command.stdout(Stdio::null()).stderr(log).spawn()?;
        let admin = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let mut postgres =
            Postgres { process, folder, port, url: format!("postgres://postgres@127.0.0.1:{port}/bench") };
        let mut connection = postgres.connect(&admin)?;
        connection.batch_execute("CREATE DATABASE bench")?;
        connection.batch_execute(
            "CREATE TABLE inserted (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name TEXT NOT NULL)",
        )?;
        Ok(postgres)
    }

    fn connect(&mut self, url: &str) -> Outcome<PgConnection> {
        for _ in 0..200 {
            if let Ok(connection) = PgConnection::establish(url) {
                return Ok(connection);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("PostgreSQL does not start".into())
    }

    fn log(&self) -> Outcome<String> {
        // The server writes it a moment after its answer.
        std::thread::sleep(Duration::from_millis(300));
        Ok(std::fs::read_to_string(self.folder.join("log"))?)
    }

    /// Its transactions per second; pgbench tells no percentiles.
    fn pgbench(&self) -> Outcome<Measured> {
        let script = self.folder.join("insert.sql");
        std::fs::write(&script, INSERT)?;
        let output = Command::new(tool("pgbench")?)
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--username=postgres", "--host=127.0.0.1"])
            .arg(format!("--client={CLIENTS}"))
            .arg(format!("--time={}", PERIOD.as_secs()))
            .arg(format!("--port={}", self.port))
            .arg("--file")
            .arg(&script)
            .arg("postgres")
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().find_map(|line| line.strip_prefix("tps = ")).ok_or("pgbench failed")?;
        let per_second = line.split(' ').next().unwrap_or_default().parse()?;
        Ok(Measured { per_second, p50_ms: f64::NAN, p99_ms: f64::NAN })
    }

    /// The CPU time of all its processes that still run.
    fn cpu_us(&self) -> Outcome<f64> {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.process.id()))?;
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        Ok(children.chain([self.process.id()]).filter_map(|pid| cpu_us(pid).ok()).sum())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT: a fast shutdown.
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// A program of the server, which Debian keeps out of the PATH.
fn tool(name: &str) -> Outcome<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let in_debian = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).max();
    Ok(in_debian.unwrap_or_else(|| name.into()))
}

fn is_root() -> Outcome<bool> {
    Ok(Command::new("id").arg("-u").output()?.stdout == b"0\n")
}

/// PostgreSQL does not run as root.
fn unprivileged(name: &str) -> Outcome<Command> {
    if !is_root()? {
        return Ok(Command::new(tool(name)?));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(tool(name)?);
    Ok(command)
}

/// The CPU time of a process, and of its children that have ended, from `/proc`, where a tick is 10 ms.
fn cpu_us(pid: u32) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = status.rsplit_once(") ").ok_or("its CPU time is not known")?;
    let ticks: Vec<f64> = fields.split(' ').skip(11).take(4).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() * 10_000.0)
}
