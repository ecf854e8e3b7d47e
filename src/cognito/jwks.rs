//! The pool's public keys (RFC 7517), fetched in the background by one task per URL. Known keys never wait for the
//! network. An unknown key triggers a fetch, at most one per cool-down. While a URL is unreachable, its keys stay valid
//! up to a maximum age. Keys that a fetched set lacks are withdrawn.

use std::path::PathBuf;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use prometheus::IntCounterVec;
use prometheus::core::Collector;
use reqwest::Client;
use tokio::sync::watch;
use url::Url;

use super::jwk::{self, Key, KeySet};
use crate::aws::http_client::{FETCH_TIMEOUT, chain, http_client, read_body};
use crate::error::Refusal;
use crate::metrics;

/// A Cognito key set has two keys and less than 1 KiB.
const MAX_JWKS_BYTES: usize = 256 * 1024;
/// Maximum pause after repeated failures.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
pub struct JwksSettings {
    pub refresh: Duration,
    /// Minimum interval between two fetches triggered by unknown key ids.
    pub cooldown: Duration,
    pub max_stale: Duration,
    /// A PEM file of authorities to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
}

pub struct Jwks {
    sources: Vec<Arc<Source>>,
    fetches: IntCounterVec,
}

#[derive(Clone, Debug)]
pub struct SourceStatus {
    /// `None` for the local pool.
    pub url: Option<Url>,
    pub kids: Vec<String>,
    pub age: Option<Duration>,
    pub next: Option<Duration>,
    /// If the last fetch failed, the time since then and the reason.
    pub failure: Option<(Duration, String)>,
}

struct Source {
    url: Option<Url>,
    settings: JwksSettings,
    state: RwLock<State>,
    fetches: IntCounterVec,
    /// Number of the last requested fetch; a change wakes the task.
    asked: watch::Sender<u64>,
    served: watch::Sender<u64>,
}

struct State {
    keys: Arc<KeySet>,
    fetched: Option<Instant>,
    /// End of the last fetch triggered by an unknown key, or its start while it is in progress.
    asked_at: Option<Instant>,
    failures: u32,
    failure: Option<(Instant, String)>,
    next: Option<Instant>,
}

impl Jwks {
    /// Does not wait for the first response. Must be called within a Tokio runtime.
    pub fn start(urls: &[Url], settings: &JwksSettings) -> Result<Jwks, String> {
        let fetches = fetches();
        let sources = urls.iter().map(|url| {
            let client = http_client(url, settings.ca_file.as_deref())?;
            let source = Source::new(Some(url.clone()), settings.clone(), KeySet::new(), None, fetches.clone());
            let source = Arc::new(source);
            tokio::spawn(source.clone().run(client, url.clone()));
            Ok(source)
        });
        Ok(Jwks { sources: sources.collect::<Result<_, String>>()?, fetches })
    }

    pub fn fixed(keys: KeySet) -> Jwks {
        let forever =
            JwksSettings { refresh: Duration::MAX, cooldown: Duration::MAX, max_stale: Duration::MAX, ca_file: None };
        let fetches = fetches();
        let source = Source::new(None, forever, keys, Some(Instant::now()), fetches.clone());
        Jwks { sources: vec![Arc::new(source)], fetches }
    }

    pub async fn key(&self, kid: &str) -> Result<Arc<Key>, Refusal> {
        if let Some(key) = self.find(kid) {
            return Ok(key);
        }
        let mut fetches: FuturesUnordered<_> = self.sources.iter().filter_map(Source::ask).collect();
        // Stop at the first URL that has the key, so that another one that stalls does not matter.
        let wait = async { while fetches.next().await.is_some() && self.find(kid).is_none() {} };
        let _ = tokio::time::timeout(FETCH_TIMEOUT, wait).await;
        // Look again even without a fetch: another fetch may have brought the key since the first look.
        match self.find(kid) {
            Some(key) => Ok(key),
            None if self.is_loaded() => Err(Refusal::KeyUnknown),
            None => Err(Refusal::KeysUnavailable),
        }
    }

    /// Whether this key is still published and not too old.
    pub fn holds(&self, key: &Arc<Key>) -> bool {
        let holds = |keys: &KeySet| keys.values().any(|current| Arc::ptr_eq(current, key));
        self.sources.iter().any(|source| source.fresh_keys().is_some_and(|keys| holds(&keys)))
    }

    pub fn is_loaded(&self) -> bool {
        self.sources.iter().all(|source| source.fresh_keys().is_some())
    }

    pub fn status(&self) -> Vec<SourceStatus> {
        self.sources.iter().map(|source| source.status()).collect()
    }

    pub fn collectors(&self) -> Vec<Box<dyn Collector>> {
        let sources = self.sources.clone();
        let ages = metrics::read_gauges("gatepost_jwks_age_seconds", "Age of the keys.", &["url"], move || {
            let age = |status: SourceStatus| Some((vec![status.url?.to_string()], status.age?.as_secs_f64()));
            sources.iter().filter_map(|source| age(source.status())).collect()
        });
        vec![ages, Box::new(self.fetches.clone())]
    }

    /// Ignores the cool-down, so this is only for staff.
    pub async fn refresh(&self) {
        let mut fetches: FuturesUnordered<_> = self.sources.iter().filter_map(Source::ask_now).collect();
        let wait = async { while fetches.next().await.is_some() {} };
        let _ = tokio::time::timeout(FETCH_TIMEOUT, wait).await;
    }

    fn find(&self, kid: &str) -> Option<Arc<Key>> {
        self.sources.iter().find_map(|source| source.fresh_keys()?.get(kid).cloned())
    }
}

fn fetches() -> IntCounterVec {
    metrics::counters("gatepost_jwks_fetches_total", "Fetches of the keys, by outcome.", &["url", "outcome"])
}

impl Source {
    fn new(
        url: Option<Url>,
        settings: JwksSettings,
        keys: KeySet,
        fetched: Option<Instant>,
        fetches: IntCounterVec,
    ) -> Source {
        for outcome in url.iter().flat_map(|url| ["ok", "failed"].map(|outcome| [url.as_str(), outcome])) {
            fetches.with_label_values(&outcome);
        }
        let state = State { keys: Arc::new(keys), fetched, asked_at: None, failures: 0, failure: None, next: None };
        let (asked, served) = (watch::Sender::new(1), watch::Sender::new(0));
        Source { url, settings, state: RwLock::new(state), fetches, asked, served }
    }

    // A poisoned lock is safe: each change is one assignment, so a panic cannot leave the state half-changed.
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn fresh_keys(&self) -> Option<Arc<KeySet>> {
        let state = self.state();
        let fetched = state.fetched?;
        // Without failures, regular fetches keep the keys fresh.
        let is_fresh = state.failures == 0 || fetched.elapsed() <= self.settings.max_stale;
        is_fresh.then(|| state.keys.clone())
    }

    fn status(&self) -> SourceStatus {
        let state = self.state();
        let mut kids: Vec<String> = state.keys.keys().cloned().collect();
        kids.sort();
        SourceStatus {
            url: self.url.clone(),
            kids,
            age: state.fetched.filter(|_| self.url.is_some()).map(|at| at.elapsed()),
            next: state.next.map(|at| at.saturating_duration_since(Instant::now())),
            failure: state.failure.as_ref().map(|(at, problem)| (at.elapsed(), problem.clone())),
        }
    }

    /// Waits for the fetch that was requested last.
    fn fetch_end(&self) -> impl Future<Output = ()> + use<> {
        let (number, mut served) = (*self.asked.borrow(), self.served.subscribe());
        async move { drop(served.wait_for(|served| *served >= number).await) }
    }

    fn ask_now(self: &Arc<Source>) -> Option<impl Future<Output = ()> + use<>> {
        self.url.as_ref()?;
        self.asked.send_modify(|asked| *asked += 1);
        Some(self.fetch_end())
    }

    /// Joins a fetch in progress. `None` during the cool-down.
    fn ask(self: &Arc<Source>) -> Option<impl Future<Output = ()> + use<>> {
        self.url.as_ref()?;
        let mut state = self.state_mut();
        let under_way = *self.asked.borrow() > *self.served.borrow();
        if !under_way {
            let pause = self.settings.cooldown.max(self.backoff(state.failures));
            let cooled = state.asked_at.is_none_or(|at| at.elapsed() >= pause);
            // Before the first successful fetch only the task retries, and requests get a 503 at once.
            if !cooled || state.fetched.is_none() {
                return None;
            }
            state.asked_at = Some(Instant::now());
            self.asked.send_modify(|asked| *asked += 1);
        }
        Some(self.fetch_end())
    }

    async fn run(self: Arc<Source>, client: Client, url: Url) {
        let mut wanted = self.asked.subscribe();
        loop {
            let asked = *wanted.borrow_and_update();
            let fetched = fetch(&client, &url).await;
            let pause = self.take(&url, fetched);
            if asked > *self.served.borrow()
                && let Some(asked_at) = &mut self.state_mut().asked_at
            {
                // The cool-down starts at the end of a fetch: otherwise a slow fetch would use it up.
                *asked_at = Instant::now();
            }
            self.served.send_replace(asked);
            // The last reference is the task's own: the pool was dropped.
            if Arc::strong_count(&self) == 1 {
                return;
            }
            let _ = tokio::time::timeout(pause, wanted.changed()).await;
        }
    }

    /// Returns the time until the next fetch.
    fn take(&self, url: &Url, fetched: Result<KeySet, String>) -> Duration {
        self.fetches.with_label_values(&[url.as_str(), if fetched.is_ok() { "ok" } else { "failed" }]).inc();
        let mut state = self.state_mut();
        let pause = match fetched {
            Ok(mut keys) => {
                // An unchanged key keeps its `Arc`, so that cached verifications with it stay valid.
                for (kid, key) in &mut keys {
                    if let Some(known) = state.keys.get(kid).filter(|known| known.is_same(key)) {
                        *key = known.clone();
                    }
                }
                if state.failures > 0 || state.fetched.is_none() {
                    log::info!("keys loaded from {url}: {}", keys.len());
                }
                (state.keys, state.fetched) = (Arc::new(keys), Some(Instant::now()));
                (state.failures, state.failure) = (0, None);
                self.settings.refresh
            }
            Err(problem) => {
                state.failures = state.failures.saturating_add(1);
                log::warn!("keys cannot be fetched from {url}: {problem}");
                state.failure = Some((Instant::now(), problem));
                self.backoff(state.failures)
            }
        };
        state.next = Instant::now().checked_add(pause);
        pause
    }

    fn backoff(&self, failures: u32) -> Duration {
        // None, then 1, 2, 4 seconds and so on.
        let doubled = Duration::from_secs((1 << failures.min(7)) / 2);
        doubled.min(MAX_BACKOFF).min(self.settings.refresh)
    }
}

pub async fn probe(urls: &[Url], settings: &JwksSettings) -> Result<usize, String> {
    let mut keys = 0;
    for url in urls {
        let fetched = fetch(&http_client(url, settings.ca_file.as_deref())?, url).await;
        keys += fetched.map_err(|problem| format!("{url}: {problem}"))?.len();
    }
    Ok(keys)
}

async fn fetch(client: &Client, url: &Url) -> Result<KeySet, String> {
    let response = client.get(url.clone()).send().await.map_err(|error| chain(&error.without_url()))?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(format!("the response is {}", response.status()));
    }
    let body = read_body(response, MAX_JWKS_BYTES).await.map_err(|error| error.to_string())?;
    jwk::parse(&body)
}
