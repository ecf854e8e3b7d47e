//! The program, run as an operator would.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::emulator::{Kind, Pool};
use super::process::Process;
use crate::harness::client::{Answer, Call};
use crate::harness::eventually;

/// Runs the program as an operator would: everything through the environment, nothing inherited.
pub struct Operator {
    pub folder: TempDir,
    pub variables: Vec<(String, String)>,
}

impl Operator {
    pub fn new(pool: &Pool, more: &[(&str, &str)]) -> Operator {
        let jwks = format!("{}/.well-known/jwks.json", pool.issuer());
        let mut variables = vec![
            ("APP_ENV", "production".to_owned()),
            ("AWS_USER_POOLS_ID", pool.id.clone()),
            ("AWS_APP_CLIENT_ID", pool.client.clone()),
            ("COGNITO_JWKS_URL", jwks),
            ("DATABASE_URL", "sqlite:gatepost.sqlite3".to_owned()),
            ("BIND_ADDRESS", "127.0.0.1:0".to_owned()),
            // So that there is something to find a token in.
            ("RUST_LOG", "debug".to_owned()),
        ];
        // moto's tokens name the genuine issuer, which follows from the pool's id.
        if let Kind::CognitoLocal = pool.emulator.kind {
            variables.push(("COGNITO_ISSUER", pool.issuer()));
        }
        variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Operator { folder: TempDir::new().expect("a folder"), variables }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command.env_clear().envs(self.variables.iter().cloned()).current_dir(self.folder.path());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.command()
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("the program runs")
    }

    /// Starts the server and waits until it has its keys.
    pub async fn serve(&self) -> Gatepost {
        let mut command = self.command();
        command.arg("serve");
        let mut process = Process::start_in(self.folder.path(), "gatepost", command, None);
        let mut address = None;
        eventually("the server says where it listens", async || {
            assert!(process.is_running(), "the server has ended");
            let greeting = process.output();
            let url = greeting
                .split_ascii_whitespace()
                .find_map(|word| word.strip_prefix("http://")?.strip_suffix("/articles/"));
            address = url.map(|address| address.parse().expect("an address"));
            address.is_some()
        })
        .await;
        let gatepost = Gatepost { address: address.expect("an address"), process };
        eventually("the server is ready", async || gatepost.call("GET", "/readyz").send().await.status == 200).await;
        gatepost
    }
}

/// The running program. When it ends, its log is searched for tokens.
pub struct Gatepost {
    pub address: SocketAddr,
    pub process: Process,
}

impl Gatepost {
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.address, method, path)
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path).token(token).send().await
    }

    /// Whom the server takes the bearer of a token for.
    pub async fn me(&self, token: &str) -> Value {
        let answer = self.get("/me/", token).await;
        assert_eq!(answer.status, 200, "/me/: {}", answer.text());
        answer.json()
    }
}

impl Drop for Gatepost {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let log = self.process.log();
            assert!(log.contains("gatepost::access"), "there is no log: {log}");
            // Every JSON object in base64url begins like this, so every token does.
            assert!(!log.contains("eyJ"), "a token was logged: {log}");
        }
    }
}
