//! What was read stays good until something is committed.
//!
//! SQLite keeps the header of its WAL index at the begin of the file `-shm` and changes it with every
//! commit, whichever process commits, before the commit returns
//! (<https://www.sqlite.org/walformat.html#the_wal_index_header>). So 48 bytes tell whether anything that
//! was read may have changed, for the price of one `pread` in place of the queries.

use std::collections::HashMap;
use std::fs::File;
use std::hash::Hash;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

use diesel::RunQueryDsl;

use super::connection::{self, Connection, Role};
use super::{Db, OpenError};
use crate::error::Error;

/// The state of the database's content: two equal versions are one and the same content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Version([u8; 48]);

/// The file whose first bytes are the version.
pub struct WalIndex {
    /// Never closed: to close any descriptor of a file drops all POSIX locks that this process has on it,
    /// SQLite's too (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
    file: &'static File,
    /// SQLite removes the file with the last connection, so one connection stays.
    _connection: Mutex<Connection>,
}

impl WalIndex {
    /// Opens the WAL index of a database that is in WAL mode.
    pub fn open(database: &Path) -> Result<WalIndex, OpenError> {
        let fail = |problem: &dyn ToString| OpenError::new(database, problem.to_string());
        let mut connection = connection::open(database, Role::Reader).map_err(|error| fail(&error))?;
        // Only with its first read does a connection take part in the WAL.
        diesel::sql_query("SELECT 1 FROM sqlite_schema").execute(&mut connection).map_err(|error| fail(&error))?;
        let mut name = database.as_os_str().to_owned();
        name.push("-shm");
        let file = File::open(name).map_err(|error| fail(&error))?;
        Ok(WalIndex { file: Box::leak(Box::new(file)), _connection: Mutex::new(connection) })
    }

    pub fn version(&self) -> Option<Version> {
        let mut header = [0; 48];
        self.file.read_exact_at(&mut header, 0).ok()?;
        // The format's version, in the machine's byte order, and whether the header is valid. Of a file with
        // something else in it nothing can be told.
        let is_valid = header[..4] == 3_007_000u32.to_ne_bytes() && header[12] == 1;
        is_valid.then_some(Version(header))
    }
}

/// Results of queries by key, each for as long as nothing is committed.
pub struct Remembered<K, V> {
    entries: Mutex<Entries<K, V>>,
    most: usize,
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
        Remembered { entries: Mutex::new(Entries { version: None, values: HashMap::new() }), most }
    }

    /// The result for `key`, if it is remembered and still good.
    pub fn known(&self, db: &Db, key: &K) -> Option<V> {
        self.lookup(key, db.version())
    }

    /// The result for `key`: remembered, or read now.
    pub async fn get<F>(&self, db: &Db, key: K, queries: F) -> Result<V, Error>
    where
        F: FnOnce(&mut Connection) -> Result<V, Error> + Send + 'static,
    {
        // The version is taken before the queries run: a commit in between makes it too old, never too new.
        let version = db.version();
        if let Some(value) = self.lookup(&key, version) {
            return Ok(value);
        }
        let value = db.read(queries).await?;
        // What was overtaken by a commit meanwhile is of no use to anybody else.
        if version.is_some() && db.version() == version {
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
