//! Gatepost's rules for a single value, with what is wrong with those that break them.

use chrono::NaiveDateTime;

use super::cell::Cell;
use super::staging::{NEW, REFUSED};
use crate::articles::models::ARTICLE;
use crate::models::Kind;
use crate::models::clean::strip;
use crate::users::{groups, validators};

/// What is wrong with a row.
#[derive(Default)]
pub struct Problems(pub Vec<(&'static str, String, String)>);

impl Problems {
    pub fn refuse(&mut self, code: impl Into<String>, text: impl Into<String>) {
        self.0.push(("refused", code.into(), text.into()));
    }

    pub fn change(&mut self, code: impl Into<String>, text: impl Into<String>) {
        self.0.push(("changed", code.into(), text.into()));
    }

    pub fn state(&self) -> i64 {
        if self.0.iter().any(|(outcome, ..)| *outcome == "refused") { REFUSED } else { NEW }
    }
}

pub fn key(key: &Cell, natural: Option<&str>, place: i64, problems: &mut Problems) -> String {
    match (key.key(), natural) {
        (Some(key), _) => key,
        (None, Some(natural)) => natural.to_owned(),
        (None, None) => {
            problems.refuse("id_invalid", "it has no usable primary key");
            format!("row {place}")
        }
    }
}

pub fn username(cell: &Cell, problems: &mut Problems) -> String {
    let Some(text) = cell.text() else {
        problems.refuse("username_not_text", "the username is not text");
        return String::new();
    };
    let name = validators::normalize_username(text);
    if name.is_empty() {
        problems.refuse("username_empty", "the username is empty");
    } else if name.contains('\0') {
        problems.refuse("username_nul", "the username has a NUL character");
    } else if !validators::has_username_characters(&name) {
        problems.refuse("username_rule", "the username has characters other than letters, digits and @ . + - _");
    }
    if name.chars().count() > validators::MAX_USERNAME_CHARS {
        problems.refuse("username_too_long", "the username is longer than 150 characters");
    }
    if name != text {
        problems.change("username_normalized", format!("the username becomes {}", name.escape_debug()));
    }
    name
}

pub fn email(cell: &Cell, problems: &mut Problems) -> String {
    match cell.text() {
        Some(text) if validators::email(text).is_empty() => text.to_owned(),
        _ => {
            if !cell.is_empty() {
                problems.change("email_invalid", "the e-mail address is not valid, so the user comes without it");
            }
            String::new()
        }
    }
}

pub fn person_name(cell: &Cell, field: &str, problems: &mut Problems) -> String {
    let label = field.replace('_', " ");
    match cell.text() {
        Some(text) if text.contains('\0') => {
            problems.refuse(format!("{field}_nul"), format!("the {label} has a NUL character"));
        }
        Some(text) if !validators::name(text).is_empty() => {
            problems.refuse(format!("{field}_too_long"), format!("the {label} is longer than 150 characters"));
        }
        Some(text) => return text.to_owned(),
        None if cell.is_empty() => {}
        None => problems.refuse(format!("{field}_not_text"), format!("the {label} is not text")),
    }
    String::new()
}

pub fn flag(cell: &Cell, field: &str, default: bool, problems: &mut Problems) -> bool {
    if *cell == Cell::Missing {
        return default;
    }
    cell.flag().unwrap_or_else(|| {
        problems.change(format!("{field}_unset"), format!("{field} is neither true nor false, and becomes false"));
        false
    })
}

pub fn invalid_time(field: &str, instead: &str, problems: &mut Problems) -> Option<NaiveDateTime> {
    problems.change(format!("{field}_invalid"), format!("{field} is not a time; {instead}"));
    None
}

pub fn group_name(cell: &Cell, problems: &mut Problems) -> String {
    let Some(text) = cell.text() else {
        problems.refuse("name_not_text", "the name is not text");
        return String::new();
    };
    let name = groups::normalize_name(strip(text));
    if name.is_empty() {
        problems.refuse("name_empty", "the name is empty");
    } else if name.contains('\0') {
        problems.refuse("name_nul", "the name has a NUL character");
    } else if !validators::name(&name).is_empty() {
        problems.refuse("name_too_long", "the name is longer than 150 characters");
    }
    if name != text {
        problems.change("name_normalized", format!("the name becomes {}", name.escape_debug()));
    }
    name
}

pub fn article_name(cell: &Cell, problems: &mut Problems) -> String {
    let most = match ARTICLE.field("name").map(|field| field.kind) {
        Some(Kind::Char(most)) => most,
        _ => usize::MAX,
    };
    match cell.text() {
        None => problems.refuse("name_not_text", "the name is not text"),
        Some(text) if text.contains('\0') => problems.refuse("name_nul", "the name has a NUL character"),
        Some(text) if text.chars().count() > most => {
            problems.refuse("name_too_long", format!("the name is longer than {most} characters"));
        }
        Some(_) => {}
    }
    cell.text().unwrap_or_default().to_owned()
}
