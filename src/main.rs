//! The command line.
#![warn(clippy::expect_used, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gatepost::commands::{
    self, CommandError, backup, changepassword, check, check_token, copy_database, createsuperuser, health, import,
    import_django, migrate, openapi, resetsecondfactor, serve, sync, token,
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
    /// Serve requests (the default)
    Serve,
    /// Apply pending migrations
    Migrate,
    /// Back up the SQLite database to a file while the server keeps running
    Backup(backup::Arguments),
    /// Copy everything to another, empty database, for example from SQLite to PostgreSQL
    CopyDatabase(copy_database::Arguments),
    /// Import the rows of a CSV file, all or none
    Import(import::Arguments),
    /// Move in from a Django project
    ImportDjango(import_django::Arguments),
    /// Bring local users in step with the user pool: deactivate, activate, link, and give groups
    Sync(sync::Arguments),
    /// Create a superuser
    Createsuperuser(createsuperuser::Arguments),
    /// Set a user's password
    Changepassword(changepassword::Arguments),
    /// Remove a user's second factor
    Resetsecondfactor(resetsecondfactor::Arguments),
    /// Check the configuration, the database, the migrations and access to the keys
    Check,
    /// Check that the server at BIND_ADDRESS responds, for container health checks
    Health,
    /// Explain why a token is accepted or refused; reads it from standard input
    CheckToken,
    /// Print the OpenAPI document
    Openapi,
    /// Print a token of the local user pool (development mode)
    Token(token::Arguments),
}

fn main() -> ExitCode {
    let command = match CommandLine::try_parse() {
        Ok(line) => line.command.unwrap_or(Command::Serve),
        Err(answer) => return print(&answer),
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => commands::fail(&error),
    }
}

/// Prints the help, the version or what is wrong with the arguments.
fn print(answer: &clap::Error) -> ExitCode {
    match commands::seen(answer.print()) {
        Err(error) if !answer.use_stderr() => commands::fail(&error),
        _ => ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2)),
    }
}

/// Commands that only use the database need only its settings: a superuser can be created before the user pool.
fn run(command: Command) -> Result<(), CommandError> {
    let variables = config::read_environment()?;
    let basics = Basics::from_variables(&variables)?;
    gatepost::server::logging::start(&basics);
    for name in config::unknown_variables() {
        log::warn!("{} is set, but there is no such setting; is it misspelt?", name.escape_debug());
    }
    match command {
        Command::Openapi => openapi::run(),
        Command::Migrate => migrate::run(&basics),
        Command::Backup(arguments) => backup::run(&basics, &arguments),
        Command::CopyDatabase(arguments) => copy_database::run(&arguments),
        Command::Import(arguments) => import::run(&basics, &arguments),
        Command::ImportDjango(arguments) => import_django::run(&basics, arguments),
        Command::Createsuperuser(arguments) => createsuperuser::run(&basics, arguments),
        Command::Changepassword(arguments) => changepassword::run(&basics, &arguments),
        Command::Resetsecondfactor(arguments) => resetsecondfactor::run(&basics, &arguments),
        Command::Serve => serve::run(&Config::from_variables(&variables)?),
        Command::Health => health::run(config::bind_address(&variables)?),
        Command::Sync(arguments) => sync::run(&Config::from_variables(&variables)?, arguments),
        Command::Check => check::run(&Config::from_variables(&variables)?),
        Command::CheckToken => check_token::run(&Config::from_variables(&variables)?),
        Command::Token(arguments) => token::run(&Config::from_variables(&variables)?, arguments),
    }
}
