//! `import`: imports a CSV file as the admin does, without its limits.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{CommandError, printable, say};
use crate::admin::import::csv_file;
use crate::admin::import::job;
use crate::admin::import::report::Report;
use crate::admin::model_admin::Staff;
use crate::config::Basics;
use crate::db::{Connection, Db};
use crate::server;

#[derive(Args)]
pub struct Arguments {
    /// The model, such as `users`
    model: String,
    /// The CSV file
    file: PathBuf,
    /// Report what would happen, and save nothing
    #[arg(long)]
    dry_run: bool,
}

/// Imports all rows, or none if one has an error, and prints the report.
pub fn run(config: &Basics, arguments: &Arguments) -> Result<(), CommandError> {
    let Arguments { model, file, dry_run } = arguments;
    let site = server::site();
    let is_importable = site.find(model).is_some_and(|model| model.options().importable);
    if !is_importable {
        let names: Vec<&str> = site.options().iter().filter(|o| o.importable).map(|o| o.slug()).collect();
        return Err(CommandError::new(format!(
            "`{}` cannot be imported; the models are {}",
            model.escape_debug(),
            names.join(", ")
        )));
    }
    let fail = |problem: String| CommandError::new(format!("{}: {problem}", file.display()));
    let content = std::fs::read(file).map_err(|error| fail(error.to_string()))?;
    let text = csv_file::text(&content).map_err(fail)?;
    let sheet = csv_file::read(site.get(model)?.options(), text).map_err(fail)?;
    let (db, _) = Db::open(&config.database)?;
    let (slug, is_dry_run, shared) = (model.clone(), *dry_run, std::sync::Arc::new((site, sheet)));
    let report = db.write_blocking(move |conn: &mut Connection| {
        let (site, sheet) = &*shared;
        job::import(conn, site.get(&slug)?, sheet, &Staff::command_line(), is_dry_run)
    })?;
    print(&report)?;
    conclude(&report, file, *dry_run)
}

fn print(report: &Report) -> Result<(), CommandError> {
    let list = |count: usize, details: Vec<(&str, String)>| {
        let details: Vec<String> = details.into_iter().map(|(name, detail)| format!("{name} {detail}")).collect();
        if details.is_empty() { count.to_string() } else { format!("{count}: {}", details.join(", ")) }
    };
    say!("created    {}", list(report.created, report.new_values()))?;
    say!("changed    {}", list(report.changed, report.field_changes()))?;
    say!("unchanged  {}", report.unchanged)?;
    say!("errors     {}", report.wrong)?;
    if !report.ignored.is_empty() {
        say!("ignored columns: {}", printable(&report.ignored.join(", ")))?;
    }
    if report.empty_lines > 0 {
        say!("ignored empty lines: {}", report.empty_lines)?;
    }
    for (line, column, message) in &report.errors {
        let column = if column.is_empty() { String::new() } else { format!(", {column}") };
        say!("line {line}{column}: {}", printable(message))?;
    }
    Ok(())
}

fn conclude(report: &Report, file: &Path, is_dry_run: bool) -> Result<(), CommandError> {
    let (file, rows) = (file.display(), report.rows());
    match report.wrong {
        0 if is_dry_run => say!("Nothing was saved. Without --dry-run, {file} will be imported."),
        0 => say!("{file} was imported."),
        1 => Err(CommandError::new(format!("nothing was imported: 1 of {rows} rows has an error"))),
        wrong => Err(CommandError::new(format!("nothing was imported: {wrong} of {rows} rows have errors"))),
    }
}
