//! What the tests share: a server, a user pool with its keys, and a client.

pub mod admin;
pub mod aws;
pub mod browser;
pub mod client;
pub mod database;
pub mod exchange;
pub mod factor;
pub mod form;
pub mod html;
pub mod jwks;
pub mod load;
pub mod log_watch;
pub mod pool;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod program;
pub mod provider;
pub mod rows;
pub mod service;
pub mod small_disk;

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use admin::AdminClient;
use database::TestDatabase;
use gatepost::aws::Environment;
use gatepost::cognito::jwks::JwksSettings;
use gatepost::cognito::service_accounts::ResourceServer;
use gatepost::cognito::sync::MaxChanges;
use gatepost::cognito::user_pool::TokenUse;
use gatepost::config::{Config, Mode, Pool};
use gatepost::crypto::Seal;
use gatepost::db::{DatabaseUrl, Db};
use gatepost::history::api_requests::ApiRequests;
use gatepost::http::client_address::TrustedProxies;
use gatepost::http::cors::DEFAULT_HEADERS;
use gatepost::http::listener::ListenAddress;
use gatepost::server::{self, Resources};
use gatepost::users::second_factor::{KeySource, Required};
use gatepost::users::sessions::SessionLimits;
use jwks::Behaviour;
use pool::TestPool;
use service::Service;

/// A server within the test, with its pool and its database. It stops when it is dropped, and then the log is
/// searched for what must never be in it.
pub struct TestServer {
    pub service: Service,
    pub db: Db,
    pub pool: TestPool,
    pub config: Config,
    /// What it has counted and not written yet.
    pub api_requests: ApiRequests,
    /// Where the metrics are, if they have an address of their own.
    pub metrics: Option<SocketAddr>,
    handle: actix_web::dev::ServerHandle,
    metrics_handle: Option<actix_web::dev::ServerHandle>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Removed with all in it when the server is dropped.
    _database: TestDatabase,
}

impl TestServer {
    /// Starts a server with default settings and a fresh pool.
    pub async fn start() -> TestServer {
        TestServer::start_with(|_| {}).await
    }

    /// Starts a server after a change to its settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> TestServer {
        TestServer::start_for(TestPool::start().await, change).await
    }

    /// Starts a server that takes tokens of machine clients, with scopes such as `articles/read`.
    pub async fn with_resource_server(change: impl FnOnce(&mut Config)) -> TestServer {
        TestServer::start_with(|config| {
            config.resource_server = ResourceServer::parse("articles").ok();
            change(config);
        })
        .await
    }

    /// Starts a server that has the caller `alice`; returns an ID token of hers, too.
    pub async fn with_alice() -> (TestServer, String) {
        let server = TestServer::start().await;
        let token = server.alice().await;
        (server, token)
    }

    /// Starts a server that has a superuser, who is signed in to the admin.
    pub async fn with_superuser() -> (TestServer, AdminClient) {
        let server = TestServer::start().await;
        let root = server.superuser().await;
        (server, root)
    }

    /// Starts a server whose pool gives no keys.
    pub async fn without_keys(change: impl FnOnce(&mut Config)) -> TestServer {
        let pool = TestPool::start().await;
        pool.jwks.behave(Behaviour::HangUp);
        TestServer::start_for(pool, change).await
    }

    /// Starts a second server with the same settings: on the same database, for the same pool.
    pub async fn second(&self) -> TestServer {
        let settings = self.config.clone();
        TestServer::start_with(|config| *config = settings).await
    }

    /// Starts a server for a given pool.
    pub async fn start_for(pool: TestPool, change: impl FnOnce(&mut Config)) -> TestServer {
        let resources = || Resources { api: server::api(), site: server::site() };
        TestServer::start_with_resources(pool, resources, change).await
    }

    /// Starts a server with other resources than articles.
    pub async fn start_with_resources(
        pool: TestPool,
        resources: fn() -> Resources,
        change: impl FnOnce(&mut Config),
    ) -> TestServer {
        log_watch::install();
        let database = TestDatabase::new();
        let mut config = config(database.url.clone(), &pool);
        change(&mut config);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let for_thread = config.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let built = server::build_with(&for_thread, resources()).await.expect("the server starts");
                let sent =
                    sender.send((built.address, built.db, built.server.handle(), built.metrics, built.api_requests));
                assert!(sent.is_ok(), "the test waits for its server");
                built.server.await.expect("the server runs");
            });
        });
        let (address, db, handle, metrics, api_requests) = receiver.await.expect("the server starts");
        let address = address.address().expect("an address");
        let (metrics, metrics_handle) = metrics.unzip();
        let metrics = metrics.and_then(|metrics| metrics.address());
        TestServer {
            service: Service { address },
            db,
            pool,
            config,
            api_requests,
            metrics,
            handle,
            metrics_handle,
            thread: Some(thread),
            _database: database,
        }
    }

    /// The file of its database, for tests about such files.
    pub fn sqlite_file(&self) -> &Path {
        match &self.config.database {
            DatabaseUrl::Sqlite(path) => path,
            #[cfg(feature = "postgres")]
            other => panic!("{other} is no file"),
        }
    }
}

impl Deref for TestServer {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // The future that stop() returns need not be awaited: the thread ends when the server has.
        drop(self.metrics_handle.as_ref().map(|handle| handle.stop(false)));
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.expect("the server ends without a panic");
                log_watch::check();
            }
        }
    }
}

/// Fails unless a text has all of these parts.
#[track_caller]
pub fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
}

/// Fails if a text has one of these parts.
#[track_caller]
pub fn assert_lacks(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "{part} is there: {text}");
    }
}

/// A time in the past as SQL has it.
pub fn ago(seconds: i64) -> String {
    let time = chrono::Utc::now().naive_utc() - chrono::TimeDelta::seconds(seconds);
    time.format("'%Y-%m-%d %H:%M:%S%.6f'").to_string()
}

/// The key that encrypts second factors in the tests.
pub const FACTOR_KEY: &str = "dGhpcyBpcyBub3QgYSBzZWNyZXQga2V5IGF0IGFsbCE=";

/// Settings of a test: production mode, so that nothing is there that development adds.
pub fn config(database: DatabaseUrl, pool: &TestPool) -> Config {
    Config {
        mode: Mode::Production,
        pool: Pool::Cognito(pool.user_pool()),
        provider: None,
        password_sign_in: true,
        second_factor_key: KeySource::Setting(Seal::from_base64(FACTOR_KEY).expect("a key")),
        second_factor_required: Required::Nobody,
        public_origin: None,
        token_use: TokenUse::Id,
        resource_server: None,
        leeway: Duration::from_secs(30),
        link_unverified_email: false,
        create_users: false,
        staff_group: None,
        post_confirmation_secrets: Vec::new(),
        user_migration_secrets: Vec::new(),
        user_migration_trusts_emails: false,
        sync_every: None,
        sync_max_changes: MaxChanges::default(),
        pool_actions: Vec::new(),
        aws: Environment::default(),
        jwks: JwksSettings {
            refresh: Duration::from_secs(300),
            cooldown: Duration::from_secs(10),
            max_stale: Duration::from_secs(86_400),
            ca_file: None,
        },
        database,
        read_database: None,
        bind: ListenAddress::Tcp(SocketAddr::from(([127, 0, 0, 1], 0))),
        allowed_hosts: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
        cors_allowed_origins: vec!["http://localhost:3000".to_owned()],
        cors_allowed_headers: DEFAULT_HEADERS.map(str::to_owned).to_vec(),
        session_limits: SessionLimits { idle: Duration::from_secs(28_800), max: Duration::from_secs(1_209_600) },
        login_max_failures: 5,
        max_body_bytes: 1_048_576,
        trusted_proxies: TrustedProxies::default(),
        rate_limit_user: None,
        rate_limit_address: None,
        metrics_address: None,
        metrics_token: None,
        log_json: false,
        log_filter: "info".to_owned(),
    }
}

/// Waits, up to 10 s, until a condition holds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came true that {what}");
}

/// Says, even though the test runner hides what passing tests print, that a test is skipped because a
/// tool is missing. Where `CI` is set the tool has to be there, and the test fails.
pub fn skip(test: &str, missing: &str) {
    use std::io::Write;
    assert!(std::env::var_os("CI").is_none(), "{test} needs {missing}, which CI has to have");
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {missing} is not installed");
}

/// A port for another program. It is below those that the system gives to anybody (on Linux, 32,768 and above), so that
/// nobody gets it before that program starts.
pub fn free_port() -> SocketAddr {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(131).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + (number % 12_000) as u16;
        if let Ok(listener) = std::net::TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().expect("a port");
        }
    }
}

/// A program of the system. Debian has some where only root's PATH leads.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The configuration of an nginx that needs no rights and writes below one folder, with these servers.
pub fn nginx_configuration(folder: &str, servers: &str) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .collect();
    format!(
        "pid {folder}/pid;\ndaemon off;\nmaster_process off;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{servers}\n}}\n"
    )
}
