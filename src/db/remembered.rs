//! What was read stays good until something is committed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

use super::version::Version;
use super::{Connection, Db};
use crate::error::Error;

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
    V: Clone + Send + 'static,
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

    /// The result for `key`, if it is remembered and still good.
    pub fn known(&self, db: &Db, key: &K) -> Option<V> {
        self.lookup(key, self.version(db))
    }

    fn version(&self, db: &Db) -> Option<Version> {
        db.version().filter(|version| version.is_exact() || !self.is_strict)
    }

    /// The result for `key`: remembered, or read now.
    pub async fn get<F>(&self, db: &Db, key: K, queries: F) -> Result<V, Error>
    where
        F: FnOnce(&mut Connection) -> Result<V, Error> + Send + 'static,
    {
        // The version is taken before the queries run: a commit in between makes it too old, never too new.
        let version = self.version(db);
        if let Some(value) = self.lookup(&key, version) {
            return Ok(value);
        }
        let value = db.read(queries).await?;
        // What was overtaken by a commit meanwhile is of no use to anybody else.
        if version.is_some() && self.version(db) == version {
            self.store(key, value.clone(), version);
        }
        Ok(value)
    }

    fn lookup(&self, key: &K, version: Option<Version>) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if version.is_some() && entries.version == version { entries.values.get(key).cloned() } else { None }
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
