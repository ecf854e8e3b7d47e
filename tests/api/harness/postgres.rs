//! PostgreSQL servers of the tests' own, from the system's packages.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection};
use gatepost::db::rows::{self, Sql};
use gatepost::db::{DatabaseUrl, Db};
use tempfile::TempDir;

use super::program::as_root;
use super::{find, free_port};

/// A server of its own. Stops when dropped, or when the test run ends, however it ends.
pub struct Server {
    folder: TempDir,
    port: u16,
    /// A shell between this process and the server, which takes the server along when its input ends.
    keeper: Option<Child>,
}

/// PgBouncer in front of a server, in its own keeper. Stops when dropped.
pub struct PgBouncer {
    port: u16,
    keeper: Child,
}

impl PgBouncer {
    /// With a query such as `?pool_mode=transaction`.
    pub fn url(&self, database: &str, query: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}{query}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A database on a server. Dropped with it.
pub struct Database {
    pub url: DatabaseUrl,
    address: String,
    name: String,
    admin: String,
}

impl Database {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL as a text.
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// The server that most tests share, each with a database of its own.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| {
        let server = Server::start(&[]);
        server.make_template();
        server
    })
}

/// A server that speaks German. `None` where the system does not.
pub fn german() -> Option<Server> {
    let locales = Command::new("locale").arg("-a").output().map(|output| output.stdout).unwrap_or_default();
    let is_known = String::from_utf8_lossy(&locales).lines().any(|locale| locale == "de_DE.utf8");
    let server = is_known.then(|| Server::start(&[("lc_messages", "de_DE.UTF-8")]))?;
    let mut connection = PgConnection::establish(&server.url("postgres")).expect("the server takes connections");
    let error = connection.batch_execute("SELECT nothing").expect_err("there is no such column").to_string();
    error.contains("existiert nicht").then_some(server)
}

fn parsed(url: &str) -> DatabaseUrl {
    DatabaseUrl::parse(url).expect("a URL of PostgreSQL")
}

/// A program of the server, which Debian keeps away from the PATH.
pub fn tool(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let in_debian = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).max();
    in_debian.unwrap_or_else(|| name.into())
}

impl Server {
    fn new() -> Server {
        // Root's temporary folders may be closed to others.
        let folder = TempDir::with_prefix_in("gatepost-postgres-", "/tmp").expect("a folder for the server");
        if is_root() {
            assert!(as_root(&["chown", "postgres", folder.path().to_str().expect("UTF-8")]));
        }
        Server { folder, port: free_port().port(), keeper: None }
    }

    /// Starts a standby that receives what this server commits.
    pub fn standby(&self) -> Server {
        let mut standby = Server::new();
        let mut backup = unprivileged(&tool("pg_basebackup"));
        backup.args([
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
            "--username=postgres",
            "--host=127.0.0.1",
        ]);
        backup.args(["--port", &self.port.to_string(), "--pgdata"]).arg(standby.data());
        assert!(backup.status().is_ok_and(|status| status.success()), "the server is copied");
        standby.resume();
        standby
    }

    /// Starts a fresh server with these settings besides.
    pub fn start(settings: &[(&str, &str)]) -> Server {
        let mut server = Server::new();
        let made = unprivileged(&tool("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(server.data())
            .stdout(Stdio::null())
            .status();
        let made = made.unwrap_or_else(|error| panic!("initdb of PostgreSQL (Debian: postgresql) runs: {error}"));
        assert!(made.success(), "initdb makes a database cluster");
        let mut configuration = std::fs::OpenOptions::new()
            .append(true)
            .open(server.data().join("postgresql.conf"))
            .expect("the server's configuration");
        // Tests lose nothing when the machine goes down.
        let fast = [("fsync", "off"), ("full_page_writes", "off"), ("max_connections", "400")];
        for (name, value) in fast.iter().chain(settings) {
            writeln!(configuration, "{name} = '{value}'").expect("the configuration can be written");
        }
        server.resume();
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder in which a test may leave what the server is to read.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a file in the folder the server's own, which it insists on with keys.
    pub fn own(&self, name: &str) {
        let file = self.folder.path().join(name);
        let file = file.to_str().expect("UTF-8");
        assert!(!is_root() || as_root(&["chown", "postgres", file]));
        assert!(Command::new("chmod").args(["600", file]).status().is_ok_and(|status| status.success()));
    }

    /// Makes a folder the server's own, as a tablespace has to be.
    pub fn own_folder(&self, folder: &Path) {
        let folder = folder.to_str().expect("UTF-8");
        assert!(!is_root() || as_root(&["chown", "postgres", folder]));
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database, by TCP.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts Debian's PgBouncer in front of it, which pools transactions. `None` where it is missing.
    pub fn pgbouncer(&self) -> Option<PgBouncer> {
        self.pgbouncer_for("transaction")
    }

    /// The same, which pools sessions.
    pub fn pgbouncer_of_sessions(&self) -> Option<PgBouncer> {
        self.pgbouncer_for("session")
    }

    fn pgbouncer_for(&self, pool_mode: &str) -> Option<PgBouncer> {
        let program = find("pgbouncer")?;
        let port = free_port().port();
        let configuration = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {pool_mode}\nmax_client_conn = 1000\n\
             server_login_retry = 1\nquery_wait_timeout = 5\n",
            self.port,
            self.folder.path().join("users").display()
        );
        let write = |name: &str, text: &str| std::fs::write(self.folder.path().join(name), text).expect("a file");
        write("users", "\"postgres\" \"\"\n");
        write("pgbouncer.ini", &configuration);
        self.own("users");
        self.own("pgbouncer.ini");
        let arguments = [program.into_os_string(), self.folder.path().join("pgbouncer.ini").into_os_string()];
        let bouncer = PgBouncer { port, keeper: self.keep("TERM", "pgbouncer.log", &arguments) };
        wait_for(&bouncer.url("postgres", ""), &self.folder.path().join("pgbouncer.log"));
        Some(bouncer)
    }

    /// Runs a program until the input of its keeper ends, and ends it then by this signal.
    fn keep(&self, signal: &str, log: &str, command: &[OsString]) -> Child {
        let script = r#""$@" >>"$LOG" 2>&1 & kept=$!; cat >/dev/null; kill -$SIGNAL $kept; wait $kept"#;
        let mut keeper = unprivileged(Path::new("sh"));
        keeper.args(["-c", script, "sh"]).args(command);
        keeper.env("LOG", self.folder.path().join(log)).env("SIGNAL", signal).stdin(Stdio::piped());
        keeper.spawn().expect("it starts")
    }

    /// Starts the server again after [`Server::stop`].
    pub fn resume(&mut self) {
        let mut command = vec![tool("postgres").into_os_string(), "-D".into(), self.data().into_os_string()];
        command.extend(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k", ""].map(OsString::from));
        self.keeper = Some(self.keep("INT", "log", &command));
        wait_for(&self.url("postgres"), &self.folder.path().join("log"));
    }

    /// Has it be a standby without a primary when it is started the next time, until it is promoted.
    pub fn become_standby(&self) {
        let file = self.data().join("standby.signal");
        let file = file.to_str().expect("UTF-8");
        assert!(!is_root() || as_root(&["sh", "-c", &format!("touch {file} && chown postgres {file}")]));
        assert!(is_root() || Command::new("touch").arg(file).status().is_ok_and(|status| status.success()));
    }

    /// Stops the server, as its administrator would who cannot wait. What is committed stays.
    pub fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            keeper.wait().expect("the server stops");
        }
    }

    /// Sends a signal to all of the server's processes: `STOP` has it hang, `CONT` go on.
    pub fn signal(&self, name: &str) {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let pid = pid.lines().next().expect("a number");
        let script = format!("kill -{name} {pid} $(pgrep -P {pid})");
        assert!(as_root(&["sh", "-c", &script]), "{name} is sent");
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join("log")).expect("a log")).into_owned()
    }

    /// Runs a statement as the server's administrator.
    pub fn sql(&self, statement: &str) {
        run(&self.url("postgres"), statement);
    }

    /// Migrated once, and copied for each [`Server::database`].
    pub fn make_template(&self) {
        self.sql("CREATE DATABASE gatepost_template");
        drop(Db::open(&parsed(&self.url("gatepost_template"))).expect("the migrations are applied"));
    }

    /// A fresh database with all migrations.
    pub fn database(&self) -> Database {
        self.database_from("gatepost_template")
    }

    /// A database without anything in it.
    pub fn empty_database(&self) -> Database {
        self.database_from("template0")
    }

    fn database_from(&self, template: &str) -> Database {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        let address = self.url(&name);
        let url = through_pgbouncer(self, &name).unwrap_or_else(|| parsed(&address));
        Database { url, address, name, admin: self.url("postgres") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may be gone before.
        if let Ok(mut connection) = PgConnection::establish(&self.admin) {
            let _ = connection.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

fn wait_for(url: &str, log: &Path) {
    let started = Instant::now();
    while let Err(error) = PgConnection::establish(url) {
        let log = std::fs::read_to_string(log).unwrap_or_default();
        assert!(started.elapsed() < Duration::from_secs(30), "it does not start: {error} {log}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// With `GATEPOST_TEST_PGBOUNCER`, the databases of the shared server are used through PgBouncer.
fn through_pgbouncer(server: &Server, database: &str) -> Option<DatabaseUrl> {
    static BOUNCER: OnceLock<PgBouncer> = OnceLock::new();
    std::env::var_os("GATEPOST_TEST_PGBOUNCER")?;
    if !std::ptr::eq(server, shared()) {
        return None;
    }
    let bouncer = BOUNCER.get_or_init(|| server.pgbouncer().expect("pgbouncer is installed"));
    Some(parsed(&bouncer.url(database, "?pool_mode=transaction")))
}

/// How many rows there are, such as `articles WHERE id > 1`.
pub fn count(url: &DatabaseUrl, from: &str) -> i64 {
    try_count(url, from).expect("a number")
}

/// [`count`] on a standby, which may not have the table yet.
pub fn replayed(url: &DatabaseUrl, from: &str) -> Option<i64> {
    try_count(url, from).ok()
}

fn try_count(url: &DatabaseUrl, from: &str) -> Result<i64, String> {
    Db::probe_with(url, |conn| rows::number(conn, "count(*)", Sql::new(format!("FROM {from}"))))
}

/// Runs a statement on a database.
pub fn run(url: &str, statement: &str) {
    let mut connection = PgConnection::establish(url).expect("the server takes connections");
    connection.batch_execute(statement).expect("the statement runs");
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// PostgreSQL does not run as root.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}
