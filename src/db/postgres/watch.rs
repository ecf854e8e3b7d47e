//! [`CommitWatch`]: sees whether anything was committed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, RunQueryDsl};

use super::connections::open;
use crate::db::connection::{Connection, Role};
use crate::db::pool::Manager;
use crate::error::Error;

/// How often the watch looks. What another process commits is seen after this time and a round trip.
const LOOK: Duration = Duration::from_millis(200);
/// What was seen longer ago than this is not relied upon: the server may be out of reach.
const TRUSTED: Duration = Duration::from_millis(900);
/// A look that takes so long will not come back soon: the server hangs.
const HANGS: Duration = Duration::from_secs(3);
/// How often the size of the database is asked for: that takes the server a walk over its files.
const SIZE_EVERY: Duration = Duration::from_secs(60);
/// What a server says that takes no more connections (SQLSTATE 53300, which libpq does not hand on): of anybody, of
/// others than superusers, of this role or database; and what PgBouncer says.
const FULL: [&str; 4] =
    ["too many clients", "remaining connection slots", "too many connections for", "no more connections allowed"];

#[derive(diesel::QueryableByName)]
struct Snapshot {
    #[diesel(sql_type = Text)]
    snapshot: String,
}

#[derive(diesel::QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Sees whether anything was committed.
///
/// PostgreSQL counts transactions that write; its current snapshot names those that have ended, so it
/// differs whenever one did, in whichever process
/// (<https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT>). A thread looks at
/// it a few times a second. What this process itself commits is noted at once.
pub struct CommitWatch {
    changes: AtomicU64,
    sight: Mutex<Sight>,
    bytes: AtomicU64,
}

/// What came of the last look.
#[derive(Clone, Copy)]
enum Sight {
    /// There was none yet.
    Unknown,
    /// It was begun then, and came back.
    Seen(Instant),
    /// The server has no room for one more connection, and serves those that it has.
    Full,
    /// It failed.
    Away,
}

impl CommitWatch {
    /// Begins to watch; ends when the watch is dropped.
    pub fn start(url: &str) -> std::io::Result<Arc<CommitWatch>> {
        let watch = Arc::new(CommitWatch {
            changes: AtomicU64::new(0),
            sight: Mutex::new(Sight::Unknown),
            bytes: AtomicU64::new(0),
        });
        let (url, watched) = (url.to_owned(), Arc::downgrade(&watch));
        std::thread::Builder::new().name("watch".to_owned()).spawn(move || look(&url, &watched))?;
        Ok(watch)
    }

    /// How many changes were seen; `None` when the last look was too long ago.
    pub fn changes(&self) -> Option<u64> {
        let is_trusted = matches!(self.sight(), Sight::Seen(at) if at.elapsed() < TRUSTED);
        is_trusted.then(|| self.changes.load(Ordering::Acquire))
    }

    /// The size of the database as it was a minute ago at most.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Fails where the last look did, or has gone on for too long: whoever asks now is told at once, and does
    /// not wait for a connection that nobody gets or a server that hangs.
    pub fn check_reach(&self, pool: &r2d2::Pool<Manager>) -> Result<(), Error> {
        let problem = match self.sight() {
            Sight::Seen(at) if at.elapsed() > HANGS => "the database hangs",
            Sight::Away => "the database is out of reach",
            Sight::Full if pool.state().connections == 0 => "the database takes no more connections",
            _ => return Ok(()),
        };
        Err(Error::Unavailable(problem.to_owned()))
    }

    fn sight(&self) -> Sight {
        *self.sight.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// This process has committed something.
    pub fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    fn set_sight(&self, sight: Sight) {
        let mut slot = self.sight.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let former = std::mem::replace(&mut *slot, sight);
        drop(slot);
        // Of a server that is away, requests that need it say so.
        match (former, sight) {
            (Sight::Full, Sight::Full) => {}
            (_, Sight::Full) => {
                log::warn!("the database takes no more connections; until it does, nothing is remembered");
            }
            (Sight::Full, Sight::Seen(_)) => log::info!("the database takes connections again"),
            _ => {}
        }
    }
}

fn look(url: &str, watched: &Weak<CommitWatch>) {
    let mut connection = None;
    let mut seen = String::new();
    let mut sized_at: Option<Instant> = None;
    while let Some(watch) = watched.upgrade() {
        let began = Instant::now();
        let wants_size = sized_at.is_none_or(|at| at.elapsed() > SIZE_EVERY);
        let was_open = connection.is_some();
        let mut ask = || look_once(url, &mut connection, wants_size);
        // That a connection broke says little about the server; whether there is another one says more.
        match ask().or_else(|error| if was_open { ask() } else { Err(error) }) {
            Ok((snapshot, bytes)) => {
                if snapshot != seen {
                    watch.note_change();
                    seen = snapshot;
                }
                if let Some(bytes) = bytes {
                    watch.bytes.store(bytes, Ordering::Relaxed);
                    sized_at = Some(began);
                }
                watch.set_sight(Sight::Seen(began));
            }
            Err(error) => {
                let is_full = FULL.iter().any(|words| error.contains(words));
                watch.set_sight(if is_full { Sight::Full } else { Sight::Away });
            }
        }
        drop(watch);
        std::thread::sleep(LOOK);
    }
}

fn look_once(url: &str, slot: &mut Option<Connection>, wants_size: bool) -> Result<(String, Option<u64>), String> {
    let connection = match slot {
        Some(connection) => connection,
        None => slot.insert(open(url, Role::Reader).map_err(|error| error.to_string())?),
    };
    let ask = |connection: &mut Connection| -> QueryResult<(String, Option<u64>)> {
        let row: Snapshot =
            diesel::sql_query("SELECT pg_current_snapshot()::text AS snapshot").get_result(connection)?;
        let size = || -> QueryResult<u64> {
            let row: Size =
                diesel::sql_query("SELECT pg_database_size(current_database()) AS bytes").get_result(connection)?;
            Ok(u64::try_from(row.bytes).unwrap_or(0))
        };
        Ok((row.snapshot, wants_size.then(size).transpose()?))
    };
    let answer = ask(connection);
    if answer.is_err() {
        *slot = None;
    }
    answer.map_err(|error| error.to_string())
}
