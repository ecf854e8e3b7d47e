//! Sources that die, stall and lie.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gatepost::config::{Config, Pool};
use serde_json::{Value, json};

use super::{NEVER, assert_keys_unavailable, fresh, on_demand, quick, status_and_code, third, unknown};
use crate::harness::jwks::{Behaviour, JwksFixture, key_set};
use crate::harness::pool::{TestKey, TestPool};
use crate::harness::{TestServer, eventually};

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
    let mut other_operations = serde_json::from_slice::<Value>(&good).expect("JSON");
    for key in other_operations["keys"].as_array_mut().expect("keys") {
        key["key_ops"] = json!(["encrypt"]);
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
        ("no key that may verify", Behaviour::Body(other_operations.to_string().into_bytes())),
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
            assert_eq!(server.fetch("/healthz").await.status, 200, "{case}");
            let ready = server.fetch("/readyz").await;
            assert_eq!((ready.status, ready.header("retry-after")), (503, "5"), "{case}");
            let expected =
                json!({ "database": "ok", "migrations": "ok", "keys": "the user pool's keys are not loaded" });
            assert_eq!(ready.json()["checks"], expected, "{case}");
            assert_keys_unavailable(case, &server.get("/articles/", &token).await);
            assert_eq!(server.fetch("/articles/").await.code(), "no_token", "{case}: no keys are needed for that");
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
        assert_eq!(server.fetch("/readyz").await.status, 200, "{case}");
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
    assert_eq!(server.fetch("/readyz").await.status, 503);
    server.pool.jwks.publish(&[&server.pool.id_key]);
    server.ready().await;
    assert_eq!(status_and_code(&server, &remembered).await, (200, String::new()), "after it recovered");
}

#[tokio::test]
async fn keys_are_refreshed_without_anybody_asking() {
    let server = TestServer::start_with(quick).await;
    server.pool.jwks.fetched_anew().await;
    server.pool.jwks.fetched_anew().await;
}

#[tokio::test]
async fn fetches_that_fail_become_rarer_whatever_is_asked_meanwhile() {
    let server = TestServer::without_keys(|config| on_demand(config, Duration::ZERO)).await;
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
    assert_eq!(server.fetch("/readyz").await.status, 503);
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
