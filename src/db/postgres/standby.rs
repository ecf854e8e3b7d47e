//! [`Standby`]: a server that replays what the primary commits, and answers reads as soon as it has what they must see.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use diesel::connection::TransactionManager;
use diesel::sql_types::{BigInt, Bool, Integer};
use diesel::{QueryResult, RunQueryDsl};
use prometheus::IntCounterVec;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;

use super::connections::{open, open_unpooled};
use super::parameters::ConnectionLimit;
use crate::db::connection::{Connection, Role, one_line};
use crate::db::pool::Manager;
use crate::db::transaction::begin_on;
use crate::error::Error;
use crate::metrics;

const POLL_EVERY: Duration = Duration::from_millis(200);
/// A standby that has not answered for so long is not waited for.
const SILENT_AFTER: Duration = Duration::from_secs(1);

/// A primary's position is behind every commit that anybody can see. The timeline of a standby is in its control file,
/// where it appears a little late, never early.
const POSITION: &str = "SELECT is_standby, system_identifier AS system, \
     CASE WHEN is_standby \
         THEN (SELECT greatest(timeline_id, min_recovery_end_timeline) FROM pg_control_checkpoint(), pg_control_recovery()) \
         ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer END AS timeline, \
     pg_wal_lsn_diff( \
         CASE WHEN is_standby THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END, '0/0')::bigint AS lsn \
     FROM pg_control_system(), pg_is_in_recovery() AS is_standby";

/// Where a server is in the WAL: of a primary what it has written, of a standby what it has replayed.
#[derive(Clone, Copy, diesel::QueryableByName)]
struct Position {
    #[diesel(sql_type = Bool)]
    is_standby: bool,
    /// All servers that were copied from one have the same.
    #[diesel(sql_type = BigInt)]
    system: i64,
    /// Each promotion begins a new one. A standby that did not follow may have what the new primary lacks.
    #[diesel(sql_type = Integer)]
    timeline: i32,
    #[diesel(sql_type = BigInt)]
    lsn: i64,
}

impl Position {
    fn of(connection: &mut Connection) -> QueryResult<Position> {
        diesel::sql_query(POSITION).get_result(connection)
    }

    fn check_standby_of(&self, system: i64) -> Result<(), String> {
        match self.is_standby {
            false => Err("it is no standby".to_owned()),
            true if self.system != system => Err("it is the standby of another primary".to_owned()),
            true => Ok(()),
        }
    }

    /// Whether this standby has all that the primary had.
    fn has(&self, primary: &Position) -> bool {
        let follows = self.check_standby_of(primary.system).is_ok() && self.timeline == primary.timeline;
        follows && !primary.is_standby && self.lsn >= primary.lsn
    }
}

pub struct Standby {
    url: String,
    /// For the log, without a password.
    name: String,
    system: i64,
    primary: r2d2::Pool<Manager>,
    /// A silent standby holds them, so they are no one else's.
    threads: Handle,
    /// As many as may be open.
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    /// The primary's position, asked for after this process knew of so many changes.
    wanted: Mutex<Option<(u64, Position)>>,
    last_poll: Mutex<LastPoll>,
    pub reads: IntCounterVec,
}

#[derive(Clone, Copy)]
enum LastPoll {
    Unknown,
    Answered(Instant),
    Failed,
}

impl Standby {
    /// The standby may be away. `name` stands for it in the log.
    pub fn start(url: &str, name: String, primary: r2d2::Pool<Manager>) -> Result<Arc<Standby>, String> {
        let limit = ConnectionLimit::of(url).ok_or("its connection_limit is not a number from 3 to 1000")?;
        let most = limit.unwatching() as usize;
        let threads = Builder::new_current_thread().thread_name("standby").max_blocking_threads(most).build();
        let threads = threads.map_err(|error| error.to_string())?;
        let mut connection = primary.get().map_err(|error| error.to_string())?;
        let position = Position::of(&mut connection).map_err(|error| format!("the primary: {error}"))?;
        drop(connection);
        let reads =
            metrics::counters("gatepost_db_list_reads_total", "Lists read from the database, by server.", &["server"]);
        for server in ["primary", "standby"] {
            reads.with_label_values(&[server]);
        }
        let standby = Arc::new(Standby {
            url: url.to_owned(),
            name,
            system: position.system,
            primary,
            threads: threads.handle().clone(),
            permits: Arc::new(Semaphore::new(most)),
            idle: Mutex::default(),
            wanted: Mutex::default(),
            last_poll: Mutex::new(LastPoll::Unknown),
            reads,
        });
        let watched = Arc::downgrade(&standby);
        let poll = move || poll(threads, &watched);
        std::thread::Builder::new().name("standby".to_owned()).spawn(poll).map_err(|error| error.to_string())?;
        Ok(standby)
    }

    /// `None` if the primary has to answer: the standby is away, busy or behind, or the read failed there. `changes` are
    /// those that this process knows of.
    pub async fn read<T, F>(self: &Arc<Standby>, changes: Option<u64>, queries: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        let answer = self.answer(changes, queries).await;
        self.reads.with_label_values(&[if answer.is_some() { "standby" } else { "primary" }]).inc();
        answer
    }

    async fn answer<T, F>(self: &Arc<Standby>, changes: Option<u64>, queries: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        let changes = changes.filter(|_| self.is_reachable())?;
        let permit = self.permits.clone().try_acquire_owned().ok()?;
        let standby = self.clone();
        let mut answer = self.threads.spawn_blocking(move || {
            let _permit = permit;
            standby.read_blocking(changes, queries)
        });
        loop {
            match tokio::time::timeout(POLL_EVERY, &mut answer).await {
                Ok(answer) => return answer.ok()?.ok()?,
                Err(_) if !self.is_reachable() => return None,
                Err(_) => {}
            }
        }
    }

    fn read_blocking<T>(
        &self,
        changes: u64,
        queries: impl FnOnce(&mut Connection) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let Some(wanted) = self.wanted(changes)? else { return Ok(None) };
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open(&self.url).map_err(|error| Error::Unavailable(error.to_string()))?,
        };
        // A transaction sees what was replayed before it began, so the position is asked for before it.
        let is_ready = Position::of(&mut connection)?.has(&wanted);
        let answer = is_ready.then(|| in_transaction(&mut connection, queries)).transpose()?;
        // After a failure it is closed instead.
        self.idle().push(connection);
        Ok(answer)
    }

    /// One reader asks for all. `None` if the primary has no free connection: its readers are waited for only once.
    fn wanted(&self, changes: u64) -> Result<Option<Position>, Error> {
        let mut wanted = self.wanted.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((at, position)) = *wanted
            && at >= changes
        {
            return Ok(Some(position));
        }
        let Some(mut connection) = self.primary.try_get() else { return Ok(None) };
        let position = Position::of(&mut connection)?;
        *wanted = Some((changes, position));
        Ok(Some(position))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn is_reachable(&self) -> bool {
        let last_poll = *self.last_poll.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match last_poll {
            LastPoll::Answered(at) if at.elapsed() < SILENT_AFTER => true,
            LastPoll::Answered(_) => {
                self.set_last_poll(Err("it does not answer".to_owned()));
                false
            }
            LastPoll::Unknown | LastPoll::Failed => false,
        }
    }

    fn set_last_poll(&self, outcome: Result<(), String>) {
        let last_poll = if outcome.is_ok() { LastPoll::Answered(Instant::now()) } else { LastPoll::Failed };
        let former =
            mem::replace(&mut *self.last_poll.lock().unwrap_or_else(|poisoned| poisoned.into_inner()), last_poll);
        match (former, outcome) {
            (LastPoll::Answered(_), Ok(())) | (LastPoll::Failed, Err(_)) => {}
            (_, Ok(())) => log::info!("lists are read from the standby {}", self.name),
            (_, Err(problem)) => {
                log::warn!("lists are read from the primary; the standby {}: {}", self.name, problem.escape_debug());
            }
        }
    }

    fn poll(&self, slot: &mut Option<Connection>) -> Result<(), String> {
        let connection = match slot {
            Some(connection) => connection,
            None => {
                // The others may have broken, too.
                let idle = mem::take(&mut *self.idle());
                drop(idle);
                slot.insert(open_unpooled(&self.url)?)
            }
        };
        Position::of(connection).map_err(|error| one_line(&error))?.check_standby_of(self.system)
    }
}

/// Ends when the standby is dropped.
fn poll(threads: Runtime, watched: &Weak<Standby>) {
    let mut connection = None;
    while let Some(standby) = watched.upgrade() {
        let outcome = standby.poll(&mut connection);
        if outcome.is_err() {
            connection = None;
        }
        standby.set_last_poll(outcome);
        drop(standby);
        std::thread::sleep(POLL_EVERY);
    }
    threads.shutdown_background();
}

fn in_transaction<T>(
    connection: &mut Connection,
    queries: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    begin_on(connection, Role::Reader)?;
    let value = queries(connection)?;
    Connection::commit_transaction(connection)?;
    Ok(value)
}

/// Returns how many bytes of what the primary has now the standby has yet to replay after a second.
pub fn probe_standby(primary: &str, standby: &str) -> Result<i64, String> {
    let mut standby = open_unpooled(standby)?;
    let mut primary = open(primary).map_err(|error| format!("the primary: {error}"))?;
    let wanted = Position::of(&mut primary).map_err(|error| format!("the primary: {error}"))?;
    let until = Instant::now() + SILENT_AFTER;
    loop {
        match behind(&mut standby, &wanted)? {
            0 => return Ok(0),
            bytes if Instant::now() > until => return Ok(bytes),
            _ => std::thread::sleep(POLL_EVERY),
        }
    }
}

fn behind(standby: &mut Connection, primary: &Position) -> Result<i64, String> {
    let position = Position::of(standby).map_err(|error| error.to_string())?;
    position.check_standby_of(primary.system)?;
    match position.timeline == primary.timeline {
        true => Ok((primary.lsn - position.lsn).max(0)),
        false => Err(format!(
            "it is on timeline {} and the primary on {}; after a promotion, it may follow within checkpoint_timeout",
            position.timeline, primary.timeline
        )),
    }
}
