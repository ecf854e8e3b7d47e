//! `token`: a token of the local user pool, to try things out with.

use clap::Args;

use super::output::{CommandError, say};
use crate::cognito::local_pool::TokenRequest;
use crate::config::Config;
use crate::server::open_local_pool;
use crate::users::validators;

/// What is said on the command line.
#[derive(Args)]
pub struct Arguments {
    /// Whose token: any e-mail address
    email: String,
    /// An access token in place of an ID token
    #[arg(long)]
    access: bool,
    /// Seconds until it expires; negative for one that has expired (of which COGNITO_LEEWAY_SECONDS are tolerated)
    #[arg(long, default_value_t = 3600, allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-31_536_000..=31_536_000))]
    expires_in: i64,
    /// A group (`cognito:groups`); may be given several times
    #[arg(long = "group")]
    groups: Vec<String>,
    /// The e-mail is not verified
    #[arg(long)]
    unverified: bool,
}

/// Prints the token and nothing else.
pub fn run(config: &Config, arguments: Arguments) -> Result<(), CommandError> {
    let pool = open_local_pool(config)?
        .ok_or_else(|| CommandError::new("tokens are printed for the local user pool only; yours come from Cognito"))?;
    if let Some(problem) = validators::email(&arguments.email).first() {
        return Err(CommandError::new(problem));
    }
    let token = pool.token(&TokenRequest {
        email: arguments.email,
        verified: !arguments.unverified,
        access: arguments.access,
        expires_in: arguments.expires_in,
        groups: arguments.groups,
    })?;
    say!("{token}");
    Ok(())
}
