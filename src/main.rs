//! The command line.
#![warn(clippy::expect_used, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gatepost::commands::{
    self, CommandError, backup, changepassword, check, check_token, copy_database, createsuperuser, health, migrate,
    openapi, serve, token,
};
use gatepost::config::{self, Basics, Config};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An articles API behind AWS Cognito. Settings come from the environment and from `.env`.
#[derive(Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve requests (what happens without a command)
    Serve,
    /// Apply pending migrations
    Migrate,
    /// Copy the SQLite database into a file while the server goes on
    Backup(backup::Arguments),
    /// Copy everything into another database that is empty, such as from SQLite to PostgreSQL
    CopyDatabase(copy_database::Arguments),
    /// Create a user who may do everything
    Createsuperuser(createsuperuser::Arguments),
    /// Set a user's password
    Changepassword(changepassword::Arguments),
    /// Verify configuration, database, migrations and the reach of the keys
    Check,
    /// Ask the server at BIND_ADDRESS whether it is there; for health checks of containers
    Health,
    /// Tell why a token is accepted or refused; reads it from standard input
    CheckToken,
    /// Print the OpenAPI document
    Openapi,
    /// Print a token of the local user pool (development mode)
    Token(token::Arguments),
}

fn main() -> ExitCode {
    let command = CommandLine::parse().command.unwrap_or(Command::Serve);
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => commands::fail(error),
    }
}

/// Commands that only work on the database ask for no more settings than that takes: a superuser can be
/// created before there is a user pool.
fn run(command: Command) -> Result<(), CommandError> {
    let variables = config::read_environment()?;
    let basics = Basics::from_variables(&variables)?;
    gatepost::server::logging::start(&basics);
    for name in config::unknown_variables() {
        log::warn!("{} is set, but there is no such setting: is it misspelt?", name.escape_debug());
    }
    match command {
        Command::Openapi => openapi::run(),
        Command::Migrate => migrate::run(&basics),
        Command::Backup(arguments) => backup::run(&basics, &arguments),
        Command::CopyDatabase(arguments) => copy_database::run(&arguments),
        Command::Createsuperuser(arguments) => createsuperuser::run(&basics, arguments),
        Command::Changepassword(arguments) => changepassword::run(&basics, &arguments),
        Command::Serve => serve::run(&Config::from_variables(&variables)?),
        Command::Health => health::run(config::bind_address(&variables)?),
        Command::Check => check::run(&Config::from_variables(&variables)?),
        Command::CheckToken => check_token::run(&Config::from_variables(&variables)?),
        Command::Token(arguments) => token::run(&Config::from_variables(&variables)?, arguments),
    }
}
