//! The regular sync of the server, and that one process at a time syncs.

use std::time::Duration;

use gatepost::aws::Environment;
use gatepost::config::Config;

use crate::harness::aws::FakeAws;
use crate::harness::client::Call;
use crate::harness::pool::ISSUER;
use crate::harness::{TestServer, eventually, log_watch};

/// Lets a server sync with the fake every so often.
fn with(config: &mut Config, aws: &FakeAws, every: Duration) {
    let url = aws.url("");
    config.sync_every = Some(every);
    config.metrics_address = Some(([127, 0, 0, 1], 0).into());
    config.aws = Environment::read(|name| match name {
        "AWS_ENDPOINT_URL" => Some(url.clone()),
        "AWS_ACCESS_KEY_ID" => Some("AKIDEXAMPLE".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some("secret-of-the-key".to_owned()),
        _ => None,
    });
}

const OFTEN: Duration = Duration::from_millis(100);

async fn syncs(server: &TestServer, outcome: &str) -> u64 {
    let page = Call::new(server.metrics.expect("an address"), "GET", "/metrics").send().await.text();
    let name = format!("gatepost_pool_syncs_total{{outcome=\"{outcome}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).expect("the metric is there")
}

#[tokio::test]
async fn who_is_disabled_in_the_pool_loses_api_and_sessions_at_the_next_sync() {
    let aws = FakeAws::with(&["alice", "bob"]).await;
    let server = TestServer::start_with(|config| with(config, &aws, OFTEN)).await;
    let token = server.alice().await;
    server.staff("bob", |_| {}).await;
    server.link("bob", ISSUER, "sub-of-bob").await;
    let mut bob = server.sign_in("bob").await;
    server.me(&token).await;
    bob.page("/admin/").await;
    // Both at once, so that one sync sees both.
    aws.users(|users| users.iter_mut().for_each(|user| user["Enabled"] = false.into()));
    eventually("both are deactivated", async || server.count("users WHERE NOT is_active").await == 2).await;
    assert_eq!(server.get("/me/", &token).await.code(), "user_inactive");
    assert_eq!(bob.get("/admin/").await.status, 302);
    assert_eq!(server.count("sessions").await, 0);
    assert_eq!(server.count("history WHERE source = 'pool_sync' AND changes LIKE '%is_active%'").await, 2);
    eventually("the sync is counted", async || syncs(&server, "done").await > 0).await;
    assert!(log_watch::lines().iter().any(|line| line.contains("pool sync: 2 users in the pool, 2 deactivated")));
    aws.enable("alice", true);
    eventually("one is activated", async || server.count("users WHERE is_active").await == 1).await;
    server.me(&token).await;
}

#[tokio::test]
async fn the_brake_holds_for_regular_syncs_too() {
    let aws = FakeAws::with(&["alice", "bob"]).await;
    let change = |config: &mut Config| {
        with(config, &aws, OFTEN);
        config.sync_max_changes = "0".parse().expect("a limit");
    };
    let server = TestServer::start_with(change).await;
    let token = server.alice().await;
    server.me(&token).await;
    aws.enable("alice", false);
    eventually("a sync is refused", async || syncs(&server, "refused").await > 0).await;
    server.me(&token).await;
}

#[tokio::test]
async fn a_pool_that_is_out_of_reach_changes_nothing() {
    let aws = FakeAws::with(&["alice"]).await;
    let server = TestServer::start_with(|config| {
        with(config, &aws, OFTEN);
        config.aws = Environment::read(|name| (name == "AWS_EC2_METADATA_DISABLED").then(|| "true".to_owned()));
    })
    .await;
    let token = server.alice().await;
    eventually("a sync has failed", async || syncs(&server, "failed").await > 0).await;
    server.me(&token).await;
}

#[tokio::test]
async fn one_process_at_a_time_syncs() {
    let aws = FakeAws::with(&["alice"]).await;
    let server = TestServer::start_with(|config| with(config, &aws, OFTEN)).await;
    eventually("a sync is done", async || syncs(&server, "done").await > 0).await;
    let mut lock = None;
    eventually("the lock is free", async || {
        lock = server.db.try_lock("sync").await.expect("the database is there");
        lock.is_some()
    })
    .await;
    assert!(server.db.try_lock("sync").await.expect("the database is there").is_none(), "two have the lock");
    let calls = aws.calls();
    eventually("a sync gives way", async || syncs(&server, "busy").await > 1).await;
    assert_eq!(aws.calls(), calls, "nobody lists users meanwhile");
    drop(lock);
    eventually("the next one is done", async || aws.calls() > calls).await;
}
