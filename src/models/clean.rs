//! Validates input as Django REST framework's fields do, with the same messages.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};

use super::email::is_valid;
use super::model::{Field, Kind};
use super::value::Value;
use crate::error::FieldErrors;

/// Digits of a number sent as text.
const MAX_DIGITS: usize = 1_000;
const WRONG_TIME: &str = "Datetime has wrong format. Use one of these formats instead: \
                          YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";

#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Text {
        /// The text, with each unpaired surrogate replaced by U+FFFD.
        text: String,
        /// The first unpaired surrogate. JSON can contain one, UTF-8 cannot.
        surrogate: Option<u16>,
    },
    /// A number in Python's notation.
    Number(String),
    Boolean(bool),
    Null,
    /// A list, an object or a file.
    Other,
}

impl Input {
    pub fn text(text: impl Into<String>) -> Input {
        Input::Text { text: text.into(), surrogate: None }
    }

    /// The name of the value's Python type.
    fn kind(&self) -> &'static str {
        match self {
            Input::Text { .. } => "str",
            Input::Number(number) if number.contains(['.', 'e']) => "float",
            Input::Number(_) => "int",
            Input::Boolean(_) => "bool",
            Input::Null => "NoneType",
            Input::Other => "dict",
        }
    }
}

pub type Data = HashMap<String, Input>;

/// The fields that a caller sets, with valid values. Whether foreign keys exist has not been checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CleanedData(Vec<(&'static str, Value)>);

impl CleanedData {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// With `is_partial`, missing fields are not errors and stay unchanged. Returns the errors of all fields.
pub fn clean(
    fields: impl IntoIterator<Item = &'static Field>,
    data: &Data,
    is_partial: bool,
) -> Result<CleanedData, FieldErrors> {
    let (mut cleaned, mut errors) = (CleanedData::default(), FieldErrors::default());
    for field in fields {
        match field.clean(data.get(field.name), is_partial) {
            Ok(Some(value)) => cleaned.0.push((field.name, value)),
            Ok(None) => {}
            Err(messages) => errors.add(field.name, messages),
        }
    }
    errors.into_result().map(|()| cleaned)
}

impl Field {
    /// `Ok(None)` if the value is missing and may be.
    pub fn clean(&self, input: Option<&Input>, is_partial: bool) -> Result<Option<Value>, Vec<String>> {
        let Some(input) = input else {
            let may_be_left_out = is_partial || !self.is_required();
            return if may_be_left_out { Ok(None) } else { fail("This field is required.") };
        };
        let is_empty = matches!(input, Input::Text { text, .. } if text.is_empty());
        if *input == Input::Null || (is_empty && self.is_null && !self.is_text()) {
            return if self.is_null { Ok(Some(Value::Null)) } else { fail("This field may not be null.") };
        }
        self.clean_value(input).map(Some)
    }

    fn clean_value(&self, input: &Input) -> Result<Value, Vec<String>> {
        match self.kind {
            Kind::Char(max_length) => char(input, max_length, self.is_blank).map(Value::Text),
            Kind::Email => email(input, self.is_blank).map(Value::Text),
            Kind::Integer => integer(input).map(Value::Integer),
            Kind::Boolean => boolean(input).map(Value::Boolean),
            Kind::DateTime => datetime(input).map(Value::DateTime),
            Kind::Choice(choices) => choice(input, choices).map(Value::Text),
            Kind::ForeignKey(_) => primary_key(input).map(Value::Integer),
            Kind::ManyToMany | Kind::Password => fail("Not a valid value."),
        }
    }
}

/// The greatest length of an e-mail address (RFC 5321, section 4.5.3.1.3, as errata 1690 reads it).
pub const MAX_EMAIL_CHARS: usize = 254;

fn fail<T>(message: impl Into<String>) -> Result<T, Vec<String>> {
    Err(vec![message.into()])
}

/// Trims white space as Python's `strip()` does, including the separators U+001C to U+001F.
pub fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

fn char(input: &Input, max_length: usize, is_blank: bool) -> Result<String, Vec<String>> {
    let (text, surrogate) = match input {
        Input::Number(text) => (text, None),
        Input::Text { text, surrogate } => (text, *surrogate),
        Input::Boolean(_) | Input::Null | Input::Other => return fail("Not a valid string."),
    };
    let text = strip(text);
    if text.is_empty() && !is_blank {
        return fail("This field may not be blank.");
    }
    let mut errors = Vec::new();
    if text.chars().count() > max_length {
        errors.push(format!("Ensure this field has no more than {max_length} characters."));
    }
    if text.contains('\0') {
        errors.push("Null characters are not allowed.".to_owned());
    }
    if let Some(surrogate) = surrogate {
        errors.push(format!("Surrogate characters are not allowed: U+{surrogate:X}."));
    }
    if errors.is_empty() { Ok(text.to_owned()) } else { Err(errors) }
}

fn email(input: &Input, is_blank: bool) -> Result<String, Vec<String>> {
    let email = char(input, MAX_EMAIL_CHARS, is_blank)?;
    if email.is_empty() || is_valid(&email) { Ok(email) } else { fail("Enter a valid email address.") }
}

fn integer(input: &Input) -> Result<i64, Vec<String>> {
    let text = match input {
        // Django REST framework accepts 5.0 as 5.
        Input::Number(text) => text.strip_suffix(".0").unwrap_or(text),
        Input::Text { text, .. } => strip(text),
        Input::Boolean(_) | Input::Null | Input::Other => return fail("A valid integer is required."),
    };
    if text.len() > MAX_DIGITS {
        return fail("String value too large.");
    }
    text.parse().map_err(|error: std::num::ParseIntError| {
        vec![match error.kind() {
            std::num::IntErrorKind::PosOverflow => {
                format!("Ensure this value is less than or equal to {}.", i64::MAX)
            }
            std::num::IntErrorKind::NegOverflow => {
                format!("Ensure this value is greater than or equal to {}.", i64::MIN)
            }
            _ => "A valid integer is required.".to_owned(),
        }]
    })
}

/// Accepts the boolean words of Django REST framework.
fn boolean(input: &Input) -> Result<bool, Vec<String>> {
    let text = match input {
        Input::Boolean(flag) => return Ok(*flag),
        Input::Text { text, .. } => strip(text),
        Input::Number(text) => text.as_str(),
        Input::Null | Input::Other => "",
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" | "1.0" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" | "0.0" => Ok(false),
        _ => fail("Must be a valid boolean."),
    }
}

/// Parses an ISO 8601 time, in UTC if it has no offset. Truncates to microseconds, which is what PostgreSQL stores.
fn datetime(input: &Input) -> Result<NaiveDateTime, Vec<String>> {
    let Input::Text { text, .. } = input else { return fail(WRONG_TIME) };
    parse_datetime(strip(text)).map(|time| time.trunc_subsecs(6)).ok_or_else(|| vec![WRONG_TIME.to_owned()])
}

pub(super) fn parse_datetime(text: &str) -> Option<NaiveDateTime> {
    // A year with more than four digits is a typing error, and the databases treat it differently.
    if !text.is_ascii() || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let text = text.replacen(' ', "T", 1);
    let zoned = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let in_utc = |time: DateTime<_>| time.with_timezone(&Utc).naive_utc();
    let zoned = zoned.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok()).map(in_utc);
    let time = zoned.or_else(|| naive.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok()))?;
    let year = chrono::Datelike::year(&time);
    (1..=9999).contains(&year).then_some(time)
}

fn choice(input: &Input, choices: &[(&str, &str)]) -> Result<String, Vec<String>> {
    let text = match input {
        Input::Text { text, .. } | Input::Number(text) => text.as_str(),
        Input::Boolean(true) => "True",
        Input::Boolean(false) => "False",
        Input::Null | Input::Other => return fail("Not a valid choice."),
    };
    match choices.iter().find(|(value, _)| *value == text) {
        Some((value, _)) => Ok((*value).to_owned()),
        None => fail(format!("\"{text}\" is not a valid choice.")),
    }
}

fn primary_key(input: &Input) -> Result<i64, Vec<String>> {
    let (Input::Number(text) | Input::Text { text, .. }) = input else {
        return fail(format!("Incorrect type. Expected pk value, received {}.", input.kind()));
    };
    match strip(text).parse() {
        Ok(id) => Ok(id),
        Err(_) if text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty() => fail(no_such_key(text)),
        Err(_) => fail(format!("Incorrect type. Expected pk value, received {}.", input.kind())),
    }
}

pub(super) fn no_such_key(key: impl std::fmt::Display) -> String {
    format!("Invalid pk \"{key}\" - object does not exist.")
}
