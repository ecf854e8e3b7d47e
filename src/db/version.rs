//! Whether anything was committed: what was read stays good as long as the version stays the same.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;

use super::connection::Connection;
use super::connection::Role;
use super::sqlite;

/// The state of the database's content: two equal versions are one and the same content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The header of SQLite's WAL index.
    WalIndex([u8; 48]),
    /// How many times PostgreSQL was seen to have changed.
    #[cfg(feature = "postgres")]
    Changes(u64),
}

impl Version {
    /// Whether a commit of another process shows at once in the next one that is asked for.
    pub fn is_exact(&self) -> bool {
        matches!(self, Version::WalIndex(_))
    }
}

/// What tells the version.
pub enum Versions {
    /// Of a SQLite file.
    WalIndex(WalIndex),
    /// Of a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Watch(std::sync::Arc<super::postgres::CommitWatch>),
}

impl Versions {
    /// The state of the content; `None` if it cannot be told.
    pub fn version(&self) -> Option<Version> {
        match self {
            Versions::WalIndex(index) => index.read().map(Version::WalIndex),
            #[cfg(feature = "postgres")]
            Versions::Watch(watch) => watch.changes().map(Version::Changes),
        }
    }

    /// The state of the content, in which a commit of another process may be missing for [`LATELY`].
    pub fn recent_version(&self) -> Option<Version> {
        match self {
            Versions::WalIndex(index) => index.recent().map(Version::WalIndex),
            #[cfg(feature = "postgres")]
            Versions::Watch(_) => self.version(),
        }
    }

    /// This process has committed something: from now on it shows.
    pub fn note_commit(&self) {
        match self {
            Versions::WalIndex(index) => index.forget(),
            // Its writers tell it themselves.
            #[cfg(feature = "postgres")]
            Versions::Watch(_) => {}
        }
    }
}

/// How long the version may be that of a moment ago: to read it for each of many thousand requests in a second is a
/// twentieth of their price.
pub(super) const LATELY: Duration = Duration::from_millis(1);

/// The file whose first bytes are the version.
///
/// SQLite keeps the header of its WAL index at the begin of the file `-shm` and changes it with every
/// commit, whichever process commits, before the commit returns
/// (<https://www.sqlite.org/walformat.html#the_wal_index_header>). So 48 bytes tell whether anything that
/// was read may have changed, for the price of one `pread` in place of the queries.
pub struct WalIndex {
    /// Never closed: to close any descriptor of a file drops all POSIX locks that this process has on it,
    /// SQLite's too (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
    file: &'static File,
    /// What was read at last, and when. Locked while it is read, so that nothing from before a commit of this
    /// process is put here after it.
    recent: Mutex<Option<(Instant, [u8; 48])>>,
    /// SQLite removes the file with the last connection, so one connection stays.
    _connection: Mutex<Connection>,
}

impl WalIndex {
    /// Opens the WAL index of a database that is in WAL mode.
    pub fn open(database: &Path) -> Result<WalIndex, String> {
        let mut connection = sqlite::open(database, Role::Reader).map_err(|error| error.to_string())?;
        // Only with its first read does a connection take part in the WAL.
        let first_read = diesel::sql_query("SELECT 1 FROM sqlite_schema").execute(&mut connection);
        first_read.map_err(|error| error.to_string())?;
        let mut name = database.as_os_str().to_owned();
        name.push("-shm");
        let file = File::open(name).map_err(|error| error.to_string())?;
        Ok(WalIndex { file: Box::leak(Box::new(file)), recent: Mutex::default(), _connection: Mutex::new(connection) })
    }

    fn recent(&self) -> Option<[u8; 48]> {
        let mut recent = self.recent.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let now = Instant::now();
        match *recent {
            Some((at, version)) if now - at < LATELY => Some(version),
            _ => {
                *recent = self.read().map(|version| (now, version));
                recent.map(|(_, version)| version)
            }
        }
    }

    fn forget(&self) {
        *self.recent.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
    }

    fn read(&self) -> Option<[u8; 48]> {
        let mut header = [0; 48];
        self.file.read_exact_at(&mut header, 0).ok()?;
        // The format's version, in the machine's byte order, and whether the header is valid. Of a file with
        // something else in it nothing can be told.
        let is_valid = header[..4] == 3_007_000u32.to_ne_bytes() && header[12] == 1;
        is_valid.then_some(header)
    }
}
