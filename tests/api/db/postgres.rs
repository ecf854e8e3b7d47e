//! What PostgreSQL is for: several servers on one database, a database that goes away and comes back, and TLS
//! on the way to it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use gatepost::db::rows::{self, Sql};
use gatepost::db::{Connection, DatabaseUrl, Db};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::harness::admin::AdminClient;
use crate::harness::client::Call;
use crate::harness::postgres::{self, Server};
use crate::harness::program::{Program, Serving};
use crate::harness::{TestServer, assert_has, eventually, find, free_port, nginx_configuration, skip};

/// What another server has committed is seen after this time, and a little for a busy machine.
const SEEN_WITHIN: Duration = Duration::from_millis(2_500);

/// Fails unless a condition holds within [`SEEN_WITHIN`].
async fn soon(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < SEEN_WITHIN, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_one_server_commits_the_other_sees_within_a_second_under_load() {
    let first = TestServer::start().await;
    let second = first.second().await;
    let alice = first.alice().await;
    first.staff("root", |new| new.is_superuser = true).await;
    let mut root = first.sign_in("root").await;
    let created = first.post_article(&alice, "before").await;
    assert_eq!(created.status, 201);
    let load: Vec<JoinHandle<()>> = (0..4)
        .map(|_| {
            let (address, alice) = (second.address, alice.clone());
            tokio::spawn(async move {
                loop {
                    Call::new(address, "GET", "/articles/").token(&alice).send().await;
                }
            })
        })
        .collect();
    let list = async || second.get("/articles/", &alice).await;
    soon("the new article", async || list().await.text().contains("before")).await;
    let renamed = first.call("PUT", "/articles/1/").token(&alice).json(r#"{"name":"after"}"#).send().await;
    assert_eq!(renamed.status, 200);
    soon("its new name", async || list().await.text().contains("after")).await;
    let deactivated = root.open_form("/admin/users/1/change/").await.set("is_active", &[]);
    assert_eq!(deactivated.save(&mut root).await.status, 303);
    // In the process itself it holds for the very next request.
    assert_eq!(first.get("/me/", &alice).await.code(), "user_inactive");
    soon("the deactivation", async || list().await.status == 401).await;
    load.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn signing_in_and_out_and_failing_to_hold_for_all_servers() {
    let first = TestServer::start().await;
    let second = first.second().await;
    first.staff("alice", |_| {}).await;
    let mut alice = first.sign_in("alice").await;
    let mut elsewhere = AdminClient::new(second.address);
    elsewhere.cookies = alice.cookies.clone();
    assert_eq!(elsewhere.get("/admin/").await.status, 200);
    alice.page("/admin/").await;
    assert_eq!(alice.post("/admin/logout/", &[]).await.status, 200);
    soon("the end of the session", async || {
        let mut client = AdminClient::new(second.address);
        client.cookies = elsewhere.cookies.clone();
        client.get("/admin/").await.status == 302
    })
    .await;
    // Guesses are counted together, whichever server they are made at.
    let mut last = 0;
    for n in 0..8 {
        let address = if n % 2 == 0 { first.address } else { second.address };
        last = AdminClient::new(address).sign_in("alice", &format!("wrong {n}")).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn of_two_superusers_who_take_each_others_rights_at_once_one_keeps_them() {
    let first = TestServer::start().await;
    let second = first.second().await;
    for _ in 0..3 {
        first.sql("DELETE FROM users").await;
        for name in ["one", "two"] {
            first.staff(name, |new| new.is_superuser = true).await;
        }
        let ids = first.texts("SELECT id FROM users ORDER BY username").await;
        let mut one = first.sign_in("one").await;
        let mut two = AdminClient::new(second.address);
        assert_eq!(two.sign_in("two", crate::harness::admin::PASSWORD).await.status, 303);
        let (of_one, of_two) = (format!("/admin/users/{}/change/", ids[0]), format!("/admin/users/{}/change/", ids[1]));
        let (a, b) = (one.open_form(&of_two).await, two.open_form(&of_one).await);
        let (a, b) = (a.set("is_superuser", &[]), b.set("is_superuser", &[]));
        let (a, b) = tokio::join!(a.save(&mut one), b.save(&mut two));
        let left = first.count("users WHERE is_superuser").await;
        assert_eq!(left, 1, "{} {}", a.status, b.status);
    }
}

/// Programs in one folder on one database, with the same local user pool.
fn programs(folder: &Path, url: &str) -> Program {
    Program::within(folder).set("DATABASE_URL", url)
}

#[tokio::test]
async fn servers_that_start_at_once_on_an_empty_database_apply_the_migrations_once() {
    let server = postgres::shared();
    let database = server.empty_database();
    let folder = TempDir::new().expect("a folder");
    let url = database.address();
    // The pool's keys are there before, as an administrator would see to.
    programs(folder.path(), url).run(&["token", "alice@example.com"]).await.success();
    let program = programs(folder.path(), url);
    let serving = join_all((0..4).map(|_| program.serve())).await;
    for one in &serving {
        assert_eq!(one.fetch("/readyz").await.status, 200);
    }
    let superusers = serving.iter().filter(|one| one.stdout().contains("  superuser  admin, password ")).count();
    assert_eq!(superusers, 1, "one of them made the first superuser");
    let log: String = serving.iter().map(Serving::stderr).collect();
    assert_eq!(log.matches("migrations applied").count(), 1, "{log}");
}

/// nginx before several servers. Stopped when dropped.
struct Balancer {
    process: Child,
    address: std::net::SocketAddr,
    _folder: TempDir,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Balancer {
    /// `None` where nginx is missing.
    async fn start(servers: &[&Serving]) -> Option<Balancer> {
        let nginx = find("nginx")?;
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().to_str().expect("text");
        let address = free_port();
        let upstream: String = servers.iter().map(|server| format!("server {};", server.address)).collect();
        let site = format!(
            "upstream gatepost {{ {upstream} keepalive 16; }}
             server {{ listen {address}; location / {{
                 proxy_pass http://gatepost; proxy_http_version 1.1; proxy_set_header Connection \"\";
                 proxy_set_header Host $http_host; proxy_connect_timeout 2s; }} }}"
        );
        std::fs::write(folder.path().join("nginx.conf"), nginx_configuration(path, &site)).expect("a file");
        let mut command = Command::new(nginx);
        command.args(["-p", path, "-e", "error.log", "-c", "nginx.conf"]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("nginx runs");
        eventually("nginx listens", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
        Some(Balancer { process, address, _folder: folder })
    }
}

/// A client that creates articles, one after the other, until it is told to stop. Returns the names of those
/// that were acknowledged, and the status of every other answer.
pub fn post_until(
    stop: tokio::sync::watch::Receiver<bool>,
    address: std::net::SocketAddr,
    token: &str,
    prefix: String,
) -> JoinHandle<(Vec<String>, Vec<u16>)> {
    let token = token.to_owned();
    tokio::spawn(async move {
        let (mut acknowledged, mut others) = (Vec::new(), Vec::new());
        for n in 0.. {
            if *stop.borrow() {
                break;
            }
            let name = format!("{prefix}-{n}");
            let call = Call::new(address, "POST", "/articles/").token(&token).json(json!({ "name": name }).to_string());
            match call.try_send().await {
                Ok(answer) if answer.status == 201 => acknowledged.push(name),
                Ok(answer) => {
                    if answer.status == 503 {
                        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                    }
                    others.push(answer.status);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                // The one between closed the connection.
                Err(_) => others.push(0),
            }
        }
        (acknowledged, others)
    })
}

#[tokio::test]
async fn a_server_that_is_killed_under_load_behind_a_balancer_loses_no_acknowledged_article() {
    const NAME: &str = "a_server_that_is_killed_under_load_behind_a_balancer_loses_no_acknowledged_article";
    let database = postgres::shared().database();
    let folder = TempDir::new().expect("a folder");
    let program = programs(folder.path(), database.address());
    let token = program.run(&["token", "admin@example.com"]).await.success().trim().to_owned();
    let one = program.serve().await;
    let other = program.serve().await;
    let Some(balancer) = Balancer::start(&[&one, &other]).await else { return skip(NAME, "nginx") };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let clients: Vec<_> =
        (0..8).map(|n| post_until(stopped.clone(), balancer.address, &token, format!("client-{n}"))).collect();
    let db = Db::open(&database.url).expect("the database").0;
    let count = async || {
        db.read(|conn| Ok(rows::number(conn, "count(*)", Sql::new("FROM articles"))?))
            .await
            .expect("the articles are counted")
    };
    eventually("articles come", async || count().await > 50).await;
    one.kill();
    let at_the_kill = count().await;
    eventually("articles still come", async || count().await > at_the_kill + 100).await;
    stop.send(true).expect("the clients listen");
    let mut acknowledged = Vec::new();
    for client in clients {
        let (names, others) = client.await.expect("the client lives");
        acknowledged.extend(names);
        // What was under way at the server that was killed; the balancer says so.
        assert!(others.len() < 200, "{others:?}");
        assert!(others.iter().all(|status| [0, 502, 503, 504].contains(status)), "{others:?}");
    }
    let names = sorted_names(&db).await;
    let lost: Vec<_> = acknowledged.iter().filter(|name| names.binary_search(name).is_err()).collect();
    assert!(lost.is_empty(), "of {} acknowledged articles these are lost: {lost:?}", acknowledged.len());
    assert_eq!(count().await, names.len() as i64, "the number that is kept is that of the rows");
}

pub async fn sorted_names(db: &Db) -> Vec<String> {
    use diesel::{QueryDsl, RunQueryDsl};
    use gatepost::schema::articles::dsl::{articles, name};
    let mut names: Vec<String> = db.read(|conn| Ok(articles.select(name).load(conn)?)).await.expect("the articles");
    names.sort();
    let distinct = names.len();
    names.dedup();
    assert_eq!(names.len(), distinct, "no article is there twice");
    names
}

#[tokio::test]
async fn while_the_database_is_away_requests_are_told_to_come_back_and_then_all_goes_on_by_itself() {
    let mut postgres = Server::start(&[]);
    let url = DatabaseUrl::parse(&postgres.url("postgres")).expect("a URL");
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    assert_eq!(server.get("/readyz", "").await.status, 200);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let clients: Vec<_> =
        (0..4).map(|n| post_until(stopped.clone(), server.address, &alice, format!("client-{n}"))).collect();
    for _ in 0..2 {
        let before = server.count("articles").await;
        eventually("articles come", async || server.count("articles").await > before + 20).await;
        postgres.stop();
        // A second later nothing is answered from memory any more.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        for (method, path) in [("GET", "/articles/"), ("POST", "/articles/"), ("GET", "/me/")] {
            let started = Instant::now();
            let answer = server.call(method, path).token(&alice).json(r#"{"name":"away"}"#).send().await;
            assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{path}: {answer:?}");
            assert_eq!(answer.header("retry-after"), "5");
            assert!(started.elapsed() < Duration::from_secs(5), "{path}: {:?}", started.elapsed());
        }
        let ready = server.fetch("/readyz").await;
        assert_eq!((ready.status, &ready.json()["checks"]["database"]), (503, &json!("unavailable")));
        assert_eq!(server.fetch("/healthz").await.status, 200, "the process itself is well");
        postgres.resume();
        eventually("it is ready again", async || server.fetch("/readyz").await.status == 200).await;
        eventually("it reads", async || server.get("/articles/", &alice).await.status == 200).await;
    }
    let before = server.count("articles").await;
    eventually("articles come", async || server.count("articles").await > before + 20).await;
    stop.send(true).expect("the clients listen");
    let mut acknowledged = Vec::new();
    for client in clients {
        let (names, others) = client.await.expect("the client lives");
        acknowledged.extend(names);
        assert!(others.iter().all(|status| *status == 503), "{others:?}");
    }
    let names = sorted_names(&server.db).await;
    let lost: Vec<_> = acknowledged.iter().filter(|name| names.binary_search(name).is_err()).collect();
    assert!(lost.is_empty(), "of {} acknowledged articles these are lost: {lost:?}", acknowledged.len());
}

#[tokio::test]
async fn while_the_database_hangs_requests_are_told_to_come_back() {
    let postgres = Server::start(&[]);
    let url = DatabaseUrl::parse(&postgres.url("postgres")).expect("a URL");
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    assert_eq!(server.get("/articles/", &alice).await.status, 200);
    postgres.signal("STOP");
    tokio::time::sleep(Duration::from_secs(4)).await;
    for path in ["/readyz", "/articles/", "/me/"] {
        let started = Instant::now();
        let answer = server.get(path, &alice).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{path}: {answer:?}");
        assert!(started.elapsed() < Duration::from_secs(1), "{path}: {:?}", started.elapsed());
    }
    postgres.signal("CONT");
    eventually("it reads", async || server.get("/articles/", &alice).await.status == 200).await;
    server.post_article(&alice, "again").await.assert(201, r#"{"id":1,"name":"again"}"#);
}

#[tokio::test]
async fn the_servers_certificate_is_verified_where_the_url_says_so() {
    let mut postgres = Server::start(&[]);
    let folder = postgres.folder().to_owned();
    let path = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    let openssl = |arguments: &str| {
        let run = Command::new("openssl").args(arguments.split(' ')).current_dir(&folder).output();
        run.is_ok_and(|output| output.status.success())
    };
    let authority = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj";
    let is_made = openssl(&format!("{authority} /CN=authority -keyout ca.key -out ca.pem"))
        && openssl(&format!("{authority} /CN=another -keyout another.key -out another.pem"))
        && openssl(&format!(
            "{authority} /CN=localhost -addext subjectAltName=DNS:localhost -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem"
        ));
    if !is_made {
        return skip("the_servers_certificate_is_verified_where_the_url_says_so", "openssl");
    }
    postgres.own("server.key");
    let tls = format!(
        "ALTER SYSTEM SET ssl_cert_file = '{}'; ALTER SYSTEM SET ssl_key_file = '{}'; ALTER SYSTEM SET ssl = on",
        path("server.pem"),
        path("server.key")
    );
    for statement in tls.split("; ") {
        postgres.sql(statement);
    }
    postgres.stop();
    postgres.resume();
    let open = |host: &str, authority: &str| {
        let url = format!(
            "postgres://postgres:sesame@{host}:{}/postgres?sslmode=verify-full&sslrootcert={}",
            postgres.port(),
            path(authority)
        );
        Db::open(&DatabaseUrl::parse(&url).expect("a URL"))
    };
    let (db, _) = open("localhost", "ca.pem").expect("a certificate of the authority");
    let encrypted = db
        .read(|conn| {
            use diesel::RunQueryDsl;
            use diesel::sql_types::Bool;
            let query = diesel::dsl::sql::<Bool>("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
            Ok(query.get_result::<bool>(conn)?)
        })
        .await;
    assert!(encrypted.expect("the connection tells"));
    for (host, authority, problem) in [
        ("localhost", "another.pem", "certificate verify failed"),
        ("127.0.0.1", "ca.pem", "does not match host name"),
        ("localhost", "nothing.pem", "root certificate file"),
    ] {
        let error = open(host, authority).err().expect("it is refused").to_string();
        assert_has(&error, &[problem]);
        assert!(!error.contains("sesame") && !error.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn what_keeps_the_database_from_being_opened_is_one_line_without_the_password() {
    let server = postgres::shared();
    let nobody = server.url("postgres").replace("postgres@", "nobody:sesame@");
    let nowhere = server.url("nowhere").replace("postgres@", "postgres:sesame@");
    for (url, problem) in [
        (nobody.as_str(), "role \"nobody\" does not exist"),
        (nowhere.as_str(), "database \"nowhere\" does not exist"),
        ("postgres://u:sesame@127.0.0.1:1/db", "Connection refused"),
        ("postgres://u:sesame@127.0.0.1/db?no_such_thing=1", "no_such_thing"),
    ] {
        let outcome = Program::new().set("DATABASE_URL", url).run(&["migrate"]).await;
        outcome.assert_error(problem);
        assert!(!outcome.stderr.contains("sesame") && outcome.stderr.contains(":***@"), "{outcome:?}");
    }
    server.sql("CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0");
    let latin = Program::new().set("DATABASE_URL", &server.url("latin"));
    let problem = "its encoding is LATIN1; it must be UTF8";
    latin.run(&["migrate"]).await.assert_error(problem);
    let checked = latin.run(&["check"]).await;
    assert!(checked.code == Some(1) && checked.stdout.contains(problem), "{checked:?}");
    // A database that only answers questions is said to be one before anything else happens.
    server.sql("CREATE ROLE reader LOGIN");
    let database = server.database();
    let name = database.address().rsplit('/').next().expect("a name");
    server.sql(&format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC"));
    postgres::run(database.address(), "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
    let url = database.address().replace("postgres@", "reader@");
    Program::new()
        .set("DATABASE_URL", &url)
        .run(&["migrate"])
        .await
        .assert_error("permission denied to create temporary tables");
}

#[tokio::test]
async fn check_fails_where_migrate_would_for_want_of_rights() {
    let server = postgres::shared();
    server.sql("CREATE ROLE tenant LOGIN");
    let database = server.empty_database();
    let program = Program::new().set("DATABASE_URL", &database.address().replace("postgres@", "tenant@"));
    let problem = "permission denied for schema public";
    let checked = program.run(&["check"]).await;
    checked.assert_error("1 of 5 checks failed");
    assert!(checked.stdout.contains(problem), "{checked:?}");
    program.run(&["migrate"]).await.assert_error(problem);

    postgres::run(database.address(), "GRANT CREATE ON SCHEMA public TO tenant");
    program.run(&["check"]).await.success();
    assert!(program.run(&["migrate"]).await.success().contains("migrations applied"));

    // Somebody else has migrated: the role can read, and that is all.
    let database = server.database();
    postgres::run(database.address(), "GRANT SELECT ON ALL TABLES IN SCHEMA public TO tenant");
    let program = program.set("DATABASE_URL", &database.address().replace("postgres@", "tenant@"));
    let checked = program.run(&["check"]).await;
    assert!(checked.code == Some(1) && checked.stdout.contains("may not read and write its tables"), "{checked:?}");
}

#[tokio::test]
async fn the_settings_of_a_role_change_nothing() {
    let server = postgres::shared();
    let database = server.empty_database();
    let name = database.address().rsplit('/').next().expect("a name").to_owned();
    server.sql("CREATE ROLE odd LOGIN SUPERUSER");
    for setting in [
        "standard_conforming_strings = off",
        "backslash_quote = off",
        "transform_null_equals = on",
        "array_nulls = off",
        "DateStyle = 'SQL, DMY'",
        "IntervalStyle = 'sql_standard'",
        "bytea_output = 'escape'",
        "TimeZone = 'Asia/Kathmandu'",
        "default_transaction_read_only = on",
        "default_transaction_deferrable = on",
        "client_encoding = 'LATIN1'",
    ] {
        server.sql(&format!("ALTER ROLE odd IN DATABASE {name} SET {setting}"));
    }
    let url = DatabaseUrl::parse(&database.address().replace("postgres@", "odd@")).expect("a URL");
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    for name in [r"50%", r"a_b", r"c\\d", "zażółć"] {
        let body = format!(r#"{{"name":"{name}"}}"#);
        assert_eq!(server.call("POST", "/articles/").token(&alice).json(body).send().await.status, 201, "{name}");
    }
    for (search, found) in [("%25", 1), ("_", 1), ("%5C", 1), ("ŻÓŁ", 1), ("x", 0)] {
        let articles = server.get(&format!("/articles/?search={search}"), &alice).await.json();
        assert_eq!(articles.as_array().map(Vec::len), Some(found), "{search}: {articles}");
    }
}

/// What each of these searches finds, by names.
async fn found(server: &TestServer, token: &str) -> Vec<String> {
    let searches =
        ["gate", "GATE post", "post gate", "ΣΊΣΥΦ", "σίσυφος", "мир", "ŻÓŁ", "日本", "50%25", "_b", "%5C", "e", "none"];
    let mut all = Vec::new();
    for search in searches {
        let articles = server.get(&format!("/articles/?search={}", search.replace(' ', "+")), token).await.json();
        let names = articles.as_array().expect("a list").iter().map(|article| article["name"].to_string());
        all.push(format!("{search}: {}", names.collect::<Vec<_>>().join(", ")));
    }
    all
}

#[tokio::test]
async fn a_search_finds_the_same_by_the_index_and_by_reading_all_rows() {
    let server = TestServer::start().await;
    let alice = server.alice().await;
    let names =
        ["The gate and the post", "Gateway", "Σίσυφος", "Привет, мир", "zażółć", "日本語の記事", "50% a_b c\\d"];
    for name in names {
        assert_eq!(server.post(&alice, &json!({ "name": name }).to_string()).await.status, 201, "{name}");
    }
    let (db, _) = Db::open(&server.config.database).expect("the database");
    let explain = |conn: &mut Connection| {
        conn.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")?;
        let mut plan = Sql::new("EXPLAIN SELECT id FROM articles WHERE contains_all(coalesce(name, ''), ?)");
        plan.bind("gate\u{1f}post");
        Ok(rows::load(conn, plan)?)
    };
    let plan = format!("{:?}", db.read(explain).await.expect("a plan"));
    assert_has(&plan, &["Bitmap Index Scan on articles_search", "~~ '%gate%'"]);
    let by_index = found(&server, &alice).await;
    assert_eq!(by_index[..2], ["gate: \"The gate and the post\", \"Gateway\"", "GATE post: \"The gate and the post\""]);
    assert_eq!(by_index[3..6], ["ΣΊΣΥΦ: \"Σίσυφος\"", "σίσυφος: \"Σίσυφος\"", "мир: \"Привет, мир\""]);
    server.sql("DROP INDEX articles_search").await;
    assert_eq!(found(&server, &alice).await, by_index);
}

#[tokio::test]
async fn a_role_that_may_create_no_extension_gets_a_database_without_the_index() {
    let database = postgres::shared().empty_database();
    postgres::shared().sql("CREATE ROLE modest LOGIN");
    postgres::run(database.address(), "GRANT USAGE, CREATE ON SCHEMA public TO modest");
    let url = DatabaseUrl::parse(&database.address().replace("postgres@", "modest@")).expect("a URL");
    let server = TestServer::start_with(|config| config.database = url).await;
    let alice = server.alice().await;
    assert_eq!(server.post_article(&alice, "The gate").await.status, 201);
    assert_eq!(server.get("/articles/?search=GATE", &alice).await.json().as_array().map(Vec::len), Some(1));
    assert_eq!(server.count("pg_indexes WHERE indexname = 'articles_search'").await, 0);
}
