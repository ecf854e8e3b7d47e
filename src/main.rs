//! The command line.
#![warn(clippy::expect_used, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use gatepost::commands::{
    self, CommandError, Username, VERSION, backup, changepassword, check, check_token, completion, copy_database,
    createsuperuser, health, import, import_django, man, migrate, openapi, resetsecondfactor, serve, sync, token,
};
use gatepost::config::{self, Basics, Config};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A backend for teams that keep their users in AWS Cognito. Settings come from the environment and from .env.
#[derive(Parser)]
#[command(version = VERSION.as_str())]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Task(Task),
    #[command(flatten)]
    Description(Description),
}

#[derive(Subcommand)]
enum Task {
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
    Changepassword(Username),
    /// Remove a user's second factor
    Resetsecondfactor(Username),
    /// Check the configuration, the database, the migrations and access to the keys
    Check,
    /// Check that the server at BIND_ADDRESS responds, for container health checks
    Health,
    /// Explain why a token is accepted or refused; reads it from standard input
    CheckToken,
    /// Print a token of the local user pool (development mode)
    Token(token::Arguments),
}

/// Commands that describe the program, and need no settings.
#[derive(Subcommand)]
enum Description {
    /// Print the OpenAPI document
    Openapi,
    /// Print a script that completes commands in a shell
    Completion(completion::Arguments),
    /// Write the manual pages to a folder
    Man(man::Arguments),
}

fn main() -> ExitCode {
    let command = match CommandLine::try_parse() {
        Ok(line) => line.command.unwrap_or(Command::Task(Task::Serve)),
        Err(answer) => return print(&answer),
    };
    let outcome = match command {
        Command::Task(task) => run(task),
        Command::Description(description) => describe(description),
    };
    match outcome {
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

fn describe(description: Description) -> Result<(), CommandError> {
    match description {
        Description::Openapi => openapi::run(),
        Description::Completion(arguments) => completion::run(CommandLine::command(), &arguments),
        Description::Man(arguments) => man::run(CommandLine::command(), &arguments),
    }
}

/// Commands that only use the database need only its settings: a superuser can be created before the user pool.
fn run(task: Task) -> Result<(), CommandError> {
    let variables = config::read_environment()?;
    let basics = Basics::from_variables(&variables)?;
    gatepost::server::logging::start(&basics);
    for name in config::unknown_variables() {
        log::warn!("{} is set, but there is no such setting; is it misspelt?", name.escape_debug());
    }
    match task {
        Task::Migrate => migrate::run(&basics),
        Task::Backup(arguments) => backup::run(&basics, &arguments),
        Task::CopyDatabase(arguments) => copy_database::run(&arguments),
        Task::Import(arguments) => import::run(&basics, &arguments),
        Task::ImportDjango(arguments) => import_django::run(&basics, arguments),
        Task::Createsuperuser(arguments) => createsuperuser::run(&basics, arguments),
        Task::Changepassword(username) => changepassword::run(&basics, &username),
        Task::Resetsecondfactor(username) => resetsecondfactor::run(&basics, &username),
        Task::Serve => serve::run(&Config::from_variables(&variables)?),
        Task::Health => health::run(&config::bind_address(&variables)?),
        Task::Sync(arguments) => sync::run(&Config::from_variables(&variables)?, arguments),
        Task::Check => check::run(&Config::from_variables(&variables)?),
        Task::CheckToken => check_token::run(&Config::from_variables(&variables)?),
        Task::Token(arguments) => token::run(&Config::from_variables(&variables)?, arguments),
    }
}
