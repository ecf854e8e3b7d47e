//! [`Remembered`]: a cache that any commit invalidates.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

use super::database::Db;
use super::version::Version;

pub struct Remembered<K, V> {
    entries: Mutex<Entries<K, V>>,
    most: usize,
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
    pub fn new(most: usize) -> Remembered<K, V> {
        Remembered { entries: Mutex::new(Entries { version: None, values: HashMap::new() }), most, is_strict: false }
    }

    /// Never stale: on PostgreSQL it caches nothing, because another process's commit does not show at once.
    pub fn strict(most: usize) -> Remembered<K, V> {
        Remembered { is_strict: true, ..Remembered::new(most) }
    }

    /// Read the version after the request arrived: [`Db::version`] for a strict cache, else [`Db::recent_version`].
    pub fn known<Q>(&self, version: Option<Version>, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entries = self.entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_good = version.is_some() && entries.version == version;
        if is_good { entries.values.get(key).cloned() } else { None }
    }

    /// Caches nothing if something has been committed since `version`.
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
