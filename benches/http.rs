//! `cargo bench`: how close the service comes to the limits of the machine.
//!
//! Every figure alternates with a floor in the same run, so that noise slows both; the ratio is what counts. Floors:
//! the same framework returning the same bytes as constants; the same with one RS256 verification by jsonwebtoken; and
//! a loop without HTTP that commits one insert per transaction. Figures with a bound follow the table. `cargo bench --
//! --json FILE` also writes the table as JSON.

#[path = "http/client.rs"]
mod client;
#[path = "http/floor.rs"]
mod floor;
#[path = "http/limits.rs"]
mod limits;
#[path = "http/load.rs"]
mod load;
#[path = "http/server.rs"]
mod server;
#[path = "http/table.rs"]
mod table;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use client::Client;
use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use gatepost::cognito::local_pool::{LocalPool, TokenRequest};
use limits::{Crowd, Large};
use load::{Load, Measured};
use serde_json::json;
use server::Server;
use table::{Comparison, Figure};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Number of connections, each with one request at a time.
const CLIENTS: usize = 32;
/// Many short rounds, so that a disturbance affects few of them.
const ROUNDS: usize = 9;
/// Duration of one measurement per round.
const PERIOD: Duration = Duration::from_secs(1);
/// Tokens for the measurement with a new token per request: so many more than the cache holds that the first are
/// evicted when they are used again. Signing takes longer than verifying.
const FRESH_TOKENS: usize = 24_000;
/// Number of uncached reads.
const UNREMEMBERED_READS: usize = 15_000;
const SIGN_UPS: usize = 8_000;
/// The trigger's secret.
const SECRET: &str = "the-secret-of-the-benchmark-0123456789";

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--floor") {
        return floor::serve(Path::new(&arguments[at + 1]), &arguments[at + 2]);
    }
    let folder = tempfile::tempdir()?;
    let (results, figures) = run(folder.path())?;
    table::report(&results, &figures, &arguments)
}

fn run(folder: &Path) -> Outcome<(Vec<Comparison>, Vec<Figure>)> {
    let service = Server::service(folder, &[("POST_CONFIRMATION_SECRETS", SECRET)])?;
    let pool = LocalPool::open(&folder.join("bench.local-pool.keys"))?;
    let token = pool.token(&request("alice@example.com"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for number in 1..=20 {
        let body = format!(r#"{{"name":"Article {number:06} of the benchmark"}}"#);
        runtime.block_on(load::once(service.address, &post(&token, &body)))?;
    }
    let list = get(&token);
    let answer = runtime.block_on(whole(service.address, &list))?;
    let floor = start_floor(folder, &answer)?;
    eprintln!("a million articles ...");
    let mut large = Large::start(&folder.join("large"))?;
    let figures = large.figures(&runtime)?;
    let middle = get(&large.token);
    eprintln!("signing {FRESH_TOKENS} tokens ...");
    let requests: Vec<Vec<u8>> = fresh_tokens(&pool)?.iter().map(|token| get(token)).collect();
    let verified: Vec<Vec<u8>> = requests.iter().map(|request| at_path(request, "/verified/")).collect();

    let mut reads = Comparison::new("GET 20 articles, one token", "the same bytes as constants");
    let mut fresh = Comparison::new("GET 20 articles, a fresh token each time", "that and one RS256 by jsonwebtoken");
    let mut unremembered = Comparison::new("GET 20 articles, each time another query", "the same bytes as constants");
    let mut writes =
        Comparison::new("POST, 32 clients, acknowledged when durable", "bare loop, one insert per transaction");
    let mut sign_ups =
        Comparison::new("sign-ups told by the trigger, 32 at a time", "bare loop, one insert per transaction");
    let mut deep = Comparison::new("GET 20 of 1,000,000, from the middle", "GET 20 articles, each time another query");
    let mut crowded = Comparison::new("GET 20, beside 1,000 idle, 200 slow", "GET 20 articles, one token");
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS} ...");
        let measure = |address, load| runtime.block_on(load::measure(address, CLIENTS, load));
        let constant = measure(floor.address, Load::Repeat(vec![list.clone()], PERIOD))?;
        let alone = measure(service.address, Load::Repeat(vec![list.clone()], PERIOD))?;
        reads.rounds.push((alone, constant));
        let crowd = runtime.block_on(Crowd::gather(service.address))?;
        crowded.rounds.push((measure(service.address, Load::Repeat(vec![list.clone()], PERIOD))?, alone));
        drop(crowd);
        let queries = |request: &[u8], place: fn(usize) -> String| {
            Load::Once((0..UNREMEMBERED_READS).map(|n| at_path(request, &place(n))).collect())
        };
        let small = measure(service.address, queries(&list, from_the_begin))?;
        unremembered.rounds.push((small, constant));
        deep.rounds.push((measure(large.service.address, queries(&middle, from_the_middle))?, small));
        let floor_verifies = measure(floor.address, Load::Once(verified.clone()))?;
        fresh.rounds.push((measure(service.address, Load::Once(requests.clone()))?, floor_verifies));
        let bare = bare_loop(&folder.join(format!("bare-{round}.sqlite3")))?;
        let body = r#"{"name":"Article of the benchmark"}"#;
        writes.rounds.push((measure(service.address, Load::Repeat(vec![post(&token, body)], PERIOD))?, bare));
        let events = (0..SIGN_UPS).map(|n| sign_up(&pool, &format!("user-{round}-{n}"))).collect();
        sign_ups.rounds.push((measure(service.address, Load::Once(events))?, bare));
    }
    Ok((vec![reads, unremembered, deep, crowded, fresh, writes, sign_ups], figures))
}

/// Sends one request and returns the whole response.
async fn whole(address: SocketAddr, request: &[u8]) -> Outcome<String> {
    let mut client = Client::connect(address).await?;
    let (head, body) = client.answer(request).await?;
    Ok(String::from_utf8([head, b"\r\n\r\n", body].concat())?)
}

/// The signed event of a confirmed sign-up.
fn sign_up(pool: &LocalPool, name: &str) -> Vec<u8> {
    let event = json!({
        "version": "1", "triggerSource": "PostConfirmation_ConfirmSignUp", "userPoolId": pool.user_pool().id, "userName": name,
        "request": { "userAttributes": { "sub": name, "email": format!("{name}@example.com"), "email_verified": "true" } },
    });
    let (event, timestamp) = (event.to_string(), chrono::Utc::now().timestamp());
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, format!("v1.{timestamp}.{event}").as_bytes());
    let signature: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let length = event.len();
    format!(
        "POST /cognito/post-confirmation/ HTTP/1.1\r\nhost: 127.0.0.1\r\nx-gatepost-timestamp: {timestamp}\r\nx-gatepost-signature: v1={signature}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{event}"
    )
    .into_bytes()
}

fn request(email: &str) -> TokenRequest {
    TokenRequest { expires_in: 86_400, ..TokenRequest::new(email.to_owned()) }
}

/// Different tokens of one user, signed on two threads.
fn fresh_tokens(pool: &LocalPool) -> Outcome<Vec<String>> {
    let sign =
        || (0..FRESH_TOKENS / 2).map(|_| Ok(pool.token(&request("alice@example.com"))?)).collect::<Outcome<Vec<_>>>();
    std::thread::scope(|scope| {
        let other = scope.spawn(sign);
        let mut tokens = sign()?;
        tokens.extend(other.join().map_err(|_| "signing failed")??);
        Ok(tokens)
    })
}

fn get(token: &str) -> Vec<u8> {
    format!("GET /articles/?limit=20 HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// The start of the list, with a different cursor for each `n`, so that no response is cached.
fn from_the_begin(n: usize) -> String {
    format!("/articles/?cursor={}&", URL_SAFE_NO_PAD.encode(format!("{{\"i\":-{}}}", n + 1)))
}

/// The list from the middle of a million rows, with a different cursor for each `n`.
fn from_the_middle(n: usize) -> String {
    format!("/articles/?cursor={}&", URL_SAFE_NO_PAD.encode(format!("{{\"i\":{}}}", 500_000 + n)))
}

/// The request at another path.
fn at_path(request: &[u8], path: &str) -> Vec<u8> {
    let from = if path.contains('?') { "/articles/?" } else { "/articles/" };
    String::from_utf8_lossy(request).replacen(from, path, 1).into_bytes()
}

fn post(token: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /articles/ HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Commits inserts one by one on one connection, with the service's durability.
fn bare_loop(path: &Path) -> Outcome<Measured> {
    let path = path.to_str().ok_or("the path is not UTF-8")?;
    let mut connection = SqliteConnection::establish(path)?;
    connection.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE articles (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);",
    )?;
    let (started, mut latencies) = (Instant::now(), Vec::new());
    while started.elapsed() < PERIOD {
        let begun = Instant::now();
        diesel::sql_query("INSERT INTO articles (name) VALUES ('Article of the benchmark')")
            .execute(&mut connection)?;
        latencies.push(begun.elapsed());
    }
    Ok(Measured::new(latencies, started.elapsed()))
}

/// Starts this program as the floor.
fn start_floor(folder: &Path, answer: &str) -> Outcome<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--floor").arg(folder.join("bench.local-pool.keys")).arg(answer);
    Server::start(command)
}
