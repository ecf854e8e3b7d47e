//! Guessing passwords: how often, from where, and who is held up by it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use gatepost::http::client_address::TrustedProxies;

use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::client::Answer;
use crate::harness::{TestServer, assert_has};

/// A server that believes what its proxy, the test, says of addresses.
async fn behind_proxy() -> TestServer {
    TestServer::start_with(|config| {
        config.trusted_proxies = TrustedProxies(vec!["127.0.0.1".parse().expect("an address")]);
    })
    .await
}

/// Tries to sign in from an address.
async fn attempt(client: &AdminClient, from: &str, name: &str, password: &str) -> Answer {
    let fields = [("csrfmiddlewaretoken", client.token.as_str()), ("username", name), ("password", password)];
    client.form("/admin/login/", &fields).header("x-forwarded-for", from).send().await
}

/// A browser that is on the sign-in page.
async fn visitor(server: &TestServer) -> AdminClient {
    let mut client = AdminClient::new(server.address);
    client.get("/admin/login/").await;
    client
}

#[track_caller]
fn assert_throttled(answer: &Answer, most: u64) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    let seconds: u64 = answer.header("retry-after").parse().expect("a number");
    assert!((1..=most).contains(&seconds), "{seconds}");
    assert_has(&answer.text(), &[&format!("Too many attempts. Try again in {seconds} seconds.")]);
}

#[tokio::test]
async fn an_account_is_throttled_from_wherever_it_is_tried_and_whether_it_is_there_or_not() {
    let server = behind_proxy().await;
    server.staff("alice", |_| {}).await;
    let client = visitor(&server).await;
    for name in ["alice", "nobody"] {
        for n in 0..5 {
            assert_eq!(attempt(&client, &format!("192.0.2.{n}"), name, "wrong").await.status, 200, "{name} {n}");
        }
        // Nor is it looked at whether the password is right.
        for (n, typed) in [name, &name.to_uppercase(), &format!(" {name} ")].into_iter().enumerate() {
            assert_throttled(&attempt(&client, &format!("198.51.100.{n}"), typed, PASSWORD).await, 60);
        }
    }
    // Others are not concerned.
    server.staff("bob", |_| {}).await;
    assert_eq!(attempt(&client, "192.0.2.1", "bob", PASSWORD).await.status, 303);
    // After half a minute there is one attempt more, and a right one.
    server.sql("UPDATE throttles SET at = at - 31000").await;
    assert_eq!(attempt(&client, "192.0.2.9", "alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn an_address_is_throttled_whatever_accounts_it_tries() {
    let server = behind_proxy().await;
    server.staff("alice", |_| {}).await;
    let client = visitor(&server).await;
    for n in 0..20 {
        assert_eq!(attempt(&client, "192.0.2.1", &format!("user{n}"), "wrong").await.status, 200, "{n}");
    }
    assert_throttled(&attempt(&client, "192.0.2.1", "alice", PASSWORD).await, 60);
    assert_throttled(&attempt(&client, "1.1.1.1, 192.0.2.1", "alice", PASSWORD).await, 60);
    assert_eq!(attempt(&client, "192.0.2.2", "alice", PASSWORD).await.status, 303);
    // A whole network of IPv6 is one customer.
    for n in 0..20 {
        let from = format!("2001:db8:1:2:{n:x}::1");
        assert_eq!(attempt(&client, &from, &format!("other{n}"), "wrong").await.status, 200, "{n}");
    }
    assert_throttled(&attempt(&client, "2001:db8:1:2:ffff::7", "alice", PASSWORD).await, 60);
    assert_eq!(attempt(&client, "2001:db8:1:3::1", "alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn an_address_that_the_client_invents_does_not_count() {
    let server = TestServer::start().await;
    let client = visitor(&server).await;
    for n in 0..20 {
        let from = format!("192.0.2.{n}");
        assert_eq!(attempt(&client, &from, &format!("user{n}"), "wrong").await.status, 200, "{n}");
    }
    assert_throttled(&attempt(&client, "198.51.100.1", "user99", "wrong").await, 60);
    // A genuine other one does.
    let local = reqwest::Client::builder().no_proxy().local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77)));
    let local = local.redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let cookies: Vec<_> = client.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let body = format!("csrfmiddlewaretoken={}&username=user99&password=wrong", client.token);
    let answer = local
        .post(format!("http://{}/admin/login/", server.address))
        .header("cookie", cookies.join("; "))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    assert_eq!(answer.send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn the_right_password_does_not_count() {
    let server = behind_proxy().await;
    server.staff("alice", |_| {}).await;
    for _ in 0..30 {
        // Each time by a browser that is not known.
        let client = visitor(&server).await;
        assert_eq!(attempt(&client, "192.0.2.1", "alice", PASSWORD).await.status, 303);
    }
    assert_eq!(server.count("throttles").await, 0, "an empty bucket is not kept");
}

#[tokio::test]
async fn the_owner_gets_in_with_a_known_browser_while_others_guess() {
    let server = behind_proxy().await;
    server.staff("alice", |_| {}).await;
    server.staff("bob", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    let bob = server.sign_in("bob").await;
    alice.post("/admin/logout/", &[]).await;
    alice.get("/admin/login/").await;
    let attacker = visitor(&server).await;
    for n in 0..30 {
        attempt(&attacker, &format!("192.0.2.{n}"), "alice", "wrong").await;
    }
    assert_throttled(&attempt(&attacker, "198.51.100.1", "alice", PASSWORD).await, 60);
    // Bob's browser is known for Bob alone; and a cookie that was tampered with is none.
    let mut others = visitor(&server).await;
    let device = |client: &AdminClient| client.cookies["__Host-gatepost_device"].clone();
    let forged = device(&bob).replacen(&format!("{}.", 2), "1.", 1);
    for cookie in [device(&bob), forged, format!("{}A", device(&alice)), "1.2.3.4".to_owned()] {
        others.cookies.insert("__Host-gatepost_device".to_owned(), cookie.clone());
        assert_throttled(&attempt(&others, "198.51.100.2", "alice", PASSWORD).await, 60);
    }
    // Even from the attacker's own address.
    assert_eq!(attempt(&alice, "192.0.2.1", "alice", PASSWORD).await.status, 303);
    // Who has stolen the browser's cookie may guess no more often than others.
    for n in 0..5 {
        assert_eq!(attempt(&alice, "192.0.2.1", "alice", "wrong").await.status, 200, "{n}");
    }
    assert_throttled(&attempt(&alice, "203.0.113.1", "alice", PASSWORD).await, 60);
}

#[tokio::test]
async fn the_limit_can_be_set_and_holds_for_all_processes_on_a_database() {
    let first = TestServer::start_with(|config| config.login_max_failures = 2).await;
    let second = first.second().await;
    let (one, other) = (visitor(&first).await, visitor(&second).await);
    assert_eq!(attempt(&one, "", "alice", "wrong").await.status, 200);
    assert_eq!(attempt(&other, "", "alice", "wrong").await.status, 200);
    assert_throttled(&attempt(&one, "", "alice", "wrong").await, 30);
    assert_throttled(&attempt(&other, "", "alice", "wrong").await, 30);
}

#[tokio::test]
async fn attempts_at_the_same_time_are_counted_one_by_one() {
    let server = TestServer::start().await;
    let client = visitor(&server).await;
    let attempts = (0..40).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { attempt(&client, "", "alice", "wrong").await.status })
    });
    let mut looked_at = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.expect("an answer") {
            200 => looked_at += 1,
            status => assert!(matches!(status, 429 | 503), "{status}"),
        }
    }
    assert!(looked_at <= 5, "{looked_at}");
}

#[tokio::test]
async fn buckets_that_are_empty_are_removed_in_time() {
    let server = behind_proxy().await;
    let client = visitor(&server).await;
    for n in 0..12 {
        attempt(&client, &format!("192.0.2.{n}"), &format!("user{n}"), "wrong").await;
    }
    assert_eq!(server.count("throttles").await, 24);
    server.sql("UPDATE throttles SET at = at - 1501000").await;
    attempt(&client, "198.51.100.1", "somebody", "wrong").await;
    assert_eq!(server.count("throttles").await, 2);
    let names = server.texts("SELECT name FROM throttles").await.join(" ");
    assert!(!names.contains("somebody"), "what was typed may be a password: {names}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_sign_ins_does_not_starve_the_api() {
    let server = behind_proxy().await;
    server.seed_articles(20).await;
    let token = server.alice().await;
    server.ready().await;
    let client = visitor(&server).await;
    let started = Instant::now();
    let flood: Vec<_> = (0..200)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move {
                attempt(&client, &format!("10.1.{}.{}", n / 250, n % 250), &format!("user{n}"), "wrong").await.status
            })
        })
        .collect();
    let mut times = Vec::new();
    while !flood.iter().all(|attempt| attempt.is_finished()) {
        let asked = Instant::now();
        assert_eq!(server.get("/articles/", &token).await.status, 200);
        times.push(asked.elapsed());
        assert!(started.elapsed() < Duration::from_secs(60));
    }
    let mut refused = 0;
    for attempt in flood {
        match attempt.await.expect("an answer") {
            200 => {}
            503 => refused += 1,
            status => panic!("{status}"),
        }
    }
    times.sort();
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{} reads, median {median:?}, most {most:?}; {refused} of 200 were told to come back later", times.len());
    assert!(times.len() >= 20 && median < Duration::from_millis(250), "{} {median:?}", times.len());
    assert!(most < Duration::from_secs(3), "{most:?}");
    // Whoever was sent away was not counted as a failure.
    let counted = server.count("throttles WHERE name LIKE 'account:%'").await;
    assert_eq!(counted, 200 - refused);
}
