//! How a SQLite connection is opened, and the pool's view of it.

use std::path::{Path, PathBuf};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection as _, ConnectionError, ConnectionResult, QueryResult, RunQueryDsl};

/// A connection to the database.
pub type Connection = diesel::SqliteConnection;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads only; SQLite refuses anything else on it.
    Reader,
    /// The one that writes.
    Writer,
    /// Looks at a database that may be anybody's, and leaves it as it is.
    Probe,
}

/// Opens the file with the settings that every connection has.
///
/// WAL lets readers and the writer work side by side; `synchronous=FULL` has each commit on the disk
/// before it is acknowledged (<https://www.sqlite.org/pragma.html#pragma_synchronous>).
pub fn open(path: &Path, role: Role) -> ConnectionResult<Connection> {
    let Some(path) = path.to_str() else {
        return Err(ConnectionError::BadConnection("the path is not UTF-8".to_owned()));
    };
    let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        // SQLite would only say that it cannot open the file.
        return Err(ConnectionError::BadConnection("its folder does not exist".to_owned()));
    }
    let mut connection = Connection::establish(path)?;
    let settings = match role {
        // Other programs may hold the lock for a while: wait for them, but not for long.
        Role::Writer => {
            "PRAGMA busy_timeout = 3000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        }
        Role::Probe => "PRAGMA busy_timeout = 3000;",
        Role::Reader => "PRAGMA busy_timeout = 3000; PRAGMA query_only = ON;",
    };
    connection.batch_execute(settings).map_err(ConnectionError::CouldntSetupConfiguration)?;
    super::text::register(&mut connection).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Whether the database can be written, if not at this moment: a lock passes, a file that is read-only
/// stays so.
pub fn check_writable(connection: &mut Connection) -> QueryResult<()> {
    match try_to_write(connection) {
        Err(error) if error.to_string().contains("database is locked") => Ok(()),
        outcome => outcome,
    }
}

/// Writes something and takes it back. `BEGIN IMMEDIATE` alone would not do: on a read-only file, which
/// SQLite opens without a word, it succeeds.
fn try_to_write(connection: &mut Connection) -> QueryResult<()> {
    connection.batch_execute("BEGIN IMMEDIATE")?;
    let outcome = connection.batch_execute("PRAGMA user_version = 0");
    connection.batch_execute("ROLLBACK")?;
    outcome
}

/// Whether the database is sound and can be written.
pub fn probe(connection: &mut Connection) -> Result<(), String> {
    #[derive(diesel::QueryableByName)]
    struct Finding {
        #[diesel(sql_type = diesel::sql_types::Text)]
        quick_check: String,
    }
    try_to_write(connection).map_err(|error| error.to_string())?;
    let findings: Vec<Finding> =
        diesel::sql_query("PRAGMA quick_check(1)").load(connection).map_err(|error| error.to_string())?;
    match findings.first() {
        Some(finding) if finding.quick_check != "ok" => Err(finding.quick_check.clone()),
        _ => Ok(()),
    }
}

/// Hands r2d2 reading connections. The one that comes with diesel hides why opening failed.
pub struct Manager {
    path: PathBuf,
}

impl Manager {
    pub fn new(path: &Path) -> Manager {
        Manager { path: path.to_owned() }
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = Connection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Connection, Self::Error> {
        open(&self.path, Role::Reader).map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), Self::Error> {
        diesel::sql_query("SELECT 1").execute(connection).map(drop).map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        std::thread::panicking() || AnsiTransactionManager::is_broken_transaction_manager(connection)
    }
}
