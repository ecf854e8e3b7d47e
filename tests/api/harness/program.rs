//! The program itself in a process of its own, for what only a process shows: what it takes from the
//! environment, what it prints and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::client::Call;
use super::eventually;
use super::pool::{CLIENT_ID, POOL_ID};

type Lines = Arc<Mutex<Vec<String>>>;

/// A running `serve`. Killed when dropped.
pub struct Program {
    pub address: SocketAddr,
    child: Child,
    log: Lines,
    _folder: TempDir,
}

impl Program {
    /// Starts `serve` in production mode with these variables, for the tests' pool, on a database of its own.
    pub async fn serve(variables: &[(&str, &str)]) -> Program {
        let folder = TempDir::new().expect("a folder");
        let mut command = command(folder.path(), "serve", variables);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let output = collect(child.stdout.take().expect("standard output"));
        let log = collect(child.stderr.take().expect("standard error"));
        let mut address = None;
        eventually("the program says where it listens", async || {
            address = output.lock().expect("the lock").iter().find_map(|line| {
                let (_, rest) = line.split_once("http://")?;
                rest.split('/').next()?.parse().ok()
            });
            address.is_some()
        })
        .await;
        Program { address: address.expect("an address"), child, log, _folder: folder }
    }

    /// Begins a request.
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.address, method, path)
    }

    /// The lines on standard error so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("the lock").clone()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs one command of the program to its end, in production mode and a folder of its own.
pub async fn run(argument: &'static str, variables: &[(&str, &str)]) -> Output {
    let folder = TempDir::new().expect("a folder");
    let mut command = command(folder.path(), argument, variables);
    // Not on this thread: the fixtures that the program asks live on it.
    let output = tokio::task::spawn_blocking(move || command.output());
    output.await.expect("no panic").expect("the program runs")
}

fn command(folder: &Path, argument: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    command.arg(argument).current_dir(folder).stdin(Stdio::null()).env_clear();
    command.envs([
        ("APP_ENV", "production"),
        ("AWS_USER_POOLS_ID", POOL_ID),
        ("AWS_APP_CLIENT_ID", CLIENT_ID),
        ("BIND_ADDRESS", "127.0.0.1:0"),
    ]);
    command.envs(variables.iter().copied());
    command
}

fn collect(stream: impl Read + Send + 'static) -> Lines {
    let lines = Lines::default();
    let collected = lines.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            collected.lock().expect("the lock").push(line);
        }
    });
    lines
}
