//! Limits on callers: who is counted by what, what a refusal looks like, and whose address it is.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gatepost::config::Config;
use gatepost::crypto::Secret;
use gatepost::http::client_address::TrustedProxies;

use crate::harness::TestServer;
use crate::harness::client::Answer;

/// A server with these limits, behind a proxy on this machine.
async fn server(user: Option<&str>, address: Option<&str>) -> TestServer {
    TestServer::start_with(|config| limit(config, user, address)).await
}

fn limit(config: &mut Config, user: Option<&str>, address: Option<&str>) {
    config.rate_limit_user = user.map(|rate| rate.parse().expect("a rate"));
    config.rate_limit_address = address.map(|rate| rate.parse().expect("a rate"));
    config.trusted_proxies = TrustedProxies(vec!["127.0.0.1".parse().expect("an address")]);
}

#[track_caller]
fn assert_throttled(case: &str, answer: &Answer) {
    assert_eq!(answer.status, 429, "{case}: {answer:?}");
    let seconds: u64 = answer.header("retry-after").parse().expect("whole seconds");
    let plural = if seconds == 1 { "" } else { "s" };
    let detail = format!("Request was throttled. Expected available in {seconds} second{plural}.");
    assert!(seconds >= 1, "{case}");
    if !answer.body.is_empty() {
        let body = serde_json::json!({ "detail": detail, "code": "throttled" });
        assert_eq!(answer.json(), body, "{case}");
    }
}

#[tokio::test]
async fn without_a_setting_nobody_is_limited() {
    let (server, token) = TestServer::with_alice().await;
    let calls = (0..300).map(|n| server.get("/me/", if n % 2 == 0 { &token } else { "a.b.c" }));
    let statuses: Vec<u16> = join_all(calls).await.iter().map(|answer| answer.status).collect();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 401)), "{statuses:?}");
}

#[tokio::test]
async fn a_user_has_one_bucket_for_all_addresses_of_the_api() {
    let server = server(Some("5/h"), Some("1000/s")).await;
    let alice = server.alice().await;
    server.user("bob").await;
    let bob = server.pool.token("bob").sign();
    assert_eq!(server.get("/articles/", &alice).await.status, 200);
    assert_eq!(server.get("/me/", &alice).await.status, 200);
    assert_eq!(server.post_article(&alice, "x").await.status, 201);
    assert_eq!(server.call("OPTIONS", "/me/").token(&alice).status().await, 200);
    assert_eq!(server.call("PUT", "/me/").token(&alice).status().await, 405);
    for (method, path) in [("GET", "/articles/"), ("GET", "/articles"), ("HEAD", "/articles/1/"), ("DELETE", "/me/")] {
        assert_throttled(path, &server.call(method, path).token(&alice).send().await);
    }
    // Another token of hers is hers as well.
    let other = server.pool.token("alice").claim("jti", "another").sign();
    assert_throttled("another token", &server.get("/me/", &other).await);
    assert_throttled("a write", &server.post_article(&alice, "y").await);
    assert_eq!(server.count("articles").await, 1, "what is refused is not done");
    // From the same address, nobody else is held up.
    assert_eq!(server.get("/me/", &bob).await.status, 200);
    assert_eq!(server.get("/me/", "a.b.c").await.status, 401);
    assert_eq!(server.fetch("/healthz").await.status, 200);
}

#[tokio::test]
async fn tokens_come_back_at_the_rates_pace() {
    let server = server(Some("20/s"), None).await;
    let alice = server.alice().await;
    let began = Instant::now();
    let mut let_through = 0;
    while began.elapsed() < Duration::from_millis(2500) {
        let answer = server.get("/me/", &alice).await;
        if answer.status == 200 {
            let_through += 1;
        } else {
            assert_throttled("too fast", &answer);
            assert_eq!(answer.header("retry-after"), "1");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let most = 20.0 + 20.0 * began.elapsed().as_secs_f64() + 1.0;
    assert!(let_through > 20 && f64::from(let_through) <= most, "{let_through} of at most {most}");
}

#[tokio::test]
async fn strangers_are_counted_by_address_and_do_not_hold_up_users() {
    let server = server(None, Some("3/h")).await;
    let alice = server.alice().await;
    let from = |address: &'static str| server.call("GET", "/me/").header("x-forwarded-for", address);
    let forged = server.pool.token("alice").signed_by(&crate::harness::pool::TestKey::nth(3)).sign();
    assert_eq!(from("192.0.2.1").status().await, 401);
    assert_eq!(from("192.0.2.1").token("a.b.c").status().await, 401);
    assert_eq!(from("192.0.2.1").token(&forged).status().await, 401);
    for _ in 0..3 {
        assert_throttled("no token", &from("192.0.2.1").send().await);
        assert_throttled("a bad token", &from("192.0.2.1").token(&forged).send().await);
    }
    assert_eq!(from("192.0.2.2").status().await, 401, "another address");
    assert_eq!(from("192.0.2.1").token(&alice).status().await, 200, "who proves who they are is no stranger");

    // One network of IPv6 is one customer.
    for host in ["2001:db8:1:2::1", "2001:db8:1:2::2", "[2001:db8:1:2::3]:443"] {
        assert_eq!(from(host).status().await, 401, "{host}");
    }
    assert_throttled("the fourth host", &from("2001:db8:1:2:ffff::").send().await);
    assert_eq!(from("2001:db8:1:3::1").status().await, 401, "another network");
}

#[tokio::test]
async fn only_a_trusted_proxy_is_believed_and_only_its_own_entry() {
    let rows = [
        // Whoever the client says that it is, the proxy's entry is the last one.
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "1.1.1.1, 192.0.2.1", true),
        ("192.0.2.1", "1.1.1.1,192.0.2.1 , 127.0.0.1", true),
        ("192.0.2.1", "192.0.2.1, 1.1.1.1", false),
        ("192.0.2.1", "192.0.2.1:8080", true),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        // What cannot be read hides what is before it: it was the proxy that spoke.
        ("127.0.0.1", "192.0.2.1, unknown", true),
        ("127.0.0.1", "", true),
    ];
    for (first, second, is_same) in rows {
        let server = server(None, Some("1/h")).await;
        let call = |forwarded: &str| server.call("GET", "/me/").header("x-forwarded-for", forwarded);
        assert_eq!(call(first).status().await, 401);
        let expected = if is_same { 429 } else { 401 };
        assert_eq!(call(second).status().await, expected, "{first}, then {second}");
    }
    // Without a trusted proxy the header is anybody's word.
    let server = TestServer::start_with(|config| {
        limit(config, None, Some("1/h"));
        config.trusted_proxies = TrustedProxies::default();
    })
    .await;
    let call = |forwarded: &str| server.call("GET", "/me/").header("x-forwarded-for", forwarded);
    assert_eq!(call("192.0.2.1").status().await, 401);
    assert_throttled("an invented address", &call("192.0.2.2").send().await);
}

#[tokio::test]
async fn forged_calls_of_the_trigger_are_limited_and_genuine_ones_are_not() {
    const SECRET: &str = "the-secret-of-the-trigger-in-these-tests";
    let server = TestServer::start_with(|config| {
        limit(config, None, Some("2/h"));
        config.post_confirmation_secrets = vec![Secret::new(SECRET.to_owned())];
    })
    .await;
    let call = |signature: String, timestamp: i64| {
        server
            .call("POST", "/cognito/post-confirmation/")
            .header("x-gatepost-timestamp", timestamp.to_string())
            .header("x-gatepost-signature", format!("v1={signature}"))
            .json("{}")
    };
    let now = crate::harness::pool::now();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, format!("v1.{now}.{{}}").as_bytes());
    let genuine: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    for _ in 0..2 {
        assert_eq!(call("00".repeat(32), now).send().await.code(), "signature_invalid");
    }
    assert_throttled("a third forgery", &call("00".repeat(32), now).send().await);
    assert_throttled("no token either", &server.fetch("/me/").await);
    for _ in 0..5 {
        // The signature is good, if not the event.
        assert_eq!(call(genuine.clone(), now).send().await.code(), "event_malformed");
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_read_how_long_to_wait() {
    let server = server(Some("1/h"), None).await;
    let alice = server.alice().await;
    let call = || server.call("GET", "/me/").token(&alice).header("origin", "http://localhost:3000");
    assert_eq!(call().status().await, 200);
    let answer = call().send().await;
    assert_throttled("the second", &answer);
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:3000");
    assert!(answer.header("access-control-expose-headers").to_ascii_lowercase().contains("retry-after"));
    assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
    let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((3500..=3600).contains(&seconds), "{seconds}");
    // A preflight is the browser's, and costs nobody a token.
    let preflight = server.call("OPTIONS", "/me/").header("origin", "http://localhost:3000");
    assert_eq!(preflight.header("access-control-request-method", "GET").status().await, 200);
}

#[tokio::test]
async fn many_requests_at_once_get_no_more_than_the_rate() {
    let server = server(Some("50/h"), Some("50/h")).await;
    let alice = server.alice().await;
    let calls = (0..400).map(|n| server.get("/me/", if n % 2 == 0 { &alice } else { "a.b.c" }));
    let answers = join_all(calls).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(401), count(429)), (50, 50, 300));
}
