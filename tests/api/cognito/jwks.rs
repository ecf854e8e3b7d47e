//! The user pool's keys: sources that die, stall and lie, rotation and withdrawal, floods of unknown key
//! ids, proxies and certificates.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use gatepost::config::{Config, Pool};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::client::Answer;
use crate::harness::jwks::{Behaviour, JwksFixture, key_set};
use crate::harness::pool::{TestKey, TestPool};
use crate::harness::program::Program;
use crate::harness::{TestServer, eventually, skip};

/// Longer than any test: what happens once in such a period happens once.
const NEVER: Duration = Duration::from_secs(3600);

fn quick(config: &mut Config) {
    config.jwks.refresh = Duration::from_millis(50);
}

/// No fetch but those that unknown keys cause, and those once in a while.
fn on_demand(config: &mut Config, cooldown: Duration) {
    config.jwks.refresh = NEVER;
    config.jwks.cooldown = cooldown;
}

/// A third key, which no fresh pool publishes.
fn third() -> TestKey {
    TestKey::nth(2)
}

/// A token that nobody remembers, of a user who is linked already or can be.
fn fresh(server: &TestServer) -> crate::harness::pool::TokenBuilder {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    server.pool.token("alice").claim("jti", format!("fresh-{}", NUMBER.fetch_add(1, Ordering::SeqCst)))
}

/// A token that names a key nobody has, with a signature of the right form.
fn unknown(kid: &str) -> String {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    format!(
        "{}.{}.{}",
        encode(&json!({ "alg": "RS256", "kid": kid }).to_string()),
        encode("{}"),
        URL_SAFE_NO_PAD.encode([7; 256])
    )
}

async fn status_and_code(server: &TestServer, token: &str) -> (u16, String) {
    let answer = server.get("/me/", token).await;
    (answer.status, if answer.status == 200 { String::new() } else { answer.code() })
}

#[track_caller]
fn assert_keys_unavailable(case: &str, answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (503, "keys_unavailable"), "{case}: {answer:?}");
    assert_eq!(answer.header("retry-after"), "5", "{case}");
    assert_eq!(answer.header("www-authenticate"), "", "{case}: no other token would help");
    assert_eq!(answer.json()["request_id"], answer.header("x-request-id"), "{case}");
}

fn redirect_to(status: &'static str, url: &url::Url) -> Behaviour {
    Behaviour::Answer { status, headers: format!("location: {url}\r\n"), body: Vec::new() }
}

/// Every way in which a source can fail to give keys at once.
fn failures() -> Vec<(&'static str, Behaviour)> {
    let body = |text: &str| Behaviour::Body(text.as_bytes().to_vec());
    let good = key_set(&[&TestKey::nth(0), &TestKey::nth(1)]);
    let status = |status| Behaviour::Answer { status, headers: String::new(), body: good.clone() };
    let mut huge = good.clone();
    huge.resize(10 * 1024 * 1024, b' ');
    let mut cut = good.clone();
    cut.truncate(good.len() / 2);
    let mut encryption_only = serde_json::from_slice::<Value>(&good).expect("JSON");
    for key in encryption_only["keys"].as_array_mut().expect("keys") {
        key["use"] = "enc".into();
    }
    let other_alg = String::from_utf8(good.clone()).expect("text").replace("RS256", "RS512");
    vec![
        ("hangs up", Behaviour::HangUp),
        ("HTML", body("<html><body>Sign in to the hotel's network</body></html>")),
        ("binary garbage", Behaviour::Body((0..=255).cycle().take(4096).collect())),
        ("nothing", body("")),
        ("null", body("null")),
        ("a list", body("[]")),
        ("a string that would forge a log line", body("\"\\n2030-01-01 ERROR \\u0007 forged\"")),
        ("no keys member", body("{}")),
        ("keys is an object", body(r#"{"keys":{}}"#)),
        ("keys is empty", body(r#"{"keys":[]}"#)),
        ("no key for signatures", Behaviour::Body(encryption_only.to_string().into_bytes())),
        ("keys for another algorithm only", body(&other_alg)),
        ("cut off", Behaviour::Body(cut)),
        ("10 MB", Behaviour::Body(huge)),
        ("endless", Behaviour::Endless),
        ("404 with keys", status("404 Not Found")),
        ("500 with keys", status("500 Internal Server Error")),
        ("204 with keys", status("204 No Content")),
        ("not HTTP", Behaviour::Answer { status: "\r\n\r\n\0\0\0", headers: String::new(), body: Vec::new() }),
    ]
}

#[tokio::test]
async fn without_keys_the_service_starts_says_so_and_recovers_on_its_own() {
    let elsewhere = JwksFixture::start(&[&TestKey::nth(0), &TestKey::nth(1)]).await;
    let mut rows = failures();
    rows.push(("redirects", redirect_to("302 Found", &elsewhere.url())));
    // A few at a time: each is a server with its threads.
    for rows in rows.chunks(5) {
        join_all(rows.iter().map(async |(case, behaviour)| {
            let pool = TestPool::start().await;
            pool.jwks.behave(behaviour.clone());
            let server = TestServer::start_for(pool, quick).await;
            let token = server.alice().await;
            server.pool.jwks.fetched_anew().await;
            assert_eq!(server.call("GET", "/healthz").send().await.status, 200, "{case}");
            let ready = server.call("GET", "/readyz").send().await;
            assert_eq!((ready.status, ready.header("retry-after")), (503, "5"), "{case}");
            let expected =
                json!({ "database": "ok", "migrations": "ok", "keys": "the user pool's keys are not loaded" });
            assert_eq!(ready.json()["checks"], expected, "{case}");
            assert_keys_unavailable(case, &server.get("/articles/", &token).await);
            assert_eq!(
                server.call("GET", "/articles/").send().await.code(),
                "no_token",
                "{case}: no keys are needed for that"
            );
            server.pool.jwks.publish(&[&server.pool.id_key]);
            server.ready().await;
            assert_eq!(server.get("/articles/", &token).await.status, 200, "{case}: after it recovered");
        }))
        .await;
    }
    assert_eq!(elsewhere.fetches(), 0, "a redirect was followed");
}

#[tokio::test]
async fn known_keys_outlive_whatever_the_source_answers() {
    let server = TestServer::start_with(quick).await;
    let remembered = server.alice().await;
    server.ready().await;
    assert_eq!(server.get("/me/", &remembered).await.status, 200);
    for (case, behaviour) in failures() {
        server.pool.jwks.behave(behaviour);
        server.pool.jwks.fetched_anew().await;
        assert_eq!(status_and_code(&server, &remembered).await, (200, String::new()), "{case}: remembered");
        assert_eq!(
            status_and_code(&server, &fresh(&server).sign()).await,
            (200, String::new()),
            "{case}: never seen before"
        );
        assert_eq!(server.call("GET", "/readyz").send().await.status, 200, "{case}");
    }
    server.pool.jwks.publish(&[&server.pool.id_key, &third()]);
    server.pool.jwks.fetched_anew().await;
    assert_eq!(
        status_and_code(&server, &fresh(&server).key(&third()).sign()).await,
        (200, String::new()),
        "afterwards"
    );
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = JwksFixture::start(&[&third()]).await;
    let server = TestServer::start_with(quick).await;
    let token = server.alice().await;
    server.ready().await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        server.pool.jwks.behave(redirect_to(status, &elsewhere.url()));
        server.pool.jwks.fetched_anew().await;
        assert_eq!(status_and_code(&server, &token).await, (200, String::new()), "{status}");
        assert_eq!(status_and_code(&server, &fresh(&server).key(&third()).sign()).await.1, "key_unknown", "{status}");
    }
    assert_eq!(elsewhere.fetches(), 0, "a redirect was followed");
}

#[tokio::test]
async fn a_known_key_never_waits_for_a_source_that_stalls_or_drips() {
    for (case, behaviour) in [("stalls", Behaviour::Stall), ("drips", Behaviour::Drip)] {
        let server = TestServer::start_with(quick).await;
        server.user("alice").await;
        server.ready().await;
        server.pool.jwks.behave(behaviour);
        let before = server.pool.jwks.fetches();
        eventually("a fetch is under way", async || server.pool.jwks.fetches() > before).await;
        // Each would take the fetch's five seconds if it waited.
        let began = Instant::now();
        for _ in 0..20 {
            assert_eq!(status_and_code(&server, &fresh(&server).sign()).await, (200, String::new()), "{case}");
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{case}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_request_waits_for_a_stalled_source_no_longer_than_one_fetch_may_take() {
    let at_start = async {
        let pool = TestPool::start().await;
        pool.jwks.behave(Behaviour::Stall);
        let server = TestServer::start_for(pool, |config| on_demand(config, NEVER)).await;
        let token = server.alice().await;
        let began = Instant::now();
        assert_keys_unavailable("at the start", &server.get("/me/", &token).await);
        began.elapsed()
    };
    let later = async {
        let server = TestServer::start_with(|config| on_demand(config, NEVER)).await;
        server.ready().await;
        server.pool.jwks.behave(Behaviour::Stall);
        let began = Instant::now();
        assert_eq!(status_and_code(&server, &unknown("new")).await, (401, "key_unknown".to_owned()));
        began.elapsed()
    };
    let (at_start, later) = tokio::join!(at_start, later);
    for (case, waited) in [("at the start", at_start), ("later", later)] {
        assert!(waited < Duration::from_secs(9), "{case}: {waited:?} for a limit of 5 s");
    }
}

#[tokio::test]
async fn a_slow_source_is_waited_for() {
    let server = TestServer::start_with(|config| on_demand(config, NEVER)).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.behave(Behaviour::Late(Duration::from_secs(2), key_set(&[&third()])));
    assert_eq!(status_and_code(&server, &fresh(&server).key(&third()).sign()).await, (200, String::new()));
}

#[tokio::test]
async fn keys_are_trusted_up_to_their_greatest_age_and_not_beyond() {
    let max_stale = Duration::from_secs(3);
    let server = TestServer::start_with(|config| {
        quick(config);
        config.jwks.max_stale = max_stale;
    })
    .await;
    let remembered = server.alice().await;
    server.ready().await;
    assert_eq!(server.get("/me/", &remembered).await.status, 200);
    // The keys that will grow old come after this.
    let earliest = Instant::now();
    server.pool.jwks.fetched_anew().await;
    server.pool.jwks.behave(Behaviour::HangUp);
    eventually("the keys are too old", async || {
        let status = server.get("/me/", &remembered).await.status;
        assert!(status == 200 || earliest.elapsed() >= max_stale, "{status} after {:?}", earliest.elapsed());
        status != 200
    })
    .await;
    assert_keys_unavailable("remembered", &server.get("/me/", &remembered).await);
    assert_keys_unavailable("fresh", &server.get("/me/", &fresh(&server).sign()).await);
    assert_keys_unavailable("unknown", &server.get("/me/", &unknown("new")).await);
    assert_eq!(server.call("GET", "/readyz").send().await.status, 503);
    server.pool.jwks.publish(&[&server.pool.id_key]);
    server.ready().await;
    assert_eq!(status_and_code(&server, &remembered).await, (200, String::new()), "after it recovered");
}

#[tokio::test]
async fn key_sets_with_oddities_are_understood() {
    let key = third();
    let odd = |change: &dyn Fn(&mut Value)| {
        let mut jwk = key.jwk();
        change(&mut jwk);
        jwk
    };
    let remove = |name: &'static str| odd(&move |jwk| drop(jwk.as_object_mut().expect("an object").remove(name)));
    let set = |name: &'static str, value: Value| odd(&move |jwk| jwk[name] = value.clone());
    let alone = |jwk: Value| json!({ "keys": [jwk] });
    let beside = |bad: Value| json!({ "keys": [bad.clone(), key.jwk(), bad] });
    let many: Vec<Value> = (0..500).map(|n| key.named(&format!("other-{n}")).jwk()).chain([key.jwk()]).collect();
    let rows = [
        ("without use", alone(remove("use"))),
        ("without alg", alone(remove("alg"))),
        ("with use and alg null", alone(odd(&|jwk| (jwk["use"], jwk["alg"]) = (Value::Null, Value::Null)))),
        ("with unknown members", alone(set("x5t#S256", json!(["?"])))),
        ("unknown members beside keys", json!({ "next": 1, "keys": [key.jwk()], "": null })),
        ("one key twice", json!({ "keys": [key.jwk(), key.jwk()] })),
        ("501 keys", json!({ "keys": many })),
        ("beside null", beside(Value::Null)),
        ("beside a number", beside(json!(1e300))),
        ("beside a list", beside(json!([key.jwk()]))),
        ("beside one without kid", beside(remove("kid"))),
        ("beside one whose kid is a number", beside(set("kid", json!(7)))),
        ("beside one without n", beside(remove("n"))),
        ("beside one without e", beside(remove("e"))),
        (
            "beside one whose n is not base64url",
            beside(odd(&|jwk| {
                jwk["n"] = "!".repeat(342).into();
                jwk["kid"] = "bent".into();
            })),
        ),
        (
            "beside one of 512 bits",
            beside(odd(&|jwk| {
                jwk["n"] = "w".repeat(86).into();
                jwk["kid"] = "short".into();
            })),
        ),
        (
            "beside an elliptic one",
            beside(json!({ "kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "x": "AA", "y": "AA" })),
        ),
        ("beside a symmetric one", beside(json!({ "kty": "oct", "kid": "oct", "alg": "HS256", "k": "AAAA" }))),
        (
            "beside one for encryption",
            beside(odd(&|jwk| {
                jwk["use"] = "enc".into();
                jwk["kid"] = "enc".into();
            })),
        ),
    ];
    let server = TestServer::start_with(quick).await;
    server.user("alice").await;
    for (case, document) in rows {
        // Between two rows the key is gone, so that each row has to bring it anew.
        server.pool.jwks.publish(&[&server.pool.id_key]);
        server.pool.jwks.fetched_anew().await;
        assert_eq!(status_and_code(&server, &fresh(&server).key(&key).sign()).await.1, "key_unknown", "before {case}");
        server.pool.jwks.behave(Behaviour::Body(document.to_string().into_bytes()));
        server.pool.jwks.fetched_anew().await;
        assert_eq!(status_and_code(&server, &fresh(&server).key(&key).sign()).await, (200, String::new()), "{case}");
    }
}

#[tokio::test]
async fn the_key_that_a_set_says_is_for_something_else_verifies_nothing() {
    let server = TestServer::start_with(quick).await;
    server.user("alice").await;
    for (case, name, value) in [
        ("for encryption", "use", "enc"),
        ("for another algorithm", "alg", "RS512"),
        ("for PSS", "alg", "PS256"),
        ("of another type", "kty", "oct"),
    ] {
        let mut jwk = third().jwk();
        jwk[name] = value.into();
        let document = json!({ "keys": [server.pool.id_key.jwk(), jwk] });
        server.pool.jwks.behave(Behaviour::Body(document.to_string().into_bytes()));
        server.pool.jwks.fetched_anew().await;
        assert_eq!(
            status_and_code(&server, &fresh(&server).key(&third()).sign()).await,
            (401, "key_unknown".to_owned()),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_new_key_works_at_its_first_request() {
    let server = TestServer::start_with(|config| on_demand(config, NEVER)).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.publish(&[&server.pool.id_key, &server.pool.access_key, &third()]);
    assert_eq!(status_and_code(&server, &fresh(&server).key(&third()).sign()).await, (200, String::new()));
    assert_eq!(server.pool.jwks.fetches(), 2, "one at the start and one for the new key");
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_after_the_next_refresh_and_what_was_remembered_with_it() {
    let server = TestServer::start_with(quick).await;
    let remembered = server.alice().await;
    let of_the_other_key = fresh(&server).key(&server.pool.access_key).sign();
    server.ready().await;
    for _ in 0..2 {
        assert_eq!(server.get("/me/", &remembered).await.status, 200);
    }
    server.pool.jwks.publish(&[&server.pool.access_key]);
    server.pool.jwks.fetched_anew().await;
    assert_eq!(status_and_code(&server, &remembered).await, (401, "key_unknown".to_owned()), "remembered");
    assert_eq!(status_and_code(&server, &fresh(&server).sign()).await, (401, "key_unknown".to_owned()), "fresh");
    assert_eq!(status_and_code(&server, &of_the_other_key).await, (200, String::new()), "the key that stays");
}

#[tokio::test]
async fn a_token_is_verified_again_when_its_key_id_stands_for_another_key() {
    let server = TestServer::start_with(quick).await;
    let remembered = server.alice().await;
    server.ready().await;
    assert_eq!(server.get("/me/", &remembered).await.status, 200);
    let impostor = third().named(&server.pool.id_key.kid);
    server.pool.jwks.publish(&[&impostor]);
    server.pool.jwks.fetched_anew().await;
    assert_eq!(status_and_code(&server, &remembered).await, (401, "signature_invalid".to_owned()));
    assert_eq!(status_and_code(&server, &fresh(&server).key(&impostor).sign()).await, (200, String::new()));
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_in_a_cool_down() {
    let server = TestServer::start_with(|config| on_demand(config, NEVER)).await;
    server.user("alice").await;
    server.ready().await;
    for n in 0..20 {
        assert_eq!(status_and_code(&server, &unknown(&format!("kid-{n}"))).await, (401, "key_unknown".to_owned()));
    }
    assert_eq!(server.pool.jwks.fetches(), 2, "one at the start and one for twenty unknown keys");
}

#[tokio::test]
async fn a_new_key_is_found_once_the_cool_down_is_over() {
    let server = TestServer::start_with(|config| on_demand(config, Duration::from_secs(2))).await;
    server.user("alice").await;
    server.ready().await;
    assert_eq!(status_and_code(&server, &unknown("nobody's")).await.1, "key_unknown");
    let began = Instant::now();
    server.pool.jwks.publish(&[&third()]);
    let token = fresh(&server).key(&third()).sign();
    eventually("the new key is found", async || server.get("/me/", &token).await.status == 200).await;
    let times = server.pool.jwks.times();
    assert_eq!(times.len(), 3, "one at the start, one for the unknown key, one for the new one");
    // A little less than the cool-down, because the fixture's clock starts when a request arrives.
    assert!(times[2] - times[1] > Duration::from_millis(1500), "{:?}", times[2] - times[1]);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn many_requests_with_a_new_key_share_one_fetch() {
    let server = TestServer::start_with(|config| on_demand(config, NEVER)).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.behave(Behaviour::Late(Duration::from_millis(500), key_set(&[&third()])));
    let answers = join_all((0..50).map(|_| {
        let token = fresh(&server).key(&third()).sign();
        let call = server.call("GET", "/me/").token(&token);
        async move { call.send().await.status }
    }))
    .await;
    assert_eq!(answers, [200; 50]);
    assert_eq!(server.pool.jwks.fetches(), 2, "one at the start and one for fifty requests");
}

/// Requests with unknown keys, over ten connections: at least so many, and on until they are stopped.
#[derive(Clone)]
struct Flood {
    address: SocketAddr,
    at_least: usize,
    stopped: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Flood {
    fn start(address: SocketAddr, at_least: usize) -> (Flood, tokio::task::JoinHandle<()>) {
        let flood = Flood { address, at_least, stopped: Arc::default(), refused: Arc::default() };
        let running = flood.clone();
        let task = tokio::spawn(async move {
            join_all((0..10).map(|connection| flood_connection(running.clone(), connection))).await;
        });
        (flood, task)
    }

    fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

async fn flood_connection(flood: Flood, connection: usize) {
    let mut stream = TcpStream::connect(flood.address).await.expect("the server accepts");
    let mut answer = vec![0; 65536];
    let mut n = 0;
    while n < flood.at_least / 10 || !flood.stopped.load(Ordering::SeqCst) {
        // Ten at a time, pipelined.
        let requests: String = (n..n + 10)
            .map(|n| {
                let token = unknown(&format!("{connection}-{n}"));
                format!("GET /me/ HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n")
            })
            .collect();
        stream.write_all(requests.as_bytes()).await.expect("the server reads");
        let (mut text, mut refused) = (String::new(), 0);
        while refused < 10 {
            let read = stream.read(&mut answer).await.expect("the server answers");
            assert_ne!(read, 0, "the server closed in the flood after {text}");
            text.push_str(&String::from_utf8_lossy(&answer[..read]));
            refused = text.matches("\"code\":\"key_unknown\"").count();
        }
        flood.refused.fetch_add(10, Ordering::SeqCst);
        n += 10;
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_neither_causes_a_storm_of_fetches_nor_keeps_a_new_key_out() {
    let cooldown = Duration::from_secs(1);
    let server = TestServer::start_with(|config| on_demand(config, cooldown)).await;
    let known = server.alice().await;
    server.ready().await;
    let began = Instant::now();
    let (flood, task) = Flood::start(server.address, 5000);
    eventually("the flood has begun", async || flood.refused() > 100).await;
    server.pool.jwks.publish(&[&server.pool.id_key, &third()]);
    let new = fresh(&server).key(&third()).sign();
    eventually("the new key is found in the flood", async || server.get("/me/", &new).await.status == 200).await;
    assert_eq!(status_and_code(&server, &known).await, (200, String::new()));
    flood.stopped.store(true, Ordering::SeqCst);
    task.await.expect("the flood is answered");
    assert!(flood.refused() >= 5000);
    let most = 2 + began.elapsed().as_secs() as usize;
    let fetches = server.pool.jwks.fetches();
    assert!(fetches <= most, "{fetches} fetches in {:?} with a cool-down of 1 s", began.elapsed());
    assert_eq!(server.call("GET", "/readyz").send().await.status, 200);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_while_the_source_stalls_holds_nobody_else_up() {
    let server = TestServer::start_with(|config| on_demand(config, Duration::from_secs(1))).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.behave(Behaviour::Stall);
    let began = Instant::now();
    let (flood, task) = Flood::start(server.address, 1000);
    flood.stopped.store(true, Ordering::SeqCst);
    eventually("a fetch stalls", async || server.pool.jwks.fetches() == 2).await;
    for n in 0..20 {
        let request = Instant::now();
        assert_eq!(status_and_code(&server, &fresh(&server).sign()).await, (200, String::new()), "request {n}");
        assert!(request.elapsed() < Duration::from_secs(4), "request {n} waited {:?}", request.elapsed());
    }
    task.await.expect("the flood is answered");
    // A stalled fetch takes five seconds, and the pause after it is at least one.
    let most = 2 + began.elapsed().as_secs() as usize / 6;
    let fetches = server.pool.jwks.fetches();
    assert!(fetches <= most, "{fetches} fetches in {:?}", began.elapsed());
    server.pool.jwks.publish(&[&third()]);
    let new = fresh(&server).key(&third()).sign();
    eventually("the new key is found after the flood", async || server.get("/me/", &new).await.status == 200).await;
}

#[tokio::test]
async fn fetches_that_fail_become_rarer_whatever_is_asked_meanwhile() {
    let pool = TestPool::start().await;
    pool.jwks.behave(Behaviour::HangUp);
    let server = TestServer::start_for(pool, |config| on_demand(config, Duration::ZERO)).await;
    let token = server.alice().await;
    eventually("there were four fetches", async || {
        server.get("/me/", &token).await;
        server.get("/me/", &unknown("nobody's")).await;
        server.pool.jwks.fetches() >= 4
    })
    .await;
    let times = server.pool.jwks.times();
    for (n, seconds) in [(1, 1.0), (2, 2.0), (3, 4.0)] {
        let pause = (times[n] - times[n - 1]).as_secs_f64();
        // The fixture may have noticed the earlier of the two late.
        assert!(pause > seconds * 0.7, "a pause of {pause} s after failure {n}, {seconds} s wanted");
    }
}

#[tokio::test]
async fn after_a_stalled_fetch_unknown_keys_are_answered_at_once_until_the_cool_down_is_over() {
    // Shorter than a stalled fetch, which must not use it up.
    let server = TestServer::start_with(|config| on_demand(config, Duration::from_secs(4))).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.behave(Behaviour::Stall);
    assert_eq!(status_and_code(&server, &unknown("first")).await.1, "key_unknown");
    let began = Instant::now();
    assert_eq!(status_and_code(&server, &unknown("second")).await.1, "key_unknown");
    assert!(began.elapsed() < Duration::from_secs(4), "the second waited {:?}", began.elapsed());
}

#[tokio::test]
async fn keys_are_refreshed_without_anybody_asking() {
    let server = TestServer::start_with(quick).await;
    server.pool.jwks.fetched_anew().await;
    server.pool.jwks.fetched_anew().await;
}

/// A server with the pool's source and a second one.
async fn with_two_sources(second: &JwksFixture, settings: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::start_with(|config| {
        settings(config);
        if let Pool::Cognito(pool) = &mut config.pool {
            pool.jwks_urls.push(second.url());
        }
    })
    .await
}

#[tokio::test]
async fn two_sources_are_both_needed_to_be_ready_and_each_gives_its_keys() {
    let second = JwksFixture::start_with(Behaviour::HangUp).await;
    let server = with_two_sources(&second, quick).await;
    server.user("alice").await;
    second.fetched_anew().await;
    let of_the_second = fresh(&server).key(&third()).sign();
    assert_eq!(server.call("GET", "/readyz").send().await.status, 503);
    assert_eq!(
        status_and_code(&server, &fresh(&server).sign()).await,
        (200, String::new()),
        "the first source's keys work already"
    );
    assert_keys_unavailable("the second's do not", &server.get("/me/", &of_the_second).await);
    second.publish(&[&third()]);
    server.ready().await;
    assert_eq!(status_and_code(&server, &of_the_second).await, (200, String::new()));
    server.pool.jwks.behave(Behaviour::HangUp);
    server.pool.jwks.fetched_anew().await;
    for token in [fresh(&server).sign(), fresh(&server).key(&third()).sign()] {
        assert_eq!(status_and_code(&server, &token).await, (200, String::new()), "while the first is down");
    }
}

#[tokio::test]
async fn a_new_key_of_one_source_does_not_wait_for_another_that_stalls() {
    let second = JwksFixture::start(&[&TestKey::nth(1)]).await;
    let server = with_two_sources(&second, |config| on_demand(config, NEVER)).await;
    server.user("alice").await;
    server.ready().await;
    server.pool.jwks.behave(Behaviour::Stall);
    second.publish(&[&third()]);
    let began = Instant::now();
    assert_eq!(status_and_code(&server, &fresh(&server).key(&third()).sign()).await, (200, String::new()));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(server.pool.jwks.fetches(), 2, "the first was asked, too");
}

/// A proxy that notes the first line of each request and passes nothing on.
struct DeadProxy {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl DeadProxy {
    async fn start() -> DeadProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = requests.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                noted.lock().expect("the lock").push(line);
                let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        DeadProxy { url, requests, task }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("the lock").clone()
    }
}

impl Drop for DeadProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs `check`; what it says of the keys, and what it says of what it could not do at all.
async fn check_keys(variables: &[(&str, &str)]) -> (bool, String) {
    let outcome = Program::for_pool(variables).run(&["check"]).await;
    let line = outcome.stdout.lines().find(|line| line.contains("  keys  "));
    (outcome.code == Some(0), line.map_or_else(|| format!("{outcome:?}"), str::to_owned))
}

#[tokio::test]
async fn keys_from_elsewhere_are_fetched_through_the_proxy_of_the_environment() {
    // An unknown name: if the proxy did not stand between, the error would be another one.
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = DeadProxy::start().await;
        let url = "https://keys.gatepost.invalid/jwks.json";
        let (ok, line) = check_keys(&[("COGNITO_JWKS_URL", url), (name, &proxy.url)]).await;
        assert!(!ok && line.starts_with("FAIL"), "{name}: {line}");
        assert_eq!(proxy.requests(), ["CONNECT keys.gatepost.invalid:443 HTTP/1.1"], "{name}: {line}");
    }
}

#[tokio::test]
async fn keys_of_loopback_addresses_are_never_fetched_through_a_proxy() {
    let proxy = DeadProxy::start().await;
    let source = JwksFixture::start(&[&third()]).await;
    let by_name = source.url().as_str().replace("127.0.0.1", "localhost");
    for url in [source.url().as_str(), &by_name] {
        let proxied = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]
            .map(|name| (name, proxy.url.as_str()));
        let variables: Vec<_> = proxied.into_iter().chain([("COGNITO_JWKS_URL", url)]).collect();
        let (ok, line) = check_keys(&variables).await;
        assert!(ok && line.starts_with("ok"), "{url}: {line}");
    }
    assert_eq!(proxy.requests(), [""; 0]);
}

#[tokio::test]
async fn keys_in_the_clear_need_no_certificates_on_the_machine() {
    let pool = TestPool::start().await;
    let url = pool.jwks.url();
    let folder = Program::for_pool(&[
        ("COGNITO_JWKS_URL", url.as_str()),
        ("COGNITO_CREATE_USERS", "true"),
        ("SSL_CERT_FILE", "/nonexistent"),
        ("SSL_CERT_DIR", "/nonexistent"),
    ]);
    let program = folder.serve().await;
    eventually("it is ready", async || program.call("GET", "/readyz").send().await.status == 200).await;
    assert_eq!(program.call("GET", "/me/").token(&pool.token("alice").sign()).send().await.status, 200);
}

/// An HTTPS server, and the certificate authority that it needs one to trust.
struct TlsSource {
    port: u16,
    ca: PathBuf,
    _folder: tempfile::TempDir,
    server: Child,
}

impl Drop for TlsSource {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Serves one file of keys over TLS on all addresses of this machine.
const TLS_SERVER: &str = r#"
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("jwks.json", "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("leaf.pem", "leaf.key")
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

impl TlsSource {
    /// `None` where openssl or Python is missing.
    fn start() -> Option<TlsSource> {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path();
        std::fs::write(path.join("jwks.json"), key_set(&[&third()])).expect("a file");
        std::fs::write(path.join("extensions"), "subjectAltName=IP:127.0.0.1,IP:0.0.0.0,DNS:localhost\n")
            .expect("a file");
        let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(path, &format!("req -x509 {new_key} -keyout ca.key -out ca.pem -days 2 -subj /CN=TestAuthority"))?;
        openssl(path, &format!("req {new_key} -keyout leaf.key -out leaf.csr -subj /CN=localhost"))?;
        openssl(
            path,
            "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out leaf.pem",
        )?;
        let mut server = Command::new("python3");
        server.args(["-c", TLS_SERVER]).current_dir(path).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = server.spawn().ok()?;
        let mut line = String::new();
        let output = server.stdout.take().expect("standard output");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("a line");
        let port = line.trim().parse().expect("a port");
        Some(TlsSource { port, ca: path.join("ca.pem"), _folder: folder, server })
    }
}

fn openssl(folder: &Path, arguments: &str) -> Option<()> {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().ok()?;
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

/// A case: its name, the environment, whether the keys come, and what the proxy is asked for.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], bool, &'a [&'a str]);

#[tokio::test]
async fn https_sources_need_a_trusted_certificate_and_ca_file_and_no_proxy_are_honoured() {
    let Some(source) = TlsSource::start() else {
        return skip(
            "https_sources_need_a_trusted_certificate_and_ca_file_and_no_proxy_are_honoured",
            "openssl or python3",
        );
    };
    let ca = source.ca.to_str().expect("text");
    // 0.0.0.0 leads to this machine, but is no loopback address: proxies count for it.
    let (local, elsewhere) =
        (format!("https://127.0.0.1:{}/", source.port), format!("https://0.0.0.0:{}/", source.port));
    let proxy = DeadProxy::start().await;
    let connect = format!("CONNECT 0.0.0.0:{} HTTP/1.1", source.port);
    let no_system = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    let rows: [Row; 7] = [
        ("unknown authority", &[("COGNITO_JWKS_URL", &local)], false, &[]),
        ("COGNITO_CA_FILE", &[("COGNITO_JWKS_URL", &local), ("COGNITO_CA_FILE", ca)], true, &[]),
        (
            "COGNITO_CA_FILE where the system has no authorities",
            &[("COGNITO_JWKS_URL", &local), ("COGNITO_CA_FILE", ca), no_system[0], no_system[1]],
            true,
            &[],
        ),
        (
            "loopback is not proxied",
            &[("COGNITO_JWKS_URL", &local), ("COGNITO_CA_FILE", ca), ("HTTPS_PROXY", &proxy.url)],
            true,
            &[],
        ),
        ("no proxy", &[("COGNITO_JWKS_URL", &elsewhere), ("COGNITO_CA_FILE", ca)], true, &[]),
        (
            "HTTPS_PROXY",
            &[("COGNITO_JWKS_URL", &elsewhere), ("COGNITO_CA_FILE", ca), ("HTTPS_PROXY", &proxy.url)],
            false,
            &[&connect],
        ),
        (
            "NO_PROXY",
            &[
                ("COGNITO_JWKS_URL", &elsewhere),
                ("COGNITO_CA_FILE", ca),
                ("HTTPS_PROXY", &proxy.url),
                ("NO_PROXY", "example.com,0.0.0.0"),
            ],
            true,
            &[],
        ),
    ];
    for (case, variables, expected, requests) in rows {
        proxy.requests.lock().expect("the lock").clear();
        let (ok, line) = check_keys(variables).await;
        assert_eq!(ok, expected, "{case}: {line}");
        assert_eq!(proxy.requests(), requests, "{case}: {line}");
        assert!(case != "unknown authority" || line.contains("certificate"), "{case}: {line}");
    }
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_used_is_named_and_stops_the_start() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("text").to_owned()
    };
    let broken = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let rows = [
        ("missing", folder.path().join("missing").to_str().expect("text").to_owned()),
        ("empty", file("empty", "")),
        ("no PEM", file("text", "hello")),
        ("broken PEM", file("broken", broken)),
        ("no certificate in PEM", file("nonsense", &broken.replace("!!!!", "AAAA"))),
    ];
    for (case, path) in &rows {
        for command in ["check", "serve"] {
            let outcome = Program::for_pool(&[("COGNITO_CA_FILE", path)]).run(&[command]).await;
            let text = [outcome.stdout, outcome.stderr].concat();
            assert_eq!(outcome.code, Some(1), "{case}, {command}: {text}");
            assert!(text.contains("COGNITO_CA_FILE") && text.contains(path.as_str()), "{case}, {command}: {text}");
        }
    }
}
