//! `token`: prints a token of the local user pool for testing.

use clap::Args;

use super::output::{CommandError, say};
use crate::cognito::local_pool::{LocalPool, TokenRequest};
use crate::config::Config;
use crate::server::open_local_pool;
use crate::users::service_accounts::client_id_problems;
use crate::users::validators;

#[derive(Args)]
pub struct Arguments {
    /// The user's e-mail address; any address works
    #[arg(required_unless_present = "client")]
    email: Option<String>,
    /// Print an access token instead of an ID token
    #[arg(long)]
    access: bool,
    /// Seconds until the token expires; negative for an expired token (COGNITO_LEEWAY_SECONDS are tolerated)
    #[arg(long, default_value_t = 3600, allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-31_536_000..=31_536_000))]
    expires_in: i64,
    /// A group for `cognito:groups`; can be repeated
    #[arg(long = "group")]
    groups: Vec<String>,
    /// Mark the e-mail as not verified
    #[arg(long)]
    unverified: bool,
    /// Print a token of this machine client (client credentials) instead of a user's
    #[arg(long, value_name = "CLIENT_ID", conflicts_with_all = ["email", "access", "groups", "unverified"])]
    client: Option<String>,
    /// A scope of the machine client; can be repeated (default: those to read and to write)
    #[arg(long = "scope", requires = "client", conflicts_with = "email")]
    scopes: Vec<String>,
}

pub fn run(config: &Config, arguments: Arguments) -> Result<(), CommandError> {
    let is_new = !config.local_pool_keys().exists();
    let pool = open_local_pool(config)?.ok_or_else(|| {
        CommandError::new("this command works only with the local user pool; your tokens come from Cognito")
    })?;
    if is_new {
        log::warn!("there was no local user pool here, so the token is of a new one; a server elsewhere refuses it");
    }
    let token = match &arguments.client {
        Some(client_id) => machine_token(config, &pool, client_id, &arguments)?,
        None => user_token(&pool, arguments)?,
    };
    say!("{token}")
}

fn user_token(pool: &LocalPool, arguments: Arguments) -> Result<String, CommandError> {
    let email = arguments.email.unwrap_or_default();
    refuse_if_any(&validators::email(&email))?;
    Ok(pool.token(&TokenRequest {
        verified: !arguments.unverified,
        access: arguments.access,
        expires_in: arguments.expires_in,
        groups: arguments.groups,
        ..TokenRequest::new(email)
    })?)
}

fn machine_token(
    config: &Config,
    pool: &LocalPool,
    client_id: &str,
    arguments: &Arguments,
) -> Result<String, CommandError> {
    refuse_if_any(&client_id_problems(client_id))?;
    let all = || config.resource_server.iter().flat_map(|server| [server.read_scope(), server.write_scope()]).collect();
    let scopes: Vec<String> = if arguments.scopes.is_empty() { all() } else { arguments.scopes.clone() };
    Ok(pool.machine_token(client_id, &scopes.join(" "), arguments.expires_in)?)
}

fn refuse_if_any(problems: &[String]) -> Result<(), CommandError> {
    problems.first().map_or(Ok(()), |problem| Err(CommandError::new(problem)))
}
