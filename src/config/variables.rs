//! Environment variables and `.env`.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::SETTINGS;

#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    pub name: &'static str,
    /// What is wrong, and how to fix it.
    pub problem: String,
}

pub(super) fn fail<T>(name: &'static str, problem: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError { name, problem: problem.into() })
}

/// An empty value counts as unset.
pub(super) struct Variables<'a>(pub(super) &'a HashMap<String, String>);

impl Variables<'_> {
    pub(super) fn get(&self, name: &'static str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(super) fn list(&self, name: &'static str) -> Vec<String> {
        let items = self.get(name).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn optional<T, E: fmt::Display>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        parse(value).map(Some).or_else(|problem| fail(name, format!("`{}` {problem}", value.escape_debug())))
    }

    pub(super) fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&str, T)],
        default: T,
    ) -> Result<T, ConfigError> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, choice)) => Ok(*choice),
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
                fail(name, format!("`{}` is not one of {}", value.escape_debug(), words.join(", ")))
            }
        }
    }

    pub(super) fn flag(&self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        self.choice(name, &[("true", true), ("false", false), ("1", true), ("0", false)], default)
    }

    pub(super) fn number(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, ConfigError> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match value.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => fail(
                name,
                format!("`{}` is not a whole number from {} to {}", value.escape_debug(), range.start(), range.end()),
            ),
        }
    }

    pub(super) fn seconds(&self, name: &'static str, least: u64, default: u64) -> Result<Duration, ConfigError> {
        // At most a year: no longer period makes sense.
        self.number(name, least..=31_536_000, default).map(Duration::from_secs)
    }
}

/// `.env` in the working directory adds missing variables. An empty variable hides the one in `.env`.
pub fn read_environment() -> Result<HashMap<String, String>, ConfigError> {
    // dotenvy's default would search all parent folders and might find an unrelated file.
    match dotenvy::from_path(".env") {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(dotenvy::Error::LineParse(_, at)) => {
            return fail(".env", format!("a line cannot be parsed, near character {at}"));
        }
        Err(error) => return fail(".env", error.to_string()),
    }
    let mut variables = HashMap::new();
    for setting in SETTINGS {
        match std::env::var(setting.name) {
            Ok(value) => drop(variables.insert(setting.name.to_owned(), value)),
            Err(std::env::VarError::NotPresent) => {}
            Err(std::env::VarError::NotUnicode(_)) => return fail(setting.name, "is not UTF-8"),
        }
    }
    Ok(variables)
}

/// These are probably misspelt, so an intended restriction may be missing.
pub fn unknown_variables() -> Vec<String> {
    const PREFIXES: [&str; 7] =
        ["COGNITO_", "AWS_USER_POOL", "AWS_APP_CLIENT", "POST_CONFIRMATION", "RATE_LIMIT", "TRUSTED_PROX", "METRICS_"];
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let mut unknown: Vec<String> = names
        .filter(|name| PREFIXES.iter().any(|prefix| name.to_ascii_uppercase().starts_with(prefix)))
        .filter(|name| !SETTINGS.iter().any(|setting| setting.name == name))
        .collect();
    unknown.sort();
    unknown
}
