//! The command line.
#![warn(clippy::expect_used, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gatepost::commands::{self, changepassword, check, createsuperuser, migrate, serve, token};
use gatepost::config::Config;

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
    /// Create a user who may do everything
    Createsuperuser(createsuperuser::Arguments),
    /// Set a user's password
    Changepassword(changepassword::Arguments),
    /// Verify configuration, database, migrations and the reach of the keys
    Check,
    /// Print a token of the local user pool (development mode)
    Token(token::Arguments),
}

fn main() -> ExitCode {
    let command = CommandLine::parse().command.unwrap_or(Command::Serve);
    gatepost::install_crypto();
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => return commands::fail(error),
    };
    gatepost::logging::start(&config);
    let outcome = match command {
        Command::Serve => serve::run(&config),
        Command::Migrate => migrate::run(&config),
        Command::Createsuperuser(arguments) => createsuperuser::run(&config, arguments),
        Command::Changepassword(arguments) => changepassword::run(&config, &arguments),
        Command::Check => check::run(&config),
        Command::Token(arguments) => token::run(&config, arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => commands::fail(error),
    }
}
