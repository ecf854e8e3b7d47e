//! What the tests share: a server, a user pool with its keys, and a client.

pub mod admin;
pub mod articles;
pub mod browser;
pub mod client;
pub mod database;
pub mod exchange;
pub mod form;
pub mod html;
pub mod jwks;
pub mod load;
pub mod log_watch;
pub mod pool;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod program;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use client::{Answer, Call};
use database::TestDatabase;
use gatepost::client_address::TrustedProxies;
use gatepost::cognito::jwks::JwksSettings;
use gatepost::cognito::user_pool::TokenUse;
use gatepost::config::{Config, Mode, Pool};
use gatepost::db::{DatabaseUrl, Db};
use gatepost::history::{Actor, Source};
use gatepost::server::{self, Resources};
use gatepost::users::models::{self, NewUser, Origin, User};
use gatepost::users::sessions::Limits;
use pool::TestPool;

/// A running server with its pool and its database. Stops when dropped, and then holds the log against
/// what must never be in it.
pub struct TestServer {
    pub address: SocketAddr,
    pub db: Db,
    pub pool: TestPool,
    pub config: Config,
    /// Where the metrics are, if they have an address of their own.
    pub metrics: Option<SocketAddr>,
    handle: actix_web::dev::ServerHandle,
    metrics_handle: Option<actix_web::dev::ServerHandle>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Removed with all in it when the server is dropped.
    _database: TestDatabase,
}

impl TestServer {
    /// A server with default settings and a fresh pool.
    pub async fn start() -> TestServer {
        TestServer::start_with(|_| {}).await
    }

    /// A server whose settings are changed first.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> TestServer {
        TestServer::start_for(TestPool::start().await, change).await
    }

    /// A server for a pool that is there already.
    pub async fn start_for(pool: TestPool, change: impl FnOnce(&mut Config)) -> TestServer {
        let resources = || Resources { api: server::api, site: server::site() };
        TestServer::start_with_resources(pool, resources, change).await
    }

    /// A server about something else than articles.
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
                let sent = sender.send((built.address, built.db, built.server.handle(), built.metrics));
                assert!(sent.is_ok(), "the test waits for its server");
                built.server.await.expect("the server runs");
            });
        });
        let (address, db, handle, metrics) = receiver.await.expect("the server starts");
        let (metrics, metrics_handle) = metrics.unzip();
        TestServer {
            address,
            db,
            pool,
            config,
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

    /// Begins a request.
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.address, method, path)
    }

    /// GET with a token.
    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path).token(token).send().await
    }

    /// POST of JSON to the list, with a token.
    pub async fn post(&self, token: &str, body: &str) -> Answer {
        self.call("POST", "/articles/").token(token).json(body).send().await
    }

    /// Creates a local user; `name@example.com` is the e-mail.
    pub async fn user(&self, name: &str) -> User {
        self.user_with(name, |_| {}).await
    }

    /// Creates a local user whose fields are changed first.
    pub async fn user_with(&self, name: &str, change: impl FnOnce(&mut NewUser)) -> User {
        let mut new = NewUser {
            username: name.to_owned(),
            email: format!("{name}@example.com"),
            ..NewUser::new(Origin::CommandLine)
        };
        change(&mut new);
        let actor = Actor::system(Source::CommandLine);
        self.db.write(move |conn| models::create(conn, new, &actor)).await.expect("the user is created")
    }

    /// A local user `alice`, and an ID token of hers.
    pub async fn alice(&self) -> String {
        self.user("alice").await;
        self.pool.token("alice").sign()
    }

    /// Links a local user, found by name, to a user of a pool.
    pub async fn link(&self, name: &'static str, issuer: &'static str, sub: &'static str) {
        let linked = self.db.write(move |conn| {
            let user = models::find_by_username(conn, name)?.expect("the user is there");
            Ok(models::link(conn, &user, issuer, sub, &Actor::system(Source::CommandLine))?)
        });
        linked.await.expect("the user is linked");
    }

    /// Runs one SQL statement on the database.
    pub async fn sql(&self, statement: impl Into<String>) {
        use diesel::connection::SimpleConnection;
        let statement = statement.into();
        self.db.write(move |conn| Ok(conn.batch_execute(&statement)?)).await.expect("the statement runs");
    }

    /// The one number that an SQL query gives.
    pub async fn number(&self, query: &str) -> i64 {
        use diesel::RunQueryDsl;
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        let query = diesel::sql_query(format!("SELECT CAST(({query}) AS BIGINT) AS n"));
        let row: Row = self.db.read(move |conn| Ok(query.get_result(conn)?)).await.expect("the query runs");
        row.n
    }

    /// The texts that an SQL query with one column `t` gives.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        use diesel::RunQueryDsl;
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            t: String,
        }
        let query = diesel::sql_query(format!("SELECT CAST(t AS TEXT) AS t FROM ({query}) AS texts"));
        let rows: Vec<Row> = self.db.read(move |conn| Ok(query.load(conn)?)).await.expect("the query runs");
        rows.into_iter().map(|row| row.t).collect()
    }

    /// Creates that many articles of nobody's: `Article 000001 on DRF with Cognito` and so on.
    pub async fn seed_articles(&self, count: usize) {
        self.sql(format!(
            "INSERT INTO articles (name, created_at, updated_at)
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
             SELECT 'Article ' || substr(CAST(1000000 + n AS TEXT), 2) || ' on DRF with Cognito', '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM numbers"
        ))
        .await;
    }

    /// Fails unless the server still answers after this.
    pub async fn assert_serves(&self, what: &str) {
        assert_eq!(self.call("GET", "/healthz").send().await.status, 200, "after {what}");
    }

    /// Waits until the server says that it is ready.
    pub async fn ready(&self) {
        eventually("the server is ready", async || self.call("GET", "/readyz").send().await.status == 200).await;
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

/// A time in the past as SQL has it.
pub fn ago(seconds: i64) -> String {
    let time = chrono::Utc::now().naive_utc() - chrono::TimeDelta::seconds(seconds);
    time.format("'%Y-%m-%d %H:%M:%S%.6f'").to_string()
}

/// Settings of a test: production mode, so that nothing is there that development adds.
pub fn config(database: DatabaseUrl, pool: &TestPool) -> Config {
    Config {
        mode: Mode::Production,
        pool: Pool::Cognito(pool.user_pool()),
        token_use: TokenUse::Id,
        leeway: Duration::from_secs(30),
        link_unverified_email: false,
        create_users: false,
        post_confirmation_secrets: Vec::new(),
        jwks: JwksSettings {
            refresh: Duration::from_secs(300),
            cooldown: Duration::from_secs(10),
            max_stale: Duration::from_secs(86_400),
            ca_file: None,
        },
        database,
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        allowed_hosts: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
        cors_allowed_origins: vec!["http://localhost:3000".to_owned()],
        session_limits: Limits { idle: Duration::from_secs(28_800), max: Duration::from_secs(1_209_600) },
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

/// An address of this machine on which nobody listens.
pub fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
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
