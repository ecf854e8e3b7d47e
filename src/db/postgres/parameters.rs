//! The parts of the database URL.

use std::time::Duration;

/// libpq's defaults notice a dead server late or never. `tcp_user_timeout` is in milliseconds, other times in seconds.
const DEFAULTS: &[(&str, &str)] = &[
    ("application_name", "gatepost"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
];

const CONNECTION_LIMIT: &str = "connection_limit=";

/// Per process: one connection watches for changes, reads and writes share the others.
#[derive(Clone, Copy)]
pub struct ConnectionLimit(u32);

impl ConnectionLimit {
    /// 21 by default; `None` if it is not a number from 3 to 1000.
    pub fn of(url: &str) -> Option<ConnectionLimit> {
        let said = parameters(url).find_map(|parameter| parameter.strip_prefix(CONNECTION_LIMIT));
        let limit = said.map_or(Some(21), |said| said.parse().ok());
        limit.filter(|limit| (3..=1000).contains(limit)).map(ConnectionLimit)
    }

    pub fn writers(self) -> u32 {
        self.unwatching() / 2
    }

    pub fn readers(self) -> u32 {
        self.unwatching() - self.writers()
    }

    /// All but the one that watches.
    pub fn unwatching(self) -> u32 {
        self.0 - 1
    }
}

const POOL_MODE: &str = "pool_mode=";

/// What a pooler such as PgBouncer, between Gatepost and the server, hands out. In PgBouncer's words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    Unset,
    Session,
    Transaction,
}

impl PoolMode {
    /// `None` if it is not one of these.
    pub fn of(url: &str) -> Option<PoolMode> {
        match parameters(url).find_map(|parameter| parameter.strip_prefix(POOL_MODE)) {
            None => Some(PoolMode::Unset),
            Some("session") => Some(PoolMode::Session),
            Some("transaction") => Some(PoolMode::Transaction),
            Some(_) => None,
        }
    }
}

fn parameters(url: &str) -> impl Iterator<Item = &str> {
    url.split_once('?').map_or("", |(_, query)| query).split('&')
}

/// User and hosts: what stands between `://` and the path.
pub fn authority(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// With their ports. libpq asks one after the other.
pub fn hosts(url: &str) -> impl Iterator<Item = &str> {
    authority(url).rsplit('@').next().unwrap_or_default().split(',')
}

/// How long a pool waits for a new connection: as long as all hosts may take.
pub fn patience(url: &str) -> Duration {
    match hosts(url).count() {
        1 => Duration::from_secs(3),
        hosts => Duration::from_secs(3 * hosts as u64 + 1),
    }
}

pub fn with_defaults(url: &str) -> String {
    let is_ours = |parameter: &str| parameter.starts_with(CONNECTION_LIMIT) || parameter.starts_with(POOL_MODE);
    let kept: Vec<&str> = parameters(url).filter(|parameter| !is_ours(parameter)).collect();
    let mut url = url.split_once('?').map_or(url, |(place, _)| place).to_owned();
    if !kept.concat().is_empty() {
        url.push_str(&format!("?{}", kept.join("&")));
    }
    // Where another host can take over, waiting for one that is silent helps nobody.
    let (connect_timeout, tcp_user_timeout) = if hosts(&url).count() > 1 { ("2", "3000") } else { ("3", "10000") };
    let timeouts = [("connect_timeout", connect_timeout), ("tcp_user_timeout", tcp_user_timeout)];
    for (name, value) in DEFAULTS.iter().chain(&timeouts) {
        if !url.contains(&format!("{name}=")) {
            let separator = if url.contains('?') { '&' } else { '?' };
            url.push_str(&format!("{separator}{name}={value}"));
        }
    }
    url
}
