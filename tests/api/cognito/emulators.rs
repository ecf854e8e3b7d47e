//! From sign-up to article, end to end: two Cognito emulators that others wrote, each started by the test
//! that uses it, and the program itself, configured through its environment as an operator would.
//!
//! The emulators are moto (`pip install 'moto[server]'`, the program `moto_server`) and cognito-local
//! (`npm install cognito-local`). They are sought in `PATH`, or where `GATEPOST_TEST_MOTO` and
//! `GATEPOST_TEST_COGNITO_LOCAL` say. A genuine pool is in between the two: its issuers look like moto's,
//! its usernames like cognito-local's.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::client::{Answer, Call};
use crate::harness::{eventually, skip};

const CODE: &str = "123456";
const PASSWORD: &str = "Correct-Horse-7";
const LINK_UNVERIFIED: (&str, &str) = ("COGNITO_LINK_UNVERIFIED_EMAIL", "true");
const CREATE_USERS: (&str, &str) = ("COGNITO_CREATE_USERS", "true");

mod with_moto {
    use super::*;

    #[tokio::test]
    async fn who_signs_up_becomes_the_local_user_with_that_email_and_writes_articles() {
        links_an_existing_user(Kind::Moto).await;
    }

    #[tokio::test]
    async fn who_signs_up_is_created_with_the_first_token() {
        creates_a_user(Kind::Moto).await;
    }

    #[tokio::test]
    async fn an_email_counts_only_once_the_pool_has_verified_it() {
        waits_for_a_verified_email(Kind::Moto).await;
    }

    #[tokio::test]
    async fn who_signs_up_again_after_deletion_does_not_become_the_former_user() {
        keeps_the_former_user_apart(Kind::Moto).await;
    }
}

mod with_cognito_local {
    use super::*;

    #[tokio::test]
    async fn who_signs_up_becomes_the_local_user_with_that_email_and_writes_articles() {
        links_an_existing_user(Kind::CognitoLocal).await;
    }

    #[tokio::test]
    async fn who_signs_up_is_created_with_the_first_token() {
        creates_a_user(Kind::CognitoLocal).await;
    }

    #[tokio::test]
    async fn an_email_counts_only_once_the_pool_has_verified_it() {
        waits_for_a_verified_email(Kind::CognitoLocal).await;
    }

    #[tokio::test]
    async fn who_signs_up_again_after_deletion_does_not_become_the_former_user() {
        keeps_the_former_user_apart(Kind::CognitoLocal).await;
    }
}

async fn links_an_existing_user(kind: Kind) {
    let Some(emulator) = Emulator::start(kind).await else { return };
    let pool = emulator.pool().await;
    let operator = Operator::new(&pool, &[LINK_UNVERIFIED]);
    let made = operator.run(
        &["createsuperuser", "--noinput"],
        &[
            ("DJANGO_SUPERUSER_USERNAME", "librarian"),
            ("DJANGO_SUPERUSER_EMAIL", "Mia@Example.com"),
            ("DJANGO_SUPERUSER_PASSWORD", PASSWORD),
        ],
    );
    assert!(made.status.success(), "createsuperuser: {made:?}");
    let checked = operator.run(&["check"], &[]);
    assert!(checked.status.success(), "check: {checked:?}");

    let gatepost = operator.serve().await;
    pool.sign_up("mia").await;
    let mia = pool.sign_in("mia").await;
    gatepost.get("/articles/", &mia.id).await.assert(200, "[]");
    let created = gatepost.call("POST", "/articles/").token(&mia.id).json(r#"{"name":"From sign-up to shelf"}"#);
    let shelf = r#"{"id":1,"name":"From sign-up to shelf"}"#;
    created.send().await.assert(201, shelf);
    gatepost.get("/articles/", &mia.id).await.assert(200, &format!("[{shelf}]"));
    // The original took the token without a scheme.
    gatepost.call("GET", "/articles/1/").header("authorization", &mia.id).send().await.assert(200, shelf);
    let librarian = json!({
        "id": 1, "username": "librarian", "email": "Mia@Example.com", "first_name": "", "last_name": "",
        "is_staff": true, "is_superuser": true,
    });
    assert_eq!(gatepost.me(&mia.id).await, librarian);
    assert_eq!(gatepost.me(&pool.sign_in("mia").await.id).await, librarian, "after a second sign-in");
    assert_eq!(gatepost.me(&pool.refresh(&mia).await.id).await, librarian, "after a refresh");

    pool.sign_up("noa").await;
    let other_client = pool.another_client().await;
    // Both emulators sign with one key for all their pools, so nothing but the issuer tells these apart.
    let other_pool = emulator.pool().await;
    other_pool.sign_up("mia").await;
    for (whose, token, code) in [
        ("an access token", mia.access.clone(), "id_token_wanted"),
        ("another client's token", other_client.sign_in("mia").await.id, "client_not_accepted"),
        ("another pool's token", other_pool.sign_in("mia").await.id, "issuer_not_accepted"),
        ("a stranger's token", pool.sign_in("noa").await.id, "user_unknown"),
        ("a token under another's signature", with_signature_of(&mia.id, &mia.access), "signature_invalid"),
    ] {
        for path in ["/articles/", "/me/"] {
            let answer = gatepost.get(path, &token).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, code), "{whose} at {path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{whose} at {path}");
        }
    }
    let nobody = gatepost.call("GET", "/articles/").send().await;
    assert_eq!((nobody.status, nobody.code().as_str()), (401, "no_token"));
    gatepost.get("/articles/", &mia.id).await.assert(200, &format!("[{shelf}]"));

    drop(emulator);
    // The keys are at hand, so the pool may be out of reach; an operator who asks is told.
    gatepost.get("/articles/", &mia.id).await.assert(200, &format!("[{shelf}]"));
    let checked = operator.run(&["check"], &[]);
    assert!(!checked.status.success(), "check without the pool: {checked:?}");
}

async fn creates_a_user(kind: Kind) {
    let Some(emulator) = Emulator::start(kind).await else { return };
    let pool = emulator.pool().await;
    let operator = Operator::new(&pool, &[LINK_UNVERIFIED, CREATE_USERS]);
    let gatepost = operator.serve().await;
    for (id, name) in [(1, "mia"), (2, "noa")] {
        pool.sign_up(name).await;
        let tokens = pool.sign_in(name).await;
        // Whoever sends the wrong one of the two tokens first is not created by it.
        assert_eq!(gatepost.get("/me/", &tokens.access).await.code(), "id_token_wanted", "{name}");
        let created = gatepost.call("POST", "/articles/").token(&tokens.id).json(json!({ "name": name }).to_string());
        created.send().await.assert(201, &json!({ "id": id, "name": name }).to_string());
        let username = claim(&tokens.id, "cognito:username");
        let user = json!({
            "id": id, "username": username, "email": format!("{name}@example.com"), "first_name": "", "last_name": "",
            "is_staff": false, "is_superuser": false,
        });
        assert_eq!(gatepost.me(&tokens.id).await, user);
        assert_eq!(gatepost.me(&pool.sign_in(name).await.id).await, user, "after a second sign-in");
    }
    let names = gatepost.get("/articles/", &pool.sign_in("mia").await.id).await.json();
    assert_eq!(names, json!([{ "id": 1, "name": "mia" }, { "id": 2, "name": "noa" }]));
}

async fn waits_for_a_verified_email(kind: Kind) {
    let Some(emulator) = Emulator::start(kind).await else { return };
    let pool = emulator.pool().await;
    let operator = Operator::new(&pool, &[CREATE_USERS]);
    let librarian = [("DJANGO_SUPERUSER_USERNAME", "librarian"), ("DJANGO_SUPERUSER_EMAIL", "mia@example.com")];
    let made = operator.run(&["createsuperuser", "--noinput"], &librarian);
    assert!(made.status.success(), "createsuperuser: {made:?}");
    let gatepost = operator.serve().await;
    for (name, would) in [("mia", "be linked"), ("noa", "be created")] {
        pool.sign_up(name).await;
        let unverified = pool.sign_in(name).await;
        let answer = gatepost.get("/me/", &unverified.id).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "email_unverified"), "{name} would {would}");
        pool.verify(name).await;
        // What was signed before still says that the address is not verified.
        assert_eq!(gatepost.get("/me/", &unverified.id).await.code(), "email_unverified", "{name}, old token");
        let me = gatepost.me(&pool.sign_in(name).await.id).await;
        assert_eq!(me["email"], format!("{name}@example.com"));
        assert_eq!(me["is_superuser"], name == "mia", "{name}: {me}");
        // From now on `sub` decides.
        assert_eq!(gatepost.me(&unverified.id).await, me);
    }
}

async fn keeps_the_former_user_apart(kind: Kind) {
    let Some(emulator) = Emulator::start(kind).await else { return };
    let pool = emulator.pool().await;
    let operator = Operator::new(&pool, &[LINK_UNVERIFIED, CREATE_USERS]);
    let gatepost = operator.serve().await;
    pool.sign_up("mia").await;
    let former = pool.sign_in("mia").await;
    assert_eq!(gatepost.me(&former.id).await["id"], 1);
    pool.delete("mia").await;
    pool.sign_up("mia").await;
    let latter = pool.sign_in("mia").await;
    assert_eq!(claim(&former.id, "email"), claim(&latter.id, "email"));
    assert_ne!(claim(&former.id, "sub"), claim(&latter.id, "sub"));
    let answer = gatepost.get("/me/", &latter.id).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "email_linked"));
}

/// Header and claims of one token, and the signature of another.
fn with_signature_of(token: &str, other: &str) -> String {
    let (signed, _) = token.rsplit_once('.').expect("a token");
    let (_, signature) = other.rsplit_once('.').expect("a token");
    format!("{signed}.{signature}")
}

/// A claim of a token, read without any doubt about it.
fn claim(token: &str, name: &str) -> Value {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("claims")).expect("base64url");
    serde_json::from_slice::<Value>(&claims).expect("JSON")[name].clone()
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Moto,
    CognitoLocal,
}

impl Kind {
    fn program_name(self) -> &'static str {
        match self {
            Kind::Moto => "moto_server",
            Kind::CognitoLocal => "cognito-local",
        }
    }

    /// Where the emulator is installed, if it is.
    fn program(self) -> Option<PathBuf> {
        let variable = match self {
            Kind::Moto => "GATEPOST_TEST_MOTO",
            Kind::CognitoLocal => "GATEPOST_TEST_COGNITO_LOCAL",
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
struct Emulator {
    kind: Kind,
    address: SocketAddr,
    process: Process,
}

impl Emulator {
    /// Starts an emulator and waits until it answers. `None`, and a word about it, where it is not installed.
    async fn start(kind: Kind) -> Option<Emulator> {
        let Some(program) = kind.program() else {
            skip("an end-to-end test with a Cognito emulator", kind.program_name());
            return None;
        };
        // Neither can be told to let the system choose a port and then say which; so somebody may be faster.
        for _ in 0..3 {
            let address = free_address();
            let port = address.port().to_string();
            let mut command = Command::new(&program);
            match kind {
                Kind::Moto => command.args(["-H", "127.0.0.1", "-p", &port]),
                Kind::CognitoLocal => command.env("HOST", "127.0.0.1").env("PORT", &port).env("CODE", CODE),
            };
            let process = Process::start(kind.program_name(), command, TempDir::new().expect("a folder"));
            let mut emulator = Emulator { kind, address, process };
            if emulator.answers().await {
                return Some(emulator);
            }
        }
        panic!("{} does not start", kind.program_name());
    }

    async fn answers(&mut self) -> bool {
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

    async fn try_call(&self, action: &str, request: &Value) -> Result<Answer, reqwest::Error> {
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

    async fn call(&self, action: &str, request: Value) -> Value {
        let answer = self.try_call(action, &request).await.expect("the emulator answers");
        assert_eq!(answer.status, 200, "{action} {request}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// A new pool with one client.
    async fn pool(&self) -> Pool<'_> {
        let id = self.call("CreateUserPool", json!({ "PoolName": "readers" })).await["UserPool"]["Id"].clone();
        let pool = Pool { emulator: self, id: id.as_str().expect("an id").to_owned(), client: String::new() };
        pool.another_client().await
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}

/// A user pool in an emulator, as one of its clients sees it.
#[derive(Clone)]
struct Pool<'a> {
    emulator: &'a Emulator,
    id: String,
    client: String,
}

/// What a sign-in gives.
struct Tokens {
    id: String,
    access: String,
    refresh: String,
}

impl<'a> Pool<'a> {
    /// The same pool, seen by a new client.
    async fn another_client(&self) -> Pool<'a> {
        let request = json!({
            "UserPoolId": self.id, "ClientName": "shelf", "ReadAttributes": ["email", "email_verified"],
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        });
        let client = self.emulator.call("CreateUserPoolClient", request).await["UserPoolClient"]["ClientId"].clone();
        Pool { client: client.as_str().expect("an id").to_owned(), ..self.clone() }
    }

    fn issuer(&self) -> String {
        format!("http://{}/{}", self.emulator.address, self.id)
    }

    /// What a user signs in with: cognito-local wants the e-mail address and makes up a username.
    fn login(&self, name: &str) -> String {
        match self.emulator.kind {
            Kind::Moto => name.to_owned(),
            Kind::CognitoLocal => email(name),
        }
    }

    async fn sign_up(&self, name: &str) {
        let login = self.login(name);
        let attributes = json!([{ "Name": "email", "Value": email(name) }]);
        let request =
            json!({ "ClientId": self.client, "Username": login, "Password": PASSWORD, "UserAttributes": attributes });
        self.emulator.call("SignUp", request).await;
        let request = json!({ "ClientId": self.client, "Username": login, "ConfirmationCode": CODE });
        self.emulator.call("ConfirmSignUp", request).await;
    }

    async fn sign_in(&self, name: &str) -> Tokens {
        self.authenticate("USER_PASSWORD_AUTH", json!({ "USERNAME": self.login(name), "PASSWORD": PASSWORD })).await
    }

    async fn refresh(&self, tokens: &Tokens) -> Tokens {
        self.authenticate("REFRESH_TOKEN_AUTH", json!({ "REFRESH_TOKEN": tokens.refresh })).await
    }

    async fn authenticate(&self, flow: &str, parameters: Value) -> Tokens {
        let request = json!({ "ClientId": self.client, "AuthFlow": flow, "AuthParameters": parameters });
        let answer = self.emulator.call("InitiateAuth", request).await;
        let token = |name: &str| answer["AuthenticationResult"][name].as_str().unwrap_or_default().to_owned();
        let tokens = Tokens { id: token("IdToken"), access: token("AccessToken"), refresh: token("RefreshToken") };
        assert!(!tokens.id.is_empty() && !tokens.access.is_empty(), "{flow}: {answer}");
        tokens
    }

    /// Marks a user's e-mail address as verified, as the pool does when it has sent a code there.
    async fn verify(&self, name: &str) {
        let attributes = json!([
            { "Name": "email", "Value": email(name) },
            { "Name": "email_verified", "Value": "true" },
        ]);
        let request = json!({ "UserPoolId": self.id, "Username": self.login(name), "UserAttributes": attributes });
        self.emulator.call("AdminUpdateUserAttributes", request).await;
    }

    async fn delete(&self, name: &str) {
        self.emulator.call("AdminDeleteUser", json!({ "UserPoolId": self.id, "Username": self.login(name) })).await;
    }
}

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// Runs the program as an operator would: everything through the environment, nothing inherited.
struct Operator {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Operator {
    fn new(pool: &Pool, more: &[(&str, &str)]) -> Operator {
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

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command.env_clear().envs(self.variables.iter().cloned()).current_dir(self.folder.path());
        command
    }

    /// Runs a command to its end.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.command()
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("the program runs")
    }

    /// Starts the server and waits until it has its keys.
    async fn serve(&self) -> Gatepost {
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
struct Gatepost {
    address: SocketAddr,
    process: Process,
}

impl Gatepost {
    fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.address, method, path)
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path).token(token).send().await
    }

    /// Whom the server takes the bearer of a token for.
    async fn me(&self, token: &str) -> Value {
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

/// A process that ends with the test, however the test ends, and then shows what it wrote if the test failed.
struct Process {
    name: &'static str,
    child: Child,
    output: PathBuf,
    log: PathBuf,
    /// Where it runs; removed once the process has ended.
    _folder: Option<TempDir>,
}

impl Process {
    fn start(name: &'static str, command: Command, folder: TempDir) -> Process {
        let path = folder.path().to_owned();
        Process::start_in(&path, name, command, Some(folder))
    }

    fn start_in(path: &Path, name: &'static str, mut command: Command, folder: Option<TempDir>) -> Process {
        let (output, log) = (path.join("stdout"), path.join("stderr"));
        command
            .current_dir(path)
            .stdin(Stdio::null())
            .stdout(File::create(&output).expect("a file"))
            .stderr(File::create(&log).expect("a file"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Process { name, child, output, log, _folder: folder }
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the process is known").is_none()
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}{}---", self.name, self.output(), self.log());
        }
    }
}
