//! SQLite: opening connections and creating the file.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, ConnectionError, ConnectionResult, QueryResult, SqliteConnection};

use super::connection::{Connection, Role};
use super::migrations;
use super::rows::{self, Sql};
use super::url::DatabaseUrl;

/// WAL lets readers and the writer work concurrently; `synchronous=FULL` writes each commit to disk before it is
/// acknowledged (<https://www.sqlite.org/pragma.html#pragma_synchronous>).
pub fn open(path: &Path, role: Role) -> ConnectionResult<Connection> {
    let Some(path) = path.to_str() else {
        return Err(ConnectionError::BadConnection("the path is not UTF-8".to_owned()));
    };
    if DatabaseUrl::Sqlite(path.into()).missing_folder().is_some() {
        // SQLite would only report that it cannot open the file.
        return Err(ConnectionError::BadConnection("its folder does not exist".to_owned()));
    }
    let mut connection = SqliteConnection::establish(path)?;
    let settings = match role {
        // Another process may hold the lock: wait, but not for long.
        Role::Writer => {
            "PRAGMA busy_timeout = 3000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        }
        Role::Probe => "PRAGMA busy_timeout = 3000;",
        Role::Reader => "PRAGMA busy_timeout = 3000; PRAGMA query_only = ON;",
    };
    connection.batch_execute(settings).map_err(ConnectionError::CouldntSetupConfiguration)?;
    super::text::register(&mut connection).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(Connection::Sqlite(connection))
}

/// A database in a file without a name, which is gone with the connection.
pub fn open_temporary() -> ConnectionResult<Connection> {
    let mut connection = SqliteConnection::establish("")?;
    let settings = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768;";
    connection.batch_execute(settings).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(Connection::Sqlite(connection))
}

/// For many small writes: each has a savepoint, and writing its old pages to a temporary file would take a fifth of the
/// writer's time. Not for migrations, which sort whole tables.
pub fn keep_savepoints_in_memory(connection: &mut Connection) -> QueryResult<()> {
    connection.batch_execute("PRAGMA temp_store = MEMORY")
}

/// A lock is no error: it is temporary, but a read-only file is not.
fn check_writable(connection: &mut Connection) -> QueryResult<()> {
    match try_to_write(connection) {
        Err(error) if error.to_string().contains("database is locked") => Ok(()),
        outcome => outcome,
    }
}

/// [`check_writable`] on a connection of its own, which waits for no lock.
pub fn probe_writing(path: &Path) -> Result<(), String> {
    let probe = || -> ConnectionResult<QueryResult<()>> {
        let mut connection = open(path, Role::Probe)?;
        Ok(connection.batch_execute("PRAGMA busy_timeout = 0").and_then(|()| check_writable(&mut connection)))
    };
    probe().map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// `BEGIN IMMEDIATE` alone is not enough: it succeeds even on a read-only file.
fn try_to_write(connection: &mut Connection) -> QueryResult<()> {
    connection.batch_execute("BEGIN IMMEDIATE")?;
    let outcome = connection.batch_execute("PRAGMA user_version = 0");
    connection.batch_execute("ROLLBACK")?;
    outcome
}

pub fn probe(connection: &mut Connection) -> Result<(), String> {
    try_to_write(connection).map_err(|error| error.to_string())?;
    let findings = rows::load(connection, Sql::new("PRAGMA quick_check(1)")).map_err(|error| error.to_string())?;
    match findings.first().and_then(|row| row.first()?.as_str()) {
        Some(finding) if finding != "ok" => Err(finding.to_owned()),
        _ => Ok(()),
    }
}

/// Mode 0600, because the file holds password hashes. SQLite gives its other files the same mode.
fn create_file(path: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

pub fn probe_creation(path: &Path) -> Result<(), String> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".check");
    match create_file(Path::new(&beside)).and_then(|()| std::fs::remove_file(&beside)) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(cannot_be_made(&error)),
        _ => Ok(()),
    }
}

fn cannot_be_made(error: &std::io::Error) -> String {
    format!("the file cannot be created: {error}")
}

/// Also returns how many migrations it applied. Retries, because SQLite fails at once, regardless of `busy_timeout`,
/// while another process that has just started changes the journal mode or schema.
pub fn open_writer(path: &Path) -> Result<(Connection, usize), String> {
    let created = create_file(path);
    let give_up = Instant::now() + Duration::from_secs(5);
    let try_to_open = || -> Result<(Connection, usize), String> {
        let mut connection = open(path, Role::Writer).map_err(|error| error.to_string())?;
        check_writable(&mut connection).map_err(|error| error.to_string())?;
        let applied = migrations::apply(&mut connection)?;
        keep_savepoints_in_memory(&mut connection).map_err(|error| error.to_string())?;
        Ok((connection, applied))
    };
    loop {
        match try_to_open() {
            Err(problem) if problem.contains("database is locked") && Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(20));
            }
            // SQLite only reports that it cannot open the file, not why it could not be created.
            Err(problem) if problem.contains("unable to open") && !path.exists() => {
                return Err(created.err().map_or(problem, |error| cannot_be_made(&error)));
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_is_built_as_the_configuration_of_cargo_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut connection = open(&folder.path().join("options.sqlite3"), Role::Writer).expect("a database");
        let options = rows::load(&mut connection, Sql::new("PRAGMA compile_options")).expect("options");
        let has = |wanted: &str| options.iter().any(|option| option[0].as_str() == Some(wanted));
        assert!(has("THREADSAFE=2") && has("DEFAULT_MEMSTATUS=0") && !has("ENABLE_MEMORY_MANAGEMENT"));
    }
}
