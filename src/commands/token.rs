//! `token`: prints a token of the local user pool for testing.

use clap::Args;

use super::output::{CommandError, say};
use crate::cognito::local_pool::TokenRequest;
use crate::config::Config;
use crate::server::open_local_pool;
use crate::users::validators;

#[derive(Args)]
pub struct Arguments {
    /// The user's e-mail address; any address works
    email: String,
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
}

pub fn run(config: &Config, arguments: Arguments) -> Result<(), CommandError> {
    let pool = open_local_pool(config)?.ok_or_else(|| {
        CommandError::new("this command works only with the local user pool; your tokens come from Cognito")
    })?;
    if let Some(problem) = validators::email(&arguments.email).first() {
        return Err(CommandError::new(problem));
    }
    let token = pool.token(&TokenRequest {
        verified: !arguments.unverified,
        access: arguments.access,
        expires_in: arguments.expires_in,
        groups: arguments.groups,
        ..TokenRequest::new(arguments.email)
    })?;
    say!("{token}")?;
    Ok(())
}
