//! `copy-database`: moves everything to another database, the day that one machine is not enough.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::output::{CommandError, say};
use crate::db::DatabaseUrl;
use crate::db::copy;

/// How often progress is written anew, on a terminal.
const REFRESH: Duration = Duration::from_millis(100);

/// Both are as in DATABASE_URL. A password of PostgreSQL is better kept in PGPASSWORD or ~/.pgpass: others
/// can see a command's arguments.
#[derive(clap::Args)]
pub struct Arguments {
    /// The database to copy, which may be in use; it is not changed
    #[arg(long, value_name = "URL")]
    from: String,
    /// The database to fill, which has to be empty; all of it arrives or nothing
    #[arg(long, value_name = "URL")]
    to: String,
}

/// Copies, tells how far it is on standard error, and in the end what was copied.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let from = parse("--from", &arguments.from)?;
    let to = parse("--to", &arguments.to)?;
    let is_terminal = std::io::stderr().is_terminal();
    let mut shown = Instant::now();
    let mut progress = |table: &str, copied: i64, total: i64| {
        if copied == total {
            line(is_terminal, &format!("{table}: {copied} of {total}\n"));
        } else if is_terminal && shown.elapsed() > REFRESH {
            line(is_terminal, &format!("{table}: {copied} of {total}"));
            shown = Instant::now();
        }
    };
    let tables = copy::copy(&from, &to, &mut progress)?;
    say!("{:24} {:>12} {:>12}", "table", "rows", "last id");
    for table in &tables {
        let last_id = table.last_id.map(|id| id.to_string()).unwrap_or_default();
        say!("{:24} {:>12} {last_id:>12}", table.table, table.rows);
    }
    let rows: i64 = tables.iter().map(|table| table.rows).sum();
    say!("{rows} rows of {} tables copied from {from} to {to}, as many in both.", tables.len());
    Ok(())
}

/// The URL is not repeated where it is wrong: it may hold a password.
fn parse(option: &str, url: &str) -> Result<DatabaseUrl, CommandError> {
    DatabaseUrl::parse(url).map_err(|problem| CommandError::new(format!("{option} {problem}")))
}

/// Writes text, on a terminal over the line before it, where that had no end. Whoever does not read it misses
/// nothing.
fn line(is_terminal: bool, text: &str) {
    let start = if is_terminal { "\r" } else { "" };
    let _ = write!(std::io::stderr(), "{start}{text}");
}
