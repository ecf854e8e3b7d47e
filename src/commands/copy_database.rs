//! `copy-database`: copies everything to another database, for example to move to PostgreSQL.

use super::output::{CommandError, say, say_error};
use super::progress::Progress;
use crate::db::DatabaseUrl;
use crate::db::copy;

/// Both URLs have the format of DATABASE_URL. Keep a PostgreSQL password in PGPASSWORD or ~/.pgpass, because other
/// users can see a command's arguments.
#[derive(clap::Args)]
pub struct Arguments {
    /// The database to copy. It may be in use and is not changed
    #[arg(long, value_name = "URL")]
    from: String,
    /// The database to fill. It must be empty, and gets all rows or none
    #[arg(long, value_name = "URL")]
    to: String,
}

pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let from = parse("--from", &arguments.from)?;
    let to = parse("--to", &arguments.to)?;
    let mut line = Progress::start();
    let mut progress = |table: &str, copied: i64, total: i64| {
        if copied == total {
            line.clear();
            say_error!("{table}: {copied} of {total}");
        } else {
            line.show(format_args!("{table}: {copied} of {total}"));
        }
    };
    let copied = copy::copy(&from, &to, &mut progress);
    line.clear();
    let tables = copied?;
    say!("{:24} {:>12} {:>12}", "table", "rows", "last id")?;
    for table in &tables {
        let last_id = table.last_id.map(|id| id.to_string()).unwrap_or_default();
        say!("{:24} {:>12} {last_id:>12}", table.table, table.rows)?;
    }
    let rows: i64 = tables.iter().map(|table| table.rows).sum();
    say!("{rows} rows of {} tables copied from {from} to {to}. The row counts match.", tables.len())
}

/// The error does not repeat the URL, which may contain a password.
fn parse(option: &str, url: &str) -> Result<DatabaseUrl, CommandError> {
    DatabaseUrl::parse(url).map_err(|problem| CommandError::new(format!("{option} {problem}")))
}
