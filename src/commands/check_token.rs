//! `check-token`: explains why a token is accepted or refused.

use std::io::Read;

use super::output::{CommandError, printable, say};
use crate::cognito::Authenticator;
use crate::cognito::inspector::{Inspection, Line, State, pasted_token};
use crate::config::Config;
use crate::db::Db;
use crate::db::migrations::Status;
use crate::server;

/// Reads the token from standard input, so that it is not in the shell history.
pub fn run(config: &Config) -> Result<(), CommandError> {
    let mut input = String::new();
    // Far more than the size of any token.
    std::io::stdin().take(1 << 20).read_to_string(&mut input)?;
    let token = pasted_token(&input);
    refuse_unless_served(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (_, authenticator, _) = server::open(config)?;
        let inspection = authenticator.inspect(token).await?;
        print(&authenticator, &inspection)?;
        match inspection.refusal() {
            None => Ok(()),
            Some(refusal) => Err(CommandError::new(format!("refused: {}", refusal.code()))),
        }
    })
}

/// Opening the database would apply migrations, which must not happen while a server is running.
pub(super) fn refuse_unless_served(config: &Config) -> Result<(), CommandError> {
    let url = &config.database;
    if url.is_missing() {
        return Err(CommandError::new(format!("the database {url} does not exist yet; start the server once")));
    }
    match Db::migration_status(url).map_err(CommandError::new)? {
        Status { pending: 0, unknown: None, .. } => Ok(()),
        _ => Err(CommandError::new("the migrations of the database and this version differ; run check")),
    }
}

fn print(authenticator: &Authenticator, inspection: &Inspection) -> Result<(), CommandError> {
    for (name, value) in [("header", &inspection.header), ("claims", &inspection.claims)] {
        match value {
            Some(value) => {
                let lines: Vec<String> = format!("{value:#}").lines().map(printable).collect();
                say!("{name} {}", lines.join("\n"))?;
            }
            None => say!("{name} cannot be decoded")?,
        }
    }
    for Line { name, state, text, accepted, .. } in inspection.lines(authenticator) {
        match state {
            State::Failed => say!("FAIL  {name:10} {text}")?,
            State::NotReached => say!("-     {name:10} not reached")?,
            State::Passed if text.is_empty() => say!("ok    {name}")?,
            State::Passed => say!("ok    {name:10} {text}")?,
        }
        if let Some(accepted) = accepted {
            say!("      {:10} accepted: {accepted}", "")?;
        }
    }
    for (name, gives) in &inspection.groups {
        say!("      {:10} {} gives {gives}", "group", printable(name))?;
    }
    Ok(())
}
