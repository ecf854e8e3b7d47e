//! [`Remembered`]: a cache that any commit invalidates.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

use super::database::Db;
use super::shared_reads::SharedReads;
use super::version::Version;
use crate::error::Error;

pub struct Remembered<K: Clone + Eq + Hash, V> {
    reads: SharedReads<K, V>,
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
    K: Clone + Eq + Hash,
    V: Clone,
{
    pub fn new(most: usize) -> Remembered<K, V> {
        let entries = Mutex::new(Entries { version: None, values: HashMap::new() });
        Remembered { reads: SharedReads::new(), entries, most, is_strict: false }
    }

    /// Never stale: on PostgreSQL it caches nothing, because another process's commit does not show at once.
    pub fn strict(most: usize) -> Remembered<K, V> {
        Remembered { is_strict: true, ..Remembered::new(most) }
    }

    /// What is known at this version, or else what `read` finds. On PostgreSQL, where a read waits for the network,
    /// readers of the same key share it.
    pub async fn get_or_read<Q, F>(&self, db: &Db, version: Option<Version>, key: &Q, read: F) -> Result<V, Error>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        F: AsyncFnOnce() -> Result<V, Error>,
    {
        if let Some(known) = self.known(version, key) {
            return Ok(known);
        }
        let read = async {
            // A reader who waited reads later.
            let version = if db.waits_for_network() { db.recent_version() } else { version };
            let value = read().await?;
            self.keep(db, version, key.to_owned(), &value);
            Ok(value)
        };
        if db.waits_for_network() { self.reads.read(key.to_owned(), read).await } else { read.await }
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
