//! `backup`: a copy of the database while the server goes on.

use std::path::PathBuf;

use super::output::{CommandError, say};
use crate::config::Basics;
use crate::db::{self, DatabaseUrl};

/// What to write.
#[derive(clap::Args)]
pub struct Arguments {
    /// The file to write, which must not exist yet
    file: PathBuf,
}

/// Writes the file and says how large it is.
pub fn run(config: &Basics, arguments: &Arguments) -> Result<(), CommandError> {
    match &config.database {
        DatabaseUrl::Sqlite(path) => {
            let bytes = db::backup(path, &arguments.file)?;
            say!("{bytes} bytes of {} written to {}.", config.database, arguments.file.display());
            Ok(())
        }
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => {
            let problem = format!("{} is backed up by PostgreSQL's own pg_dump", config.database);
            Err(CommandError::new(problem))
        }
    }
}
