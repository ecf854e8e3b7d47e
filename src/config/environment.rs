//! The environment of the process, and `.env`.

use std::collections::HashMap;
use std::env::VarError;
use std::path::Path;

use super::variables::{ConfigError, fail};
use super::{SECRETS, SETTINGS, env_file, secret_files};
use crate::aws;

/// Reads the environment, and `.env` in the working directory for variables that the environment lacks. An empty
/// variable hides the one in `.env`. Secrets may be in files.
pub fn read_environment() -> Result<HashMap<String, String>, ConfigError> {
    // No other folder is searched: it could have an unrelated file.
    env_file::load(Path::new(".env"))?;
    let mut variables = HashMap::new();
    let settings = SETTINGS.iter().map(|setting| setting.name);
    let files = SECRETS.iter().map(|secret| secret.file);
    for name in settings.chain(files).chain(aws::VARIABLES) {
        variables.extend(variable(name)?.map(|value| (name.to_owned(), value)));
    }
    secret_files::resolve(&mut variables)?;
    Ok(variables)
}

pub(super) fn variable(name: &'static str) -> Result<Option<String>, ConfigError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => fail(name, "is not UTF-8"),
    }
}

/// Variables that look like settings but are not. They are probably misspelt, so an intended restriction may be
/// missing.
pub fn unknown_variables() -> Vec<String> {
    const PREFIXES: [&str; 8] = [
        "COGNITO_",
        "AWS_USER_POOL",
        "AWS_APP_CLIENT",
        "POST_CONFIRMATION",
        "USER_MIGRATION",
        "RATE_LIMIT",
        "TRUSTED_PROX",
        "METRICS_",
    ];
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let resembles = |name: &str| SETTINGS.iter().any(|setting| strsim::damerau_levenshtein(setting.name, name) <= 2);
    let mut unknown: Vec<String> = names
        .filter(|name| {
            let name = name.to_ascii_uppercase();
            PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || resembles(&name)
        })
        .filter(|name| !SETTINGS.iter().any(|setting| setting.name == name))
        .filter(|name| !SECRETS.iter().any(|secret| secret.file == name))
        .collect();
    unknown.sort();
    unknown
}
