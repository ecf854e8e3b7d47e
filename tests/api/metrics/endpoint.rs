//! What Prometheus is told: who may ask, that it is well-formed and right, and that nobody can blow it up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use gatepost::config::Config;
use gatepost::crypto::Secret;

use crate::harness::client::{Answer, Call};
use crate::harness::jwks::Behaviour;
use crate::harness::pool::TestKey;
use crate::harness::program::Program;
use crate::harness::{TestServer, eventually};

const TOKEN: &str = "the-token-of-the-metrics-in-these-tests";

fn own_address(config: &mut Config) {
    config.metrics_address = Some(([127, 0, 0, 1], 0).into());
}

/// The samples of a page, by name and labels as they are written.
#[derive(Debug)]
struct Samples(BTreeMap<String, f64>);

impl Samples {
    /// Reads a page (<https://prometheus.io/docs/instrumenting/exposition_formats/>) and fails where it is not
    /// well-formed.
    #[track_caller]
    fn parse(answer: &Answer) -> Samples {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4");
        let text = answer.text();
        let (mut types, mut helps, mut samples) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect("a name and its help");
                assert!(helps.insert(name) && help.ends_with('.'), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a name and its type");
                assert!(helps.contains(name) && types.insert(name, kind).is_none(), "{line}");
            } else {
                let (name, value) = line.rsplit_once(' ').expect("a sample");
                let value: f64 = value.parse().expect("a number");
                let family = name.split('{').next().expect("a name");
                let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| family.strip_suffix(suffix));
                let kind = types.get(family).or(base.and_then(|base| types.get(base)));
                assert!(kind.is_some(), "{line} has no type");
                let is_total = family.ends_with("_total");
                assert_eq!(is_total, kind == Some(&"counter"), "{line}: only counters are called so");
                assert!(samples.insert(name.to_owned(), value).is_none(), "{line} is there twice");
            }
        }
        let samples = Samples(samples);
        samples.check_histograms(&types);
        samples
    }

    /// Each bucket holds those before it, and the last one all.
    fn check_histograms(&self, types: &BTreeMap<&str, &str>) {
        for (name, _) in types.iter().filter(|(_, kind)| **kind == "histogram") {
            let counts = self.0.iter().filter(|(sample, _)| sample.starts_with(&format!("{name}_count")));
            for (sample, count) in counts {
                let labels = sample.split_once('{').map_or("", |(_, labels)| labels.trim_end_matches('}'));
                let bucket = |bound: &str| match labels {
                    "" => format!("{name}_bucket{{le=\"{bound}\"}}"),
                    labels => format!("{name}_bucket{{{labels},le=\"{bound}\"}}"),
                };
                assert_eq!(self.0.get(&bucket("+Inf")), Some(count), "{sample}");
                let prefix = bucket("").trim_end_matches("\"}").to_owned();
                let mut buckets: Vec<(f64, f64)> = Vec::new();
                for (bucket, held) in self.0.iter().filter(|(bucket, _)| bucket.starts_with(&prefix)) {
                    let bound = bucket[prefix.len()..].trim_end_matches("\"}").replace("+Inf", "inf");
                    buckets.push((bound.parse().expect("a bound"), *held));
                }
                buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
                assert!(
                    buckets.len() > 5 && buckets.is_sorted_by(|one, other| one.1 <= other.1),
                    "{name}: {buckets:?}"
                );
            }
        }
    }

    /// A sample; 0 where there is none.
    fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// Requests by route, method and status.
    fn requests(&self, route: &str, method: &str, status: u16) -> f64 {
        self.get(&format!("gatepost_http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"))
    }

    /// How much has been added since an earlier page, where it is anything.
    fn since(&self, earlier: &Samples, family: &str) -> BTreeMap<&str, f64> {
        let risen = self.0.iter().map(|(name, value)| (name.as_str(), value - earlier.get(name)));
        risen.filter(|(name, rise)| name.starts_with(family) && *rise != 0.0).collect()
    }

    fn values_of(&self, label: &str) -> BTreeSet<&str> {
        let values = self.0.keys().filter_map(|name| {
            let (_, rest) = name.split_once(&format!("{label}=\""))?;
            Some(rest.split_once('"').expect("the end of a value").0)
        });
        values.collect()
    }
}

async fn metrics(server: &TestServer) -> Samples {
    let address = server.metrics.expect("the metrics have an address");
    Samples::parse(&Call::new(address, "GET", "/metrics").send().await)
}

#[tokio::test]
async fn without_a_setting_there_are_no_metrics() {
    let server = TestServer::start().await;
    assert_eq!(server.metrics, None);
    assert_eq!(server.fetch("/metrics").await.status, 404);
    assert_eq!(server.call("GET", "/metrics").token(TOKEN).status().await, 404);
}

#[tokio::test]
async fn at_an_address_of_their_own_there_are_the_metrics_and_nothing_else() {
    let server = TestServer::start_with(own_address).await;
    let token = server.alice().await;
    let address = server.metrics.expect("an address");
    assert_ne!(address, server.address);
    // Prometheus names an address as host, whatever ALLOWED_HOSTS says.
    Samples::parse(&Call::new(address, "GET", "/metrics").header("host", "10.0.0.9:9100").send().await);
    for path in ["/", "/articles/", "/me/", "/healthz", "/metrics/", "/admin/"] {
        assert_eq!(Call::new(address, "GET", path).token(&token).status().await, 404, "{path}");
    }
    assert_eq!(Call::new(address, "POST", "/metrics").status().await, 405);
    let head = Call::new(address, "HEAD", "/metrics").send().await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(server.fetch("/metrics").await.status, 404, "not at the main address");
}

#[tokio::test]
async fn at_the_main_address_the_token_opens_them() {
    let server = TestServer::start_with(|config| config.metrics_token = Some(Secret::new(TOKEN.to_owned()))).await;
    let alice = server.alice().await;
    assert_eq!(server.metrics, None);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = server.call("GET", "/metrics").header("authorization", format!("{scheme} {TOKEN}")).send().await;
        Samples::parse(&answer);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let longer = format!("{TOKEN}x");
    let refused: [(&str, Option<&str>); 8] = [
        ("metrics_token_missing", None),
        ("metrics_token_missing", Some(TOKEN)),
        ("metrics_token_missing", Some("Basic dGhlOnRva2Vu")),
        ("metrics_token_missing", Some("Bearer ")),
        ("metrics_token_invalid", Some("Bearer the-token")),
        ("metrics_token_invalid", Some("Bearer the-token-of-the-metrics-in-these-testz")),
        ("metrics_token_invalid", Some(&format!("Bearer {longer}"))),
        ("metrics_token_invalid", Some(&format!("Bearer {alice}"))),
    ];
    for (code, header) in refused {
        let call = server.call("GET", "/metrics");
        let answer = match header {
            Some(header) => call.header("authorization", header),
            None => call,
        };
        let answer = answer.send().await;
        assert_eq!((answer.status, answer.code().as_str()), (401, code), "{header:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{header:?}");
        assert!(!answer.text().contains(TOKEN) && !answer.text().contains("gatepost_"), "{header:?}");
    }
    let elsewhere = server.call("GET", "/metrics").header("host", "evil.example").token(TOKEN).send().await;
    assert_eq!(elsewhere.status, 400, "the main address answers for its hosts alone");
    let gzip = server.call("GET", "/metrics").token(TOKEN).header("accept-encoding", "gzip").send().await;
    assert_eq!((gzip.status, gzip.header("content-encoding")), (200, "gzip"));
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status_exactly() {
    let server = TestServer::start_with(own_address).await;
    let token = server.alice().await;
    server.ready().await;
    let before = metrics(&server).await;
    for id in 1..=7 {
        assert_eq!(server.post_article(&token, &format!("{id}")).await.status, 201);
    }
    for id in 1..=5 {
        assert_eq!(server.get(&format!("/articles/{id}/?x={id}"), &token).await.status, 200);
    }
    for id in 100..103 {
        assert_eq!(server.get(&format!("/articles/{id}/"), &token).await.status, 404);
    }
    join_all((0..40).map(|_| server.get("/articles/", &token))).await;
    server.get("/articles", &token).await;
    server.get("/articles/", "a.b.c").await;
    server.call("HEAD", "/me/").token(&token).send().await;
    server.call("OPTIONS", "/me/").token(&token).send().await;
    server.call("DELETE", "/me/").token(&token).send().await;
    server.fetch("/nope").await;
    server.fetch("/healthz").await;
    server.call("GET", "/articles/").header("host", "evil.example").send().await;
    let after = metrics(&server).await;
    let expected: BTreeMap<String, f64> = [
        ("/articles/", "POST", 201, 7),
        ("/articles/{id:[0-9]+}/", "GET", 200, 5),
        ("/articles/{id:[0-9]+}/", "GET", 404, 3),
        ("/articles/", "GET", 200, 40),
        ("/articles", "GET", 200, 1),
        ("/articles/", "GET", 401, 1),
        ("/articles/", "GET", 400, 1),
        ("/me/", "HEAD", 200, 1),
        ("/me/", "OPTIONS", 200, 1),
        ("/me/", "DELETE", 405, 1),
        ("unmatched", "GET", 404, 1),
        ("/healthz", "GET", 200, 1),
    ]
    .into_iter()
    .map(|(route, method, status, count)| {
        let name = format!("gatepost_http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}");
        (name, f64::from(count))
    })
    .collect();
    let expected: BTreeMap<&str, f64> = expected.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(after.since(&before, "gatepost_http_requests_total"), expected);
    // To ask for the metrics is no request of the service's, and changes none of them.
    assert!(metrics(&server).await.since(&after, "gatepost_http").is_empty());

    let seconds = "gatepost_http_request_duration_seconds";
    let labels = "method=\"GET\",route=\"/articles/\"";
    assert_eq!(after.get(&format!("{seconds}_count{{{labels}}}")), 42.0);
    let sum = after.get(&format!("{seconds}_sum{{{labels}}}"));
    assert!(sum > 0.0 && sum < 42.0 * 5.0, "{sum} s");
}

#[tokio::test]
async fn hostile_paths_and_methods_add_no_series() {
    let server = TestServer::start_with(own_address).await;
    let token = server.alice().await;
    let count = |samples: &Samples| samples.0.keys().filter(|name| name.starts_with("gatepost_http")).count();
    let paths = |n: usize| {
        [
            format!("/{n}"),
            format!("/articles/{n}/x"),
            format!("/articles/{}/", n + 1000),
            format!("/articles/?search={n}"),
            format!("/static/{n}.css"),
            format!("/admin/{n}/{n}/"),
            format!("/\"{n}\\"),
            format!("/%0a{n}%00"),
        ]
    };
    let mut after_the_first = 0;
    for n in 0..30 {
        let mut requests = Vec::new();
        for path in paths(n) {
            for method in ["GET".to_owned(), format!("METHOD{n}"), "TRACE".to_owned()] {
                requests.extend_from_slice(
                    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\n\r\n").as_bytes(),
                );
            }
        }
        requests.extend_from_slice(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answers = server.exchange(requests).await;
        assert!(answers.statuses().len() >= 20, "they are answered");
        if n == 0 {
            after_the_first = count(&metrics(&server).await);
        }
    }
    let samples = metrics(&server).await;
    assert_eq!(count(&samples), after_the_first);
    assert!(samples.requests("unmatched", "other", 404) >= 60.0, "{samples:?}");
    assert!(samples.requests("/articles/{id:[0-9]+}/", "GET", 404) >= 30.0, "{samples:?}");
    assert!(samples.values_of("method").is_subset(&["GET", "other"].into()), "{:?}", samples.values_of("method"));
    let routes: BTreeSet<&str> = samples.values_of("route");
    let known =
        ["/admin/{slug}/{id}/", "/articles/", "/articles/{id:[0-9]+}/", "/healthz", "/static/{path:.*}", "unmatched"];
    let known = known.into();
    assert!(routes.is_subset(&known), "{routes:?}");
}

#[tokio::test]
async fn verifications_are_counted_by_the_code_of_their_outcome() {
    let server = TestServer::start_with(own_address).await;
    let token = server.alice().await;
    server.ready().await;
    let before = metrics(&server).await;
    assert_eq!(before.get("gatepost_token_verifications_total{outcome=\"token_expired\"}"), 0.0);
    for _ in 0..6 {
        server.get("/me/", &token).await;
    }
    // Who is refused for another reason has shown a good token all the same.
    server.get("/articles/9/", &token).await;
    server.fetch("/me/").await;
    server.get("/me/", "a.b.c").await;
    server.get("/me/", &server.pool.token("alice").signed_by(&TestKey::nth(3)).sign()).await;
    server.get("/me/", &server.pool.token("alice").claim("exp", 1).sign()).await;
    server.get("/me/", &server.pool.token("nobody").sign()).await;
    // These do not ask who calls.
    server.call("GET", "/healthz").token(&token).send().await;
    server.call("GET", "/nope").token(&token).send().await;
    let after = metrics(&server).await;
    let expected = [
        ("accepted", 7.0),
        ("no_token", 1.0),
        ("token_malformed", 1.0),
        ("signature_invalid", 1.0),
        ("token_expired", 1.0),
        ("user_unknown", 1.0),
    ]
    .map(|(outcome, count)| (format!("gatepost_token_verifications_total{{outcome=\"{outcome}\"}}"), count));
    let expected: BTreeMap<&str, f64> = expected.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(after.since(&before, "gatepost_token_verifications_total"), expected);
}

#[tokio::test]
async fn fetches_of_the_keys_and_their_age_are_told() {
    let server = TestServer::without_keys(|config| {
        own_address(config);
        config.jwks.refresh = Duration::from_secs(1);
    })
    .await;
    let url = server.pool.jwks.url();
    let fetches = |samples: &Samples, outcome: &str| {
        samples.get(&format!("gatepost_jwks_fetches_total{{outcome=\"{outcome}\",url=\"{url}\"}}"))
    };
    let age = format!("gatepost_jwks_age_seconds{{url=\"{url}\"}}");
    eventually("a fetch has failed", async || fetches(&metrics(&server).await, "failed") >= 1.0).await;
    let samples = metrics(&server).await;
    assert_eq!((fetches(&samples, "ok"), samples.0.get(&age)), (0.0, None), "nothing has come yet");
    server.pool.jwks.publish(&[&TestKey::nth(0)]);
    eventually("a fetch has succeeded", async || fetches(&metrics(&server).await, "ok") >= 1.0).await;
    let asked = server.pool.jwks.fetches() as f64;
    let samples = metrics(&server).await;
    let counted = fetches(&samples, "ok") + fetches(&samples, "failed");
    assert!(counted >= asked - 1.0 && counted <= server.pool.jwks.fetches() as f64, "{counted} of {asked}");
    assert!(samples.0.get(&age).is_some_and(|age| (0.0..10.0).contains(age)), "{samples:?}");
    server.pool.jwks.behave(Behaviour::HangUp);
    let (youngest, mut oldest) = (metrics(&server).await.get(&age), 0.0);
    eventually("the keys grow old", async || {
        oldest = metrics(&server).await.get(&age);
        oldest > youngest + 1.5
    })
    .await;
}

#[cfg_attr(feature = "postgres", ignore = "about SQLite's single writer")]
#[tokio::test]
async fn the_databases_work_is_told() {
    let server = TestServer::start_with(own_address).await;
    let token = server.alice().await;
    server.ready().await;
    // `last_seen_at` is written beside the first request.
    server.get("/me/", &token).await;
    eventually("alice was seen", async || server.number("SELECT count(last_seen_at) FROM users").await == 1).await;
    let before = metrics(&server).await;
    let write = async || server.post_article(&token, "x").await.status;
    let writes = (0..60).map(|_| write());
    assert!(join_all(writes).await.iter().all(|status| *status == 201));
    let after = metrics(&server).await;
    let rise = |name: &str| after.get(name) - before.get(name);
    assert_eq!(rise("gatepost_db_batch_writes_sum"), 60.0);
    let batches = rise("gatepost_db_batch_writes_count");
    assert!((1.0..=60.0).contains(&batches), "{batches}");
    assert_eq!(rise("gatepost_db_commit_duration_seconds_count"), batches);
    assert!(rise("gatepost_db_commit_duration_seconds_sum") > 0.0);
    assert_eq!(after.get("gatepost_db_queued_writes"), 0.0);
    assert!(after.get("gatepost_db_connections{state=\"idle\"}") >= 1.0, "{after:?}");
    assert!(after.0.contains_key("gatepost_db_connections{state=\"in_use\"}"));
    assert!(after.get("gatepost_db_size_bytes") > 4096.0);

    // A write that another program holds up is seen to wait.
    let mut other = crate::harness::program::connect(server.sqlite_file());
    diesel::connection::SimpleConnection::batch_execute(&mut other, "BEGIN IMMEDIATE").expect("the lock");
    let late = || server.post_article(&token, "late");
    // The writer holds the first one in its hands; those that come after it queue.
    let after_it = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        join_all([late(), late()]).await
    };
    let held_up = async { tokio::join!(late(), after_it) };
    let watch = async {
        eventually("writes wait", async || metrics(&server).await.get("gatepost_db_queued_writes") >= 1.0).await;
        diesel::connection::SimpleConnection::batch_execute(&mut other, "ROLLBACK").expect("the end of the lock");
    };
    let ((first, others), ()) = tokio::join!(held_up, watch);
    assert!(others.iter().chain([&first]).all(|answer| answer.status == 201), "{first:?} {others:?}");
    eventually("nothing waits", async || metrics(&server).await.get("gatepost_db_queued_writes") == 0.0).await;
}

#[tokio::test]
async fn sessions_the_version_and_the_process_are_told() {
    let server = TestServer::start_with(own_address).await;
    let alice = server.user("alice").await;
    let before = metrics(&server).await;
    assert_eq!(before.0.get("gatepost_sessions"), Some(&0.0));
    for n in 0..3 {
        server
            .sql(format!(
                "INSERT INTO sessions (key_hash, user_id, state, address, user_agent, created_at, last_seen_at)
                 VALUES ('{n}', {}, '{{}}', '', '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
                alice.id
            ))
            .await;
    }
    let samples = metrics(&server).await;
    assert_eq!(samples.get("gatepost_sessions"), 3.0);
    let version = format!("gatepost_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(samples.get(&version), 1.0);
    let resident = samples.get("process_resident_memory_bytes");
    assert!((1e6..1e11).contains(&resident), "{resident}");
    assert!(samples.get("process_virtual_memory_bytes") >= resident);
    assert!(samples.get("process_threads") >= 2.0);
    let (open, most) = (samples.get("process_open_fds"), samples.get("process_max_fds"));
    assert!(open >= 5.0 && open <= most, "{open} of {most}");
    let now = crate::harness::pool::now() as f64;
    let start = samples.get("process_start_time_seconds");
    assert!(start <= now + 1.0 && start > now - 600.0, "{start}");
    let mut later = 0.0;
    let first = samples.get("process_cpu_seconds_total");
    eventually("time goes by on the processor", async || {
        join_all((0..50).map(|_| server.fetch("/healthz"))).await;
        later = metrics(&server).await.get("process_cpu_seconds_total");
        later > first
    })
    .await;
    assert!(later < first + 600.0);

    // Without the database, all the rest is told.
    server.sql("ALTER TABLE sessions RENAME TO elsewhere").await;
    let samples = metrics(&server).await;
    assert_eq!(samples.0.get("gatepost_sessions"), None);
    assert!(samples.0.contains_key(&version));
}

#[tokio::test]
async fn the_program_says_where_its_metrics_are_and_stops_with_them() {
    let program = Program::new().set("METRICS_ADDRESS", "127.0.0.1:0");
    let mut serving = program.serve().await;
    let text = serving.stdout();
    let url = text.lines().find_map(|line| line.strip_prefix("  metrics    http://")).expect("a line");
    let address = url.strip_suffix("/metrics").expect("an address").parse().expect("an address");
    let scrape = || Call::new(address, "GET", "/metrics").try_send();
    Samples::parse(&scrape().await.expect("an answer"));
    serving.signal("TERM");
    assert!(serving.exit().await.success());
    assert!(scrape().await.is_err());

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = listener.local_addr().expect("an address").to_string();
    let outcome = Program::new().set("METRICS_ADDRESS", &taken).run(&["serve"]).await;
    outcome.assert_error(&format!("METRICS_ADDRESS: cannot listen on {taken}"));
    drop(listener);
}
