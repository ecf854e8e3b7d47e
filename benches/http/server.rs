//! The service as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// A server in a process of its own, stopped when this is dropped.
pub struct Server {
    pub process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// The service as a release build, in development mode for its local user pool, logging as in production, with
    /// additional environment variables.
    pub fn service(folder: &Path, variables: &[(&str, &str)]) -> Outcome<Server> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command
            .env_clear()
            .current_dir(folder)
            .env("APP_ENV", "development")
            .env("BIND_ADDRESS", "127.0.0.1:0")
            .env("DATABASE_URL", "sqlite:bench.sqlite3")
            .env("RUST_LOG", "info,gatepost::access=warn")
            .envs(variables.iter().copied());
        Server::start(command)
    }

    /// Starts a server and reads its address from the first output line that contains one.
    pub fn start(mut command: Command) -> Outcome<Server> {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = process.stdout.take().ok_or("there is no output")?;
        for line in BufReader::new(output).lines() {
            let line = line?;
            let address = line.split_once("http://").and_then(|(_, rest)| rest.split('/').next()?.parse().ok());
            if let Some(address) = address {
                return Ok(Server { process, address });
            }
        }
        Err("the server does not start".into())
    }
}

impl Server {
    /// Stops the server.
    pub fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Its memory in MB: `VmRSS` is the current and `VmHWM` the peak value.
    pub fn memory_mb(&self, what: &str) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
        let kilobytes: f64 = line.ok_or("its size is not known")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
