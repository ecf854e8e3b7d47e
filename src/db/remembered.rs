//! What was read stays good until something is committed.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

use super::database::Db;
use super::version::Version;

/// Results of queries by key, each for as long as nothing is committed.
pub struct Remembered<K, V> {
    entries: Mutex<Entries<K, V>>,
    most: usize,
    /// Whether nothing may be good a moment longer than it is true.
    is_strict: bool,
}

struct Entries<K, V> {
    version: Option<Version>,
    values: HashMap<K, V>,
}

impl<K, V> Remembered<K, V>
where
    K: Eq + Hash,
    V: Clone,
{
    /// An empty memory for up to `most` results.
    pub fn new(most: usize) -> Remembered<K, V> {
        Remembered { entries: Mutex::new(Entries { version: None, values: HashMap::new() }), most, is_strict: false }
    }

    /// One for what must not be good a moment longer than it is true. It remembers nothing where a commit of
    /// another process does not show at once: on PostgreSQL.
    pub fn strict(most: usize) -> Remembered<K, V> {
        Remembered { is_strict: true, ..Remembered::new(most) }
    }

    /// The result for `key`, if it is remembered and good at this version, which was asked no earlier than the
    /// request came: [`Db::version`], or where it need not be a strict memory, [`Db::recent_version`].
    pub fn known<Q>(&self, version: Option<Version>, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entries = self.entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_good = version.is_some() && entries.version == version;
        if is_good { entries.values.get(key).cloned() } else { None }
    }

    /// Keeps what was read for `key` after that version had been asked for, unless something was committed since.
    pub fn keep(&self, db: &Db, version: Option<Version>, key: K, value: &V) {
        // A commit in between makes the version too old, never too new.
        let lasts = version.is_some_and(|version| version.is_exact() || !self.is_strict);
        if lasts && db.version() == version {
            self.store(key, value.clone(), version);
        }
    }

    fn store(&self, key: K, value: V, version: Option<Version>) {
        let mut entries = self.entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if entries.version != version || entries.values.len() >= self.most {
            entries.values.clear();
            entries.version = version;
        }
        entries.values.insert(key, value);
    }
}
