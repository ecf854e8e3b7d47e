//! `import-django`: moves in from a Django project.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::output::{CommandError, printable, say};
use super::progress::Progress;
use crate::config::Basics;
use crate::db::DatabaseUrl;
use crate::django::{
    self, FIELDS, KeepEmail, Options, Outcome, Passwords, Report, ReportedRow, Source, UserTable, Zone,
};

/// Imports users with their passwords, groups, permissions and articles, all or nothing. Rows that were imported before
/// stay as they are. Keep a PostgreSQL password in PGPASSWORD or ~/.pgpass, because other users can see a command's
/// arguments.
#[derive(Args)]
pub struct Arguments {
    /// Django's SQLite file, a `postgres://` URL, or a file of `dumpdata` (JSON or JSON lines, also .gz)
    source: String,
    /// Also import the admin log
    #[arg(long)]
    history: bool,
    /// Report what would happen, and save nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Import the others if rows are refused
    #[arg(long)]
    skip_refused: bool,
    /// Whose password hashes to import
    #[arg(long, value_enum, default_value_t = Passwords::All)]
    passwords: Passwords,
    /// Of users who share an e-mail address, the one who keeps it; by default none does
    #[arg(long, value_enum)]
    keep_email: Option<KeepEmail>,
    /// The time zone of times that have none, such as Europe/Berlin, if the project has USE_TZ = False
    #[arg(long, default_value = "UTC", value_parser = Zone::named)]
    time_zone: Zone,
    /// The table of a user model of your own, such as accounts_member
    #[arg(long, value_name = "TABLE")]
    user_table: Option<String>,
    /// A column that has another name than Django's, such as is_active=enabled; can be repeated
    #[arg(long, value_name = "NAME=COLUMN", value_parser = user_field)]
    user_field: Vec<(String, String)>,
}

fn user_field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, column)) if FIELDS.contains(&name) => Ok((name.to_owned(), column.to_owned())),
        _ => Err(format!("write NAME=COLUMN with one of the names {}", FIELDS.join(", "))),
    }
}

pub fn run(config: &Basics, arguments: Arguments) -> Result<(), CommandError> {
    let source = source(&arguments.source)?;
    let options = Options {
        users: UserTable { table: arguments.user_table, columns: arguments.user_field },
        passwords: arguments.passwords,
        keep_email: arguments.keep_email,
        zone: arguments.time_zone,
        history: arguments.history,
        dry_run: arguments.dry_run,
        skip_refused: arguments.skip_refused,
    };
    let mut line = Progress::start();
    let mut progress = |what: &str, rows: u64| line.show(format_args!("{what}: {rows}"));
    let imported = django::import(&source, &config.database, &options, &mut progress);
    line.clear();
    let mut report = imported?;
    if arguments.json {
        print_json(&mut report)?;
    } else {
        print(&mut report)?;
    }
    match report.outcome {
        Outcome::Refused => {
            let refused = report.count(|count| count.refused);
            let problem = format!(
                "nothing was imported: {refused} refused; fix these rows in Django, or leave them out with --skip-refused"
            );
            Err(CommandError::refused(problem))
        }
        _ => Ok(()),
    }
}

/// A URL is not repeated in errors, because it may contain a password.
fn source(source: &str) -> Result<Source, CommandError> {
    if ["postgres://", "postgresql://", "sqlite:"].iter().any(|scheme| source.starts_with(scheme)) {
        let url = DatabaseUrl::parse(source).map_err(|problem| CommandError::new(format!("the source {problem}")))?;
        return Ok(Source::Database(url));
    }
    let path = PathBuf::from(source);
    match is_sqlite(&path).map_err(|error| CommandError::new(format!("{}: {error}", path.display())))? {
        true => Ok(Source::Database(DatabaseUrl::Sqlite(path))),
        false => Ok(Source::Dump(path)),
    }
}

fn is_sqlite(path: &Path) -> std::io::Result<bool> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

fn print(report: &mut Report) -> Result<(), CommandError> {
    say!("{:12} {:>10} {:>10} {:>10}", "", "new", "known", "refused")?;
    for count in &report.counts {
        say!("{:12} {:>10} {:>10} {:>10}", count.name, count.new, count.known, count.refused)?;
    }
    report.rows(|row| {
        let key = row.key.as_ref().map(|key| format!(" {}", key.escape_debug())).unwrap_or_default();
        let name = if row.name.is_empty() { String::new() } else { format!(" \"{}\"", row.name) };
        let is_refused = row.reasons.iter().any(|(outcome, ..)| outcome == "refused");
        let outcome = row.reasons.first().filter(|_| !is_refused).map_or("refused", |(outcome, ..)| outcome);
        let reasons: Vec<&str> = row.reasons.iter().map(|(.., text)| text.as_str()).collect();
        let model = row.model.replace('_', " ");
        say!("{:8} {model}{key}{name}: {}", outcome.replace('_', " "), printable(&reasons.join("; ")))
    })?;
    for advice in &report.advice {
        say!("{advice}")?;
    }
    match report.outcome {
        Outcome::Imported => say!("Everything that is new was imported."),
        Outcome::DryRun => say!("Nothing was saved. Without --dry-run, everything that is new will be imported."),
        Outcome::NothingToDo => say!("There is nothing new to import. Nothing was changed."),
        Outcome::Refused => Ok(()),
    }
}

/// Line by line, because there may be many rows.
fn print_json(report: &mut Report) -> Result<(), CommandError> {
    let counts: serde_json::Map<String, serde_json::Value> = report
        .counts
        .iter()
        .map(|count| {
            let numbers = json!({ "new": count.new, "known": count.known, "refused": count.refused });
            (count.name.replace(' ', "_"), numbers)
        })
        .collect();
    say!("{{\"outcome\": {},", json!(report.outcome.as_str()))?;
    say!("\"counts\": {},", json!(counts))?;
    say!("\"advice\": {},", json!(report.advice))?;
    say!("\"rows\": [")?;
    let mut separator = "";
    report.rows(|row| {
        say!("{separator}{}", row_json(row))?;
        separator = ",";
        Ok::<(), CommandError>(())
    })?;
    say!("]}}")
}

fn row_json(row: &ReportedRow) -> serde_json::Value {
    let reasons: Vec<_> = row
        .reasons
        .iter()
        .map(|(outcome, code, text)| json!({ "outcome": outcome, "code": code, "text": text }))
        .collect();
    json!({ "model": row.model, "key": row.key, "name": row.name, "reasons": reasons })
}
