//! An emulator as a process, and its pools.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::client::{Answer, Call};
use crate::harness::{free_port, skip};

const CODE: &str = "123456";

pub const PASSWORD: &str = "Correct-Horse-7";

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Moto,
    CognitoLocal,
    Ministack,
}

impl Kind {
    pub fn program_name(self) -> &'static str {
        match self {
            Kind::Moto => "moto_server",
            Kind::CognitoLocal => "cognito-local",
            Kind::Ministack => "ministack",
        }
    }

    /// Where the emulator is installed, if it is.
    pub fn program(self) -> Option<PathBuf> {
        let variable = match self {
            Kind::Moto => "GATEPOST_TEST_MOTO",
            Kind::CognitoLocal => "GATEPOST_TEST_COGNITO_LOCAL",
            Kind::Ministack => "GATEPOST_TEST_MINISTACK",
        };
        if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "{variable}: there is no file {}", path.display());
            return Some(path);
        }
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).map(|folder| folder.join(self.program_name())).find(|path| path.is_file())
    }
}

/// A running emulator.
pub struct Emulator {
    pub kind: Kind,
    pub address: SocketAddr,
    process: Process,
}

impl Emulator {
    /// Starts an emulator and waits until it answers. `None`, and a word about it, where it is not installed.
    pub async fn start(kind: Kind) -> Option<Emulator> {
        Emulator::start_with(kind, &[]).await
    }

    /// With these variables in its environment, too.
    pub async fn start_with(kind: Kind, variables: &[(&str, &str)]) -> Option<Emulator> {
        let Some(program) = kind.program() else {
            skip("an end-to-end test with a Cognito emulator", kind.program_name());
            return None;
        };
        // Neither can be told to let the system choose a port and then say which; so somebody may be faster.
        for _ in 0..3 {
            let address = free_port();
            let port = address.port().to_string();
            let mut command = Command::new(&program);
            match kind {
                Kind::Moto => command.args(["-H", "127.0.0.1", "-p", &port]),
                Kind::CognitoLocal => command.env("HOST", "127.0.0.1").env("PORT", &port).env("CODE", CODE),
                Kind::Ministack => command
                    .env("BIND_HOST", "127.0.0.1")
                    .env("GATEWAY_PORT", &port)
                    .env("SERVICES", "cognito-idp")
                    .env("IOT_MTLS_ENABLED", "0"),
            };
            command.envs(variables.iter().copied());
            let process = Process::start(kind.program_name(), command);
            let mut emulator = Emulator { kind, address, process };
            if emulator.answers().await {
                return Some(emulator);
            }
        }
        panic!("{} does not start", kind.program_name());
    }

    pub async fn answers(&mut self) -> bool {
        // An interpreter on a busy machine takes its time.
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.process.is_running() && Instant::now() < deadline {
            let pools = self.try_call("ListUserPools", &json!({ "MaxResults": 1 })).await;
            if pools.is_ok_and(|answer| answer.status == 200) {
                return self.process.is_running();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    }

    pub async fn try_call(&self, action: &str, request: &Value) -> Result<Answer, reqwest::Error> {
        Call::new(self.address, "POST", "/")
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{action}"))
            // moto learns service and region from the scope, and checks no signature.
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=0",
            )
            .body("application/x-amz-json-1.1", request.to_string())
            .try_send()
            .await
    }

    pub async fn call(&self, action: &str, request: Value) -> Value {
        let answer = self.try_call(action, &request).await.expect("the emulator answers");
        assert_eq!(answer.status, 200, "{action} {request}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// A new pool with one client.
    pub async fn pool(&self) -> Pool<'_> {
        let id = self.call("CreateUserPool", json!({ "PoolName": "readers" })).await["UserPool"]["Id"].clone();
        let pool = Pool { emulator: self, id: id.as_str().expect("an id").to_owned(), client: String::new() };
        pool.another_client().await
    }
}

/// A user pool in an emulator, as one of its clients sees it.
#[derive(Clone)]
pub struct Pool<'a> {
    pub emulator: &'a Emulator,
    pub id: String,
    pub client: String,
}

/// What a sign-in gives.
pub struct Tokens {
    pub id: String,
    pub access: String,
    pub refresh: String,
}

impl<'a> Pool<'a> {
    /// The same pool, seen by a new client.
    pub async fn another_client(&self) -> Pool<'a> {
        let request = json!({
            "UserPoolId": self.id, "ClientName": "shelf", "ReadAttributes": ["email", "email_verified"],
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        });
        let client = self.emulator.call("CreateUserPoolClient", request).await["UserPoolClient"]["ClientId"].clone();
        Pool { client: client.as_str().expect("an id").to_owned(), ..self.clone() }
    }

    pub fn issuer(&self) -> String {
        format!("http://{}/{}", self.emulator.address, self.id)
    }

    /// What a user signs in with: cognito-local wants the e-mail address and makes up a username.
    pub fn login(&self, name: &str) -> String {
        match self.emulator.kind {
            Kind::Moto | Kind::Ministack => name.to_owned(),
            Kind::CognitoLocal => email(name),
        }
    }

    pub async fn sign_up(&self, name: &str) {
        let login = self.login(name);
        let attributes = json!([{ "Name": "email", "Value": email(name) }]);
        let request =
            json!({ "ClientId": self.client, "Username": login, "Password": PASSWORD, "UserAttributes": attributes });
        self.emulator.call("SignUp", request).await;
        let request = json!({ "ClientId": self.client, "Username": login, "ConfirmationCode": CODE });
        self.emulator.call("ConfirmSignUp", request).await;
    }

    pub async fn sign_in(&self, name: &str) -> Tokens {
        self.authenticate("USER_PASSWORD_AUTH", json!({ "USERNAME": self.login(name), "PASSWORD": PASSWORD })).await
    }

    pub async fn refresh(&self, tokens: &Tokens) -> Tokens {
        self.authenticate("REFRESH_TOKEN_AUTH", json!({ "REFRESH_TOKEN": tokens.refresh })).await
    }

    pub async fn authenticate(&self, flow: &str, parameters: Value) -> Tokens {
        let request = json!({ "ClientId": self.client, "AuthFlow": flow, "AuthParameters": parameters });
        let answer = self.emulator.call("InitiateAuth", request).await;
        let token = |name: &str| answer["AuthenticationResult"][name].as_str().unwrap_or_default().to_owned();
        let tokens = Tokens { id: token("IdToken"), access: token("AccessToken"), refresh: token("RefreshToken") };
        assert!(!tokens.id.is_empty() && !tokens.access.is_empty(), "{flow}: {answer}");
        tokens
    }

    /// Marks a user's e-mail address as verified, as the pool does when it has sent a code there.
    pub async fn verify(&self, name: &str) {
        let attributes = json!([
            { "Name": "email", "Value": email(name) },
            { "Name": "email_verified", "Value": "true" },
        ]);
        let request = json!({ "UserPoolId": self.id, "Username": self.login(name), "UserAttributes": attributes });
        self.emulator.call("AdminUpdateUserAttributes", request).await;
    }

    pub async fn delete(&self, name: &str) {
        self.emulator.call("AdminDeleteUser", json!({ "UserPoolId": self.id, "Username": self.login(name) })).await;
    }
}

pub fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// A process that ends with the test, however the test ends, and then shows what it wrote if the test failed.
struct Process {
    name: &'static str,
    child: Child,
    folder: TempDir,
}

impl Process {
    fn start(name: &'static str, mut command: Command) -> Process {
        let folder = TempDir::new().expect("a folder");
        let output = File::create(folder.path().join("output")).expect("a file");
        command.stdin(Stdio::null()).stdout(output.try_clone().expect("a file")).stderr(output);
        let child = command.current_dir(folder.path()).spawn();
        Process { name, child: child.unwrap_or_else(|error| panic!("{name} does not start: {error}")), folder }
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the process is known").is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let output = std::fs::read(self.folder.path().join("output")).unwrap_or_default();
            eprintln!("--- {} said:\n{}---", self.name, String::from_utf8_lossy(&output));
        }
    }
}
