//! The brake: how many users a sync may change.

use std::fmt;
use std::str::FromStr;

/// What a percentage always allows: of few users, one is already many percent.
const AT_LEAST: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxChanges {
    /// Of the linked users.
    Percent(u8),
    Users(usize),
}

impl Default for MaxChanges {
    fn default() -> MaxChanges {
        MaxChanges::Percent(10)
    }
}

impl MaxChanges {
    pub fn of(self, linked: usize) -> usize {
        match self {
            MaxChanges::Percent(percent) => (linked * usize::from(percent) / 100).max(AT_LEAST),
            MaxChanges::Users(users) => users,
        }
    }
}

impl FromStr for MaxChanges {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<MaxChanges, &'static str> {
        let malformed = "is neither a number of users nor a percentage from `1%` to `100%`";
        // `parse` would take a plus sign.
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        match text.strip_suffix('%') {
            Some(percent) => match digits(percent) {
                Some(percent @ 1..=100) => Ok(MaxChanges::Percent(percent as u8)),
                _ => Err(malformed),
            },
            None => digits(text).map(MaxChanges::Users).ok_or(malformed),
        }
    }
}

impl fmt::Display for MaxChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaxChanges::Percent(percent) => write!(f, "{percent}%"),
            MaxChanges::Users(users) => write!(f, "{users}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_rounds_down_and_always_allows_a_few() {
        for (text, linked, most) in [
            ("10%", 0, 5),
            ("10%", 59, 5),
            ("10%", 60, 6),
            ("10%", 69, 6),
            ("100%", 1000, 1000),
            ("0", 1000, 0),
            ("7", 1, 7),
        ] {
            let limit: MaxChanges = text.parse().expect(text);
            assert_eq!((limit.of(linked), limit.to_string().as_str()), (most, text), "{text} of {linked}");
        }
    }

    #[test]
    fn what_is_neither_number_nor_percentage_is_refused() {
        for text in ["", "%", "0%", "101%", "10 %", "-1", "+5", "1.5", "1.5%", "ten", "99999999999999999999999"] {
            assert!(text.parse::<MaxChanges>().is_err(), "{text}");
        }
    }
}
