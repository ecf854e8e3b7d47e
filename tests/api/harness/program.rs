//! The program itself, as a process in a folder of its own: what an operator starts, stops and kills.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatepost::db::Connection;
use tempfile::TempDir;

use super::log_watch;
use super::pool::{CLIENT_ID, POOL_ID};
use super::rows::texts;
use super::service::Service;

/// Long enough for the slowest machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder to run the program in, and the settings to run it with.
pub struct Program {
    folder: PathBuf,
    settings: Vec<(String, String)>,
    wrapper: Vec<String>,
    /// Removed with all in it.
    _own: Option<TempDir>,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Outcome {
    /// `None` where a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Fails unless the command ended well; returns what it printed.
    #[track_caller]
    pub fn success(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        &self.stdout
    }

    /// Fails unless the command ended with one line of error, which contains this.
    #[track_caller]
    pub fn assert_error(&self, what: &str) {
        assert_eq!(self.code, Some(1), "{self:?}");
        let lines: Vec<_> =
            self.stderr.lines().filter(|line| !line.contains("Z WARN ") && !line.contains("Z INFO ")).collect();
        assert!(
            matches!(lines[..], [line] if line.starts_with("gatepost: ") && line.contains(what)),
            "{what}: {self:?}"
        );
    }
}

impl Program {
    /// In a fresh folder, in development mode, on a port that the system chooses.
    pub fn new() -> Program {
        let own = TempDir::new().expect("a folder");
        Program { folder: own.path().to_owned(), _own: Some(own), ..Program::within(Path::new("")) }
    }

    /// In a folder that is there already.
    pub fn within(folder: &Path) -> Program {
        let settings = vec![];
        let program = Program { folder: folder.to_owned(), settings, wrapper: vec![], _own: None };
        program.set("APP_ENV", "development").set("BIND_ADDRESS", "127.0.0.1:0").set("RUST_LOG", "info")
    }

    /// In a fresh folder, in production mode for the tests' pool.
    pub fn in_production() -> Program {
        let program = Program { settings: vec![], ..Program::new() };
        let program = program.set("APP_ENV", "production").set("BIND_ADDRESS", "127.0.0.1:0");
        program.set("AWS_USER_POOLS_ID", POOL_ID).set("AWS_APP_CLIENT_ID", CLIENT_ID)
    }

    /// The same with the keys at this URL.
    pub fn with_keys_at(url: impl AsRef<str>) -> Program {
        Program::in_production().set("COGNITO_JWKS_URL", url.as_ref())
    }

    /// Sets a variable.
    pub fn set(mut self, name: &str, value: &str) -> Program {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs the program by another one, such as strace. Both are killed together.
    pub fn by(mut self, wrapper: &[&str]) -> Program {
        self.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A connection to the database of the default settings.
    pub fn database(&self) -> Connection {
        connect(&self.path("gatepost.sqlite3"))
    }

    /// The texts that a query of one column returns from that database.
    pub fn texts(&self, query: &str) -> Vec<String> {
        texts(&mut self.database(), query)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_gatepost");
        let mut command = match self.wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        // The settings of whoever runs the tests are no concern of theirs.
        let kept = std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LLVM_PROFILE_FILE");
        command.args(arguments).current_dir(&self.folder).env_clear().envs(kept).envs(self.settings.iter().cloned());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }

    /// Runs a command to its end, with nothing on its standard input.
    pub async fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, "").await
    }

    /// Runs a command to its end, with this on its standard input.
    pub async fn run_with(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the program starts");
        // It may end without reading its input.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let mut running = Running::new(child);
        let code = running.exit().await.code();
        // Each of its pipes is at its end now, or will be in a moment.
        for reader in running.readers.drain(..) {
            reader.join().expect("the pipe is read to its end");
        }
        Outcome { code, stdout: running.stdout(), stderr: running.stderr() }
    }

    /// An ID token of `alice@example.com` from the local pool.
    pub async fn token(&self) -> String {
        self.token_with(&[]).await
    }

    /// The same with options of the command.
    pub async fn token_with(&self, options: &[&str]) -> String {
        let outcome = self.run(&[&["token", "alice@example.com"], options].concat()).await;
        let token = outcome.success();
        assert_eq!(token.lines().count(), 1, "the token and nothing else: {token}");
        token.trim().to_owned()
    }

    /// Starts `serve` and waits until it listens.
    pub async fn serve(&self) -> Serving {
        self.serve_with(Stdio::null()).await
    }

    /// The same with this as its standard input.
    pub async fn serve_with(&self, input: Stdio) -> Serving {
        let child = self.command(&["serve"]).stdin(input).spawn().expect("the program starts");
        let mut running = Running::new(child);
        let started = Instant::now();
        let address = loop {
            if let Some(address) = running.address() {
                break address;
            }
            let ended = running.child.try_wait().expect("a process");
            assert!(ended.is_none() && started.elapsed() < PATIENCE, "it does not start: {}", running.stderr());
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        Serving { service: Service { address }, running }
    }
}

/// Opens a database beside the program.
pub fn connect(path: &Path) -> Connection {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection;
    let connection = diesel::SqliteConnection::establish(path.to_str().expect("a path in UTF-8"));
    let mut connection = Connection::Sqlite(connection.expect("the database opens"));
    connection.batch_execute("PRAGMA busy_timeout = 10000").expect("a pragma");
    connection
}

/// A process and what it prints. Killed when dropped.
struct Running {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

impl Running {
    fn new(mut child: Child) -> Running {
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = vec![
            collect(child.stdout.take().expect("a pipe"), &stdout),
            collect(child.stderr.take().expect("a pipe"), &stderr),
        ];
        Running { child, stdout, stderr, readers }
    }

    fn stdout(&self) -> String {
        self.stdout.lock().expect("the lock").clone()
    }

    fn stderr(&self) -> String {
        self.stderr.lock().expect("the lock").clone()
    }

    /// The address in the text that the server prints at start, once all of the text is there. That of a Unix socket is
    /// no address: 0.0.0.0 and port 0.
    fn address(&self) -> Option<SocketAddr> {
        let text = self.stdout();
        if !text.contains("  issuer ") {
            return None;
        }
        if text.contains("  socket     unix:") {
            return Some(SocketAddr::from(([0, 0, 0, 0], 0)));
        }
        // With PUBLIC_URL, the address has a line of its own.
        let after = |start: &str| text.split_once(start).map(|(_, rest)| rest);
        let rest = after("  address    ").or_else(|| after("  API        http://"))?;
        rest.split(['/', '\n']).next()?.parse().ok()
    }

    async fn exit(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a process") {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "it does not end: {} {}", self.stdout(), self.stderr());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// `kill -9`, with all that it started; returns when it is gone.
    fn kill(&mut self) {
        // The number of a process that was waited for may be another's by now.
        if let Ok(None) = self.child.try_wait() {
            signal("KILL", &format!("-{}", self.child.id()));
            let _ = self.child.wait();
        }
    }
}

/// Sends a signal by its name to a process or, with a minus before the number, to a group of them.
fn signal(name: &str, target: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -s {name} -- {target}")]).status();
    assert!(status.expect("a shell").success(), "{name} is sent");
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads a pipe as lines come, so that the process never waits for a reader.
fn collect(pipe: impl Read + Send + 'static, text: &Arc<Mutex<String>>) -> std::thread::JoinHandle<()> {
    let text = text.clone();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(pipe);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            text.lock().expect("the lock").push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

/// The program while it serves. When it is dropped, it is killed, and its log is searched for tokens.
pub struct Serving {
    pub service: Service,
    running: Running,
}

impl Deref for Serving {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- gatepost said:\n{}{}---", self.stdout(), self.stderr());
        } else {
            log_watch::assert_without_secrets(&self.stderr());
        }
    }
}

impl Serving {
    /// The process.
    pub fn id(&self) -> u32 {
        self.running.child.id()
    }

    /// What it printed for people.
    pub fn stdout(&self) -> String {
        self.running.stdout()
    }

    /// What it logged.
    pub fn stderr(&self) -> String {
        self.running.stderr()
    }

    /// What it logged, line by line.
    pub fn log(&self) -> Vec<String> {
        self.stderr().lines().map(str::to_owned).collect()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        signal(name, &self.running.child.id().to_string());
    }

    /// `kill -9`; returns when it is gone.
    pub fn kill(mut self) {
        self.running.kill();
    }

    /// Waits until it ends by itself.
    pub async fn exit(&mut self) -> ExitStatus {
        self.running.exit().await
    }
}

/// Runs a command that takes the rights of root, as root or by sudo; whether that worked.
pub fn as_root(command: &[&str]) -> bool {
    let run = |words: &[&str]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    run(command) || run(&[&["sudo", "-n"], command].concat())
}
