//! [`Variables`]: gives the values of settings their types, and refuses those that are wrong.

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
pub(super) struct Variables<'a>(&'a HashMap<String, String>);

/// Refuses a value that is used as it is, without its blanks being cut, if it has something in it by mistake. A password
/// may have a quotation mark at one end.
pub(super) fn refuse_stray(name: &'static str, value: &str) -> Result<(), ConfigError> {
    if value.trim() != value {
        return fail(name, "begins or ends with a blank, which would be part of the value");
    }
    if value.starts_with(QUOTATION_MARKS) && value.ends_with(QUOTATION_MARKS) {
        return fail(name, QUOTED);
    }
    invisible(value).map_or(Ok(()), |problem| fail(name, problem))
}

/// What is in a setting by mistake. The message does not repeat the value, which may be secret.
fn stray(value: &str) -> Option<String> {
    let is_quoted = value.starts_with(QUOTATION_MARKS) || value.ends_with(QUOTATION_MARKS);
    if is_quoted { Some(QUOTED.to_owned()) } else { invisible(value) }
}

fn invisible(value: &str) -> Option<String> {
    let is_invisible = |c: &char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
    };
    let found = value.chars().find(is_invisible)?;
    Some(format!("has an invisible character, U+{:04X}", u32::from(found)))
}

/// `docker run --env-file` keeps the quotation marks that other readers of such files take off.
const QUOTED: &str = "begins or ends with a quotation mark, which would be part of the value; leave it out";
const QUOTATION_MARKS: [char; 9] = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}'];

impl Variables<'_> {
    /// Refuses values with characters that nobody means: such a value would be another one than it seems.
    pub(super) fn checked(values: &HashMap<String, String>) -> Result<Variables<'_>, ConfigError> {
        for setting in SETTINGS {
            if let Some(problem) = values.get(setting.name).and_then(|value| stray(value.trim())) {
                return fail(setting.name, problem);
            }
        }
        Ok(Variables(values))
    }

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
