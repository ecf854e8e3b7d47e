//! `backup`: backs up the database while the server keeps running.

use std::path::PathBuf;

use super::output::{CommandError, say};
use crate::config::Basics;
use crate::db::{self, DatabaseUrl};

#[derive(clap::Args)]
pub struct Arguments {
    /// The file to write, which must not exist yet
    file: PathBuf,
}

pub fn run(config: &Basics, arguments: &Arguments) -> Result<(), CommandError> {
    match &config.database {
        DatabaseUrl::Sqlite(path) => {
            let bytes = db::backup(path, &arguments.file)?;
            say!("{bytes} bytes of {} written to {}.", config.database, arguments.file.display())
        }
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => {
            let problem = format!("this command does not support {}; use PostgreSQL's pg_dump", config.database);
            Err(CommandError::new(problem))
        }
    }
}
