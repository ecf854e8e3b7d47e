//! Opens a database that belongs to another program.

use std::fmt::Write;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, SqliteConnection};

use super::connection::{Connection, Role};
use super::open_error::OpenError;
use super::transaction::begin_on;
use super::url::DatabaseUrl;

/// Changes nothing, creates nothing, and sees one moment of the database.
pub fn open_foreign(url: &DatabaseUrl) -> Result<Connection, OpenError> {
    let fail = |problem: String| OpenError::new(url, problem);
    if url.is_missing() {
        return Err(fail("it does not exist".to_owned()));
    }
    let mut connection = match url {
        DatabaseUrl::Sqlite(path) => open_file(path).map_err(fail)?,
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(server) => super::postgres::open(server).map_err(|error| fail(error.to_string()))?,
    };
    begin_on(&mut connection, Role::Reader).map_err(|error| fail(error.to_string()))?;
    Ok(connection)
}

/// Read-only, but not `immutable`, which would miss what is in the WAL.
fn open_file(path: &Path) -> Result<Connection, String> {
    let path = std::path::absolute(path).map_err(|error| error.to_string())?;
    let path = path.to_str().ok_or("the path is not UTF-8")?;
    let mut connection = SqliteConnection::establish(&uri(path)).map_err(|error| error.to_string())?;
    let settings = "PRAGMA busy_timeout = 3000; PRAGMA query_only = ON;";
    connection.batch_execute(settings).map_err(|error| error.to_string())?;
    Ok(Connection::Sqlite(connection))
}

fn uri(path: &str) -> String {
    let mut uri = String::from("file:");
    for byte in path.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri + "?mode=ro"
}
