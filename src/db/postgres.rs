//! PostgreSQL: how its connections are opened, what watches for changes, and how writes are run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Weak};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, ConnectionError, ConnectionResult, PgConnection, QueryResult, RunQueryDsl};

use super::Connection;
use super::connection::{Manager, Role};
use super::url::DatabaseUrl;
use super::{migrations, transaction};
use crate::error::Error;

/// How often the watch looks. What another process commits is seen after this time and a round trip.
const LOOK: Duration = Duration::from_millis(200);
/// What was seen longer ago than this is not relied upon: the server may be out of reach.
const TRUSTED: Duration = Duration::from_millis(900);
/// A look that takes so long will not come back soon: the server hangs.
const HANGS: Duration = Duration::from_secs(3);
/// How often the size of the database is asked for: that takes the server a walk over its files.
const SIZE_EVERY: Duration = Duration::from_secs(60);
/// How long a write that collides with others is begun anew.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many times it is begun anew in any case, however long it takes.
const ATTEMPTS: u32 = 3;
/// What a server says that takes no more connections (SQLSTATE 53300, which libpq does not hand on): of anybody, of
/// others than superusers, of this role or database; and what PgBouncer says.
const FULL: [&str; 4] =
    ["too many clients", "remaining connection slots", "too many connections for", "no more connections allowed"];
/// Marks this program's migrations among the server's advisory locks.
const MIGRATIONS_LOCK: i64 = 0x6761_7465_706f_7374;

/// Parameters that libpq would leave at values under which a server that is gone is noticed after minutes or
/// never, in milliseconds and seconds as libpq has them.
const DEFAULTS: &[(&str, &str)] = &[
    ("application_name", "gatepost"),
    ("connect_timeout", "3"),
    ("tcp_user_timeout", "10000"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
];

/// The parameter of the URL that is ours.
const CONNECTION_LIMIT: &str = "connection_limit=";

/// How many connections a process may have: one watches, of the others a half reads and a half writes.
#[derive(Clone, Copy)]
pub struct ConnectionLimit(u32);

impl ConnectionLimit {
    /// What the URL says, or 21; `None` where it cannot be.
    pub fn of(url: &str) -> Option<ConnectionLimit> {
        let said = parameters(url).find_map(|parameter| parameter.strip_prefix(CONNECTION_LIMIT));
        let limit = said.map_or(Some(21), |said| said.parse().ok());
        limit.filter(|limit| (3..=1000).contains(limit)).map(ConnectionLimit)
    }

    pub fn writers(self) -> u32 {
        (self.0 - 1) / 2
    }

    pub fn readers(self) -> u32 {
        self.0 - 1 - self.writers()
    }
}

fn parameters(url: &str) -> impl Iterator<Item = &str> {
    url.split_once('?').map_or("", |(_, query)| query).split('&')
}

/// The URL as libpq gets it.
fn with_defaults(url: &str) -> String {
    let kept: Vec<&str> = parameters(url).filter(|parameter| !parameter.starts_with(CONNECTION_LIMIT)).collect();
    let mut url = url.split_once('?').map_or(url, |(place, _)| place).to_owned();
    if !kept.concat().is_empty() {
        url.push_str(&format!("?{}", kept.join("&")));
    }
    for (name, value) in DEFAULTS {
        if !url.contains(&format!("{name}=")) {
            let separator = if url.contains('?') { '&' } else { '?' };
            url.push_str(&format!("{separator}{name}={value}"));
        }
    }
    url
}

/// Opens a connection with the settings that every one of its role has.
///
/// Writers are SERIALIZABLE: what a write has read still holds when it commits, as it does on SQLite, where
/// one write comes after the other. Readers see one state of the database per transaction
/// (<https://www.postgresql.org/docs/current/transaction-iso.html>).
pub fn open(url: &str, role: Role) -> ConnectionResult<Connection> {
    let mut connection = PgConnection::establish(&with_defaults(url))?;
    let settings = match role {
        Role::Reader | Role::Probe => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        }
        // Somebody may hold a lock for a while: wait, but not for long. A commit is on the disk before it is
        // acknowledged, whatever the server's default is.
        Role::Writer => {
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE; \
             SET lock_timeout = '3s'; SET synchronous_commit = on"
        }
    };
    connection.batch_execute(settings).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(Connection::Postgres(connection))
}

/// A connection for a moment, to a database with all migrations applied, and how many those were.
pub fn open_migrated(url: &str) -> Result<usize, String> {
    let mut connection = open_checked(url)?;
    // Of several programs that start at once one migrates, and the others find it done. The lock ends with
    // the connection.
    let lock = format!("SET lock_timeout = 0; SELECT pg_advisory_lock({MIGRATIONS_LOCK}); SET lock_timeout = '3s'");
    connection.batch_execute(&lock).map_err(|error| error.to_string())?;
    migrations::apply(&mut connection)
}

/// Writes something and takes it back.
fn check_writable(connection: &mut Connection) -> Result<(), String> {
    // In a transaction, the settings of the session matter less than whether the server takes writes at all:
    // a standby, for one, does not.
    let check = "BEGIN; CREATE TEMPORARY TABLE gatepost_probe (n bigint) ON COMMIT DROP; ROLLBACK";
    let outcome = connection.batch_execute(check).map_err(|error| error.to_string());
    if outcome.is_err() {
        // The connection is dropped by the caller; what it says is the error that counts.
        let _ = connection.batch_execute("ROLLBACK");
    }
    outcome
}

/// Whether the database can be read and written.
pub fn probe(url: &str) -> Result<(), String> {
    open_checked(url).map(drop)
}

/// A connection to a database that can be written, and can hold every text.
fn open_checked(url: &str) -> Result<Connection, String> {
    let mut connection = open(url, Role::Writer).map_err(|error| error.to_string())?;
    check_writable(&mut connection)?;
    let row: Encoding = diesel::sql_query(
        "SELECT pg_encoding_to_char(encoding) AS name FROM pg_database WHERE datname = current_database()",
    )
    .get_result(&mut connection)
    .map_err(|error| error.to_string())?;
    match row.name.as_str() {
        "UTF8" => Ok(connection),
        other => Err(format!("its encoding is {other}, and has to be UTF8")),
    }
}

#[derive(diesel::QueryableByName)]
struct Encoding {
    #[diesel(sql_type = Text)]
    name: String,
}

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
pub struct Watch {
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

impl Watch {
    /// Begins to watch; ends when the watch is dropped.
    pub fn start(url: &Arc<DatabaseUrl>) -> std::io::Result<Arc<Watch>> {
        let watch =
            Arc::new(Watch { changes: AtomicU64::new(0), sight: Mutex::new(Sight::Unknown), bytes: AtomicU64::new(0) });
        let (url, watched) = (url.clone(), Arc::downgrade(&watch));
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

    fn note_change(&self) {
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

fn look(url: &DatabaseUrl, watched: &Weak<Watch>) {
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

fn look_once(
    url: &DatabaseUrl,
    slot: &mut Option<Connection>,
    wants_size: bool,
) -> Result<(String, Option<u64>), String> {
    let connection = match slot {
        Some(connection) => connection,
        None => slot.insert(super::connection::open(url, Role::Reader).map_err(|error| error.to_string())?),
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

/// Connections that write, each in a transaction of its own.
#[derive(Clone)]
pub struct Writers {
    pool: r2d2::Pool<Manager>,
    watch: Arc<Watch>,
}

impl Writers {
    pub fn new(pool: r2d2::Pool<Manager>, watch: Arc<Watch>) -> Writers {
        Writers { pool, watch }
    }

    /// Runs queries in a transaction, anew if it collides with another one.
    pub fn write<T, F>(&self, queries: F) -> Result<T, Error>
    where
        F: FnOnce(&mut Connection) -> Result<T, Error> + Clone,
    {
        self.watch.check_reach(&self.pool)?;
        let give_up = Instant::now() + PATIENCE;
        for attempt in 1.. {
            let queries = queries.clone();
            let outcome = transaction(&self.pool, |conn| {
                let value = queries(conn)?;
                // PostgreSQL ends a transaction in which a statement failed without an error at its COMMIT. If
                // the queries went on after a failure, this one fails.
                conn.batch_execute("SELECT 1")?;
                Ok(value)
            });
            // Also where the commit's answer was lost: it may be there.
            self.watch.note_change();
            match outcome {
                Err(Error::Collision(_)) if attempt <= ATTEMPTS || Instant::now() < give_up => {
                    std::thread::sleep(pause(attempt));
                }
                Err(Error::Collision(cause)) => return Err(Error::Unavailable(cause)),
                outcome => return outcome,
            }
        }
        Err(Error::Internal("a write was not run".to_owned()))
    }
}

/// How long to wait before another attempt: longer each time, and not as long as the others do.
fn pause(attempt: u32) -> Duration {
    let spread = crate::crypto::random::<1>().map_or(128, |[byte]| u32::from(byte));
    Duration::from_micros(u64::from(attempt.min(20) * (spread + 1) * 20))
}
