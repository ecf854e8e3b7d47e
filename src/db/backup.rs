//! Backs up the SQLite database while it is in use.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use diesel::RunQueryDsl;
use diesel::sql_types::Text;

use super::connection::Role;
use super::open_error::OpenError;
use super::sqlite;
use super::url::DatabaseUrl;

/// Returns the size in bytes. The file gets its final name only when it is complete and synced to disk. `VACUUM INTO`
/// reads in one transaction and blocks no writer; a page-by-page copy would restart whenever another process commits.
pub fn backup(database: &Path, file: &Path) -> Result<u64, OpenError> {
    let url = DatabaseUrl::Sqlite(database.to_owned());
    if url.is_missing() {
        return Err(OpenError::new(&url, "it does not exist"));
    }
    let fail = |problem: &dyn ToString| {
        OpenError::new(&url, format!("not backed up to {}: {}", file.display(), problem.to_string()))
    };
    if fs::symlink_metadata(file).is_ok() {
        return Err(fail(&"the file exists already"));
    }
    let file = std::path::absolute(file).map_err(|error| fail(&error))?;
    let mut partial = file.clone().into_os_string();
    partial.push(format!(".{}.partial", std::process::id()));
    let written = write(database, Path::new(&partial), &file);
    if written.is_err() {
        // The file may not exist.
        let _ = fs::remove_file(&partial);
    }
    written.map_err(|error| fail(&error))
}

fn write(database: &Path, partial: &Path, file: &Path) -> Result<u64, Box<dyn std::error::Error>> {
    // SQLite fills an existing empty file and keeps its mode.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(partial)?;
    let name = partial.to_str().ok_or("the path is not UTF-8")?;
    let mut connection = sqlite::open(database, Role::Probe)?;
    diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(name).execute(&mut connection)?;
    let written = File::open(partial)?;
    written.sync_all()?;
    let bytes = written.metadata()?.len();
    // Unlike a rename, a link never replaces a file that another process created in the meantime.
    fs::hard_link(partial, file)?;
    fs::remove_file(partial)?;
    if let Some(folder) = file.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(bytes)
}
