//! [`CommitWatch`]: detects commits.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use diesel::sql_types::{Bool, Text};
use diesel::{QueryResult, RunQueryDsl};

use super::connections::open;
use crate::db::connection::Connection;
use crate::db::pool::Manager;
use crate::db::rows::{self, Sql};
use crate::error::Error;

/// A commit of another process shows after this time plus a round trip.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// An older result is not trusted: the server may be unreachable.
const TRUSTED_FOR: Duration = Duration::from_millis(900);
const HANGS_AFTER: Duration = Duration::from_secs(3);
/// The size query makes the server walk over its files.
const SIZE_EVERY: Duration = Duration::from_secs(60);

/// Another server, such as a standby that took over, may lack commits and give their numbers to others. So its start is
/// part of the answer, which no two servers share.
const SNAPSHOT: &str = "SELECT concat_ws(' ', pg_current_snapshot(), extract(epoch FROM pg_postmaster_start_time())) AS snapshot, \
     pg_is_in_recovery() AS is_standby";

#[derive(diesel::QueryableByName)]
struct Snapshot {
    #[diesel(sql_type = Text)]
    snapshot: String,
    #[diesel(sql_type = Bool)]
    is_standby: bool,
}

/// PostgreSQL's current snapshot changes with every commit of any process
/// (<https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT>). A thread polls it. This
/// process notes its own commits at once.
pub struct CommitWatch {
    changes: AtomicU64,
    last_poll: Mutex<LastPoll>,
    bytes: AtomicU64,
    is_standby: AtomicBool,
}

#[derive(Clone, Copy)]
enum LastPoll {
    Unknown,
    Answered(Instant),
    /// The server accepts no new connection but serves existing ones.
    Full,
    Away,
}

impl CommitWatch {
    /// The polling thread ends when the watch is dropped.
    pub fn start(url: &str, readers: r2d2::Pool<Manager>) -> std::io::Result<Arc<CommitWatch>> {
        let watch = Arc::new(CommitWatch {
            changes: AtomicU64::new(0),
            last_poll: Mutex::new(LastPoll::Unknown),
            bytes: AtomicU64::new(0),
            is_standby: AtomicBool::new(false),
        });
        let (url, watched) = (url.to_owned(), Arc::downgrade(&watch));
        std::thread::Builder::new().name("watch".to_owned()).spawn(move || poll(&url, &readers, &watched))?;
        Ok(watch)
    }

    pub fn changes(&self) -> Option<u64> {
        let is_trusted = matches!(self.last_poll(), LastPoll::Answered(at) if at.elapsed() < TRUSTED_FOR);
        is_trusted.then(|| self.changes.load(Ordering::Acquire))
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the server was a standby at the last poll: it can be read, and takes no writes.
    pub fn is_standby(&self) -> bool {
        self.is_standby.load(Ordering::Relaxed)
    }

    /// Fails if the last poll failed or hangs, so that callers do not wait for the server.
    pub fn check_reach(&self) -> Result<(), Error> {
        let problem = match self.last_poll() {
            LastPoll::Answered(at) if at.elapsed() > HANGS_AFTER => "the database does not respond",
            LastPoll::Away => "the database is unreachable",
            _ => return Ok(()),
        };
        Err(Error::Unavailable(problem.to_owned()))
    }

    fn last_poll(&self) -> LastPoll {
        *self.last_poll.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    fn set_last_poll(&self, last_poll: LastPoll) {
        let mut slot = self.last_poll.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let former = std::mem::replace(&mut *slot, last_poll);
        drop(slot);
        // An unreachable server is not logged here: the requests that need it log it.
        match (former, last_poll) {
            (LastPoll::Full, LastPoll::Full) => {}
            (_, LastPoll::Full) => {
                log::warn!("the database accepts no more connections; caches are off until it does");
            }
            (LastPoll::Full, LastPoll::Answered(_)) => log::info!("the database accepts connections again"),
            _ => {}
        }
    }
}

fn poll(url: &str, readers: &r2d2::Pool<Manager>, watched: &Weak<CommitWatch>) {
    let mut connection = None;
    let mut seen = String::new();
    let mut sized_at: Option<Instant> = None;
    while let Some(watch) = watched.upgrade() {
        let began = Instant::now();
        let wants_size = sized_at.is_none_or(|at| at.elapsed() > SIZE_EVERY);
        let was_open = connection.is_some();
        let mut ask = || poll_once(url, &mut connection, wants_size);
        // A broken connection says little about the server, so try a new one before giving up.
        match ask().or_else(|error| if was_open { ask() } else { Err(error) }) {
            Ok((Snapshot { snapshot, is_standby }, bytes)) => {
                if snapshot != seen {
                    watch.note_change();
                    seen = snapshot;
                }
                watch.is_standby.store(is_standby, Ordering::Relaxed);
                if let Some(bytes) = bytes {
                    watch.bytes.store(bytes, Ordering::Relaxed);
                    sized_at = Some(began);
                }
                watch.set_last_poll(LastPoll::Answered(began));
            }
            Err(_) => watch.set_last_poll(if is_served(readers) { LastPoll::Full } else { LastPoll::Away }),
        }
        drop(watch);
        std::thread::sleep(POLL_EVERY);
    }
}

/// Whether the server answers on a connection that exists: then it is out of connections. Its refusal says so only in
/// words, and in its own language.
fn is_served(readers: &r2d2::Pool<Manager>) -> bool {
    readers.get_timeout(POLL_EVERY).is_ok_and(|mut reader| diesel::sql_query("SELECT 1").execute(&mut *reader).is_ok())
}

fn poll_once(url: &str, slot: &mut Option<Connection>, wants_size: bool) -> Result<(Snapshot, Option<u64>), String> {
    let connection = match slot {
        Some(connection) => connection,
        None => slot.insert(open(url).map_err(|error| error.to_string())?),
    };
    let ask = |connection: &mut Connection| -> QueryResult<(Snapshot, Option<u64>)> {
        let row: Snapshot = diesel::sql_query(SNAPSHOT).get_result(connection)?;
        let size = || rows::number(connection, "pg_database_size(current_database())", Sql::new(""));
        Ok((row, wants_size.then(size).transpose()?.map(i64::unsigned_abs)))
    };
    let answer = ask(connection);
    if answer.is_err() {
        *slot = None;
    }
    answer.map_err(|error| error.to_string())
}
