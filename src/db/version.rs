//! [`Version`]: changes with every commit. Cached values stay valid as long as it stays the same.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;

use super::connection::{Connection, Role};
use super::sqlite;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    WalIndex([u8; 48]),
    #[cfg(feature = "postgres")]
    Changes(u64),
}

impl Version {
    /// Whether the next version reflects another process's commit at once.
    pub fn is_exact(&self) -> bool {
        matches!(self, Version::WalIndex(_))
    }
}

pub enum Versions {
    WalIndex(WalIndex),
    #[cfg(feature = "postgres")]
    Watch(std::sync::Arc<super::postgres::CommitWatch>),
}

impl Versions {
    pub fn version(&self) -> Option<Version> {
        match self {
            Versions::WalIndex(index) => index.read().map(Version::WalIndex),
            #[cfg(feature = "postgres")]
            Versions::Watch(watch) => watch.changes().map(Version::Changes),
        }
    }

    pub fn recent_version(&self) -> Option<Version> {
        match self {
            Versions::WalIndex(index) => index.recent().map(Version::WalIndex),
            #[cfg(feature = "postgres")]
            Versions::Watch(_) => self.version(),
        }
    }

    pub fn note_commit(&self) {
        match self {
            Versions::WalIndex(index) => index.forget(),
            // `Writers` notes its commits itself.
            #[cfg(feature = "postgres")]
            Versions::Watch(_) => {}
        }
    }
}

/// Reading the version for every request would cost a twentieth of the throughput.
pub(super) const RECENT: Duration = Duration::from_millis(1);

/// The start of SQLite's `-shm` file. Every commit of any process changes it before the commit returns
/// (<https://www.sqlite.org/walformat.html#the_wal_index_header>), so one `pread` of 48 bytes shows whether anything
/// may have changed.
pub struct WalIndex {
    /// Never closed: closing any descriptor of a file drops all POSIX locks that this process has on it, including
    /// SQLite's (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
    file: &'static File,
    /// Locked during the read, so that no old value is stored after a commit of this process.
    recent: Mutex<Option<(Instant, [u8; 48])>>,
    /// SQLite removes the file with the last connection, so one connection stays open.
    _connection: Mutex<Connection>,
}

impl WalIndex {
    pub fn open(database: &Path) -> Result<WalIndex, String> {
        let mut connection = sqlite::open(database, Role::Reader).map_err(|error| error.to_string())?;
        // A connection joins the WAL with its first read.
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
            Some((at, version)) if now - at < RECENT => Some(version),
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
        // The format version in native byte order, and the flag for an initialized header. With any other content, the
        // version is unknown.
        let is_valid = header[..4] == 3_007_000u32.to_ne_bytes() && header[12] == 1;
        is_valid.then_some(header)
    }
}
