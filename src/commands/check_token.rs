//! `check-token`: why is this token accepted or refused?

use std::io::Read;

use super::output::{CommandError, say};
use crate::cognito::Authenticator;
use crate::cognito::inspector::{Inspection, Line, State, pasted_token};
use crate::config::Config;
use crate::db::Db;
use crate::db::migrations::Status;
use crate::server;

/// Reads a token from standard input, where no shell history keeps it, and prints a line for each check.
/// Fails if the token is refused.
pub fn run(config: &Config) -> Result<(), CommandError> {
    let mut input = String::new();
    // Far more than any token has.
    std::io::stdin().take(1 << 20).read_to_string(&mut input)?;
    let token = pasted_token(&input);
    refuse_unless_served(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (_, authenticator, _) = server::open(config)?;
        let inspection = authenticator.inspect(token).await?;
        print(&authenticator, &inspection);
        match inspection.outcome {
            Ok(_) => Ok(()),
            Err((_, refusal)) => Err(CommandError::new(format!("refused: {}", refusal.code()))),
        }
    })
}

/// To open a database brings it up to date, which must not happen by the way, beside a server that runs.
fn refuse_unless_served(config: &Config) -> Result<(), CommandError> {
    let url = &config.database;
    if url.is_missing() {
        return Err(CommandError::new(format!("there is no database at {url} yet; start the server once")));
    }
    match Db::migration_status(url).map_err(CommandError::new)? {
        Status { pending: 0, unknown: None, .. } => Ok(()),
        _ => Err(CommandError::new("the database is not that of this version; see check")),
    }
}

/// A token may come from anybody: nothing in it gets to control the terminal.
fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() && c != '\n' { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

fn print(authenticator: &Authenticator, inspection: &Inspection) {
    for (name, value) in [("header", &inspection.header), ("claims", &inspection.claims)] {
        match value {
            Some(value) => say!("{name} {}", printable(&format!("{value:#}"))),
            None => say!("{name} cannot be read"),
        }
    }
    for Line { check, state, text, accepted } in inspection.lines(authenticator) {
        let name = check.name();
        match state {
            State::Failed => say!("FAIL  {name:10} {text}"),
            State::NotReached => say!("-     {name:10} not reached"),
            State::Passed if text.is_empty() => say!("ok    {name}"),
            State::Passed => say!("ok    {name:10} {text}"),
        }
        if let Some(accepted) = accepted {
            say!("      {:10} accepted: {accepted}", "");
        }
    }
}
