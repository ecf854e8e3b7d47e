//! [`FieldErrors`]: what is wrong with the fields of a body or form.

use serde_json::{Value, json};

/// The key of errors that belong to no field, or to several.
pub const NON_FIELD_ERRORS: &str = "non_field_errors";

/// By field, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(pub Vec<(&'static str, Vec<String>)>);

impl FieldErrors {
    pub fn one(field: &'static str, message: impl Into<String>) -> FieldErrors {
        FieldErrors(vec![(field, vec![message.into()])])
    }

    pub fn add(&mut self, field: &'static str, messages: Vec<String>) {
        if !messages.is_empty() {
            self.0.push((field, messages));
        }
    }

    pub fn of(&self, field: &str) -> Vec<String> {
        self.0.iter().filter(|(known, _)| *known == field).flat_map(|(_, messages)| messages.clone()).collect()
    }

    /// Without their fields.
    pub fn messages(&self) -> Vec<&str> {
        self.0.iter().flat_map(|(_, messages)| messages).map(String::as_str).collect()
    }

    pub(super) fn to_json(&self) -> Value {
        self.0.iter().map(|(field, messages)| ((*field).to_owned(), json!(messages))).collect()
    }

    pub fn into_result(self) -> Result<(), FieldErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl std::error::Error for FieldErrors {}

impl std::fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<_> = self.0.iter().map(|(field, messages)| format!("{field}: {}", messages.join(" "))).collect();
        f.write_str(&lines.join("\n"))
    }
}
