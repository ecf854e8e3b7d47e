//! Django REST framework's fields: what a body's members may be, and the messages when they are not.

use std::collections::HashMap;

use serde_json::{Value, json};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::error::FieldErrors;

/// A member of a body, as far as a field can tell its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A text.
    Text {
        /// The text; surrogates without a partner are replaced in it, each by U+FFFD.
        text: String,
        /// The first surrogate without a partner, which JSON can carry and UTF-8 cannot.
        surrogate: Option<u16>,
    },
    /// A number, written as Python writes it.
    Number(String),
    /// `null`.
    Null,
    /// Anything that is no text: a boolean, a list, an object, a file.
    Other,
}

impl Input {
    /// A plain text.
    pub fn text(text: impl Into<String>) -> Input {
        Input::Text { text: text.into(), surrogate: None }
    }
}

/// The members of a body by name.
pub type Data = HashMap<String, Input>;

/// A text field.
pub struct CharField {
    /// The member's name.
    pub name: &'static str,
    /// The name for people.
    pub label: &'static str,
    /// The greatest length, in characters.
    pub max_length: usize,
}

impl CharField {
    /// The field's value, stripped of white space. `Ok(None)` where it may be left out and is.
    pub fn clean(&self, data: &Data, may_be_left_out: bool) -> Result<Option<String>, FieldErrors> {
        let fail = |message: &str| Err(FieldErrors::one(self.name, message));
        let (text, surrogate) = match data.get(self.name) {
            None if may_be_left_out => return Ok(None),
            None => return fail("This field is required."),
            Some(Input::Null) => return fail("This field may not be null."),
            Some(Input::Other) => return fail("Not a valid string."),
            Some(Input::Number(text)) => (text, None),
            Some(Input::Text { text, surrogate }) => (text, *surrogate),
        };
        // Python's strip() also takes the four separators U+001C to U+001F.
        let text = text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c));
        if text.is_empty() {
            return fail("This field may not be blank.");
        }
        let mut errors = Vec::new();
        if text.chars().count() > self.max_length {
            errors.push(format!("Ensure this field has no more than {} characters.", self.max_length));
        }
        if text.contains('\0') {
            errors.push("Null characters are not allowed.".to_owned());
        }
        if let Some(surrogate) = surrogate {
            errors.push(format!("Surrogate characters are not allowed: U+{surrogate:X}."));
        }
        let mut field_errors = FieldErrors::default();
        field_errors.add(self.name, errors);
        field_errors.into_result().map(|()| Some(text.to_owned()))
    }

    /// [`CharField::clean`] for a body that must have the field.
    pub fn clean_required(&self, data: &Data) -> Result<String, FieldErrors> {
        self.clean(data, false).map(Option::unwrap_or_default)
    }

    /// [`CharField::clean`] for a text from elsewhere than a body.
    pub fn clean_text(&self, text: &str) -> Result<String, FieldErrors> {
        self.clean_required(&Data::from([(self.name.to_owned(), Input::text(text))]))
    }

    /// What OPTIONS says of the field.
    pub fn metadata(&self) -> Value {
        json!({ "type": "string", "required": true, "read_only": false, "label": self.label, "max_length": self.max_length })
    }

    /// What the OpenAPI document says of the field. That numbers are taken for texts, as Django REST framework
    /// does, is a tolerance and no promise.
    fn schema(&self) -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .title(Some(self.label))
            .description(Some("White space around it is removed; it may hold no U+0000."))
            .min_length(Some(1))
            .max_length(Some(self.max_length))
            // Something that is no white space, as Python sees it; `\s` leaves U+0085 and the separators out.
            .pattern(Some(r"[^\s\x1c-\x1f\x85]"))
            .build()
    }
}

/// The schema of a body with these fields, all of which are required or none.
pub fn body_schema(fields: &[CharField], are_required: bool) -> Object {
    fields
        .iter()
        .fold(ObjectBuilder::new().schema_type(Type::Object), |object, field| {
            let object = object.property(field.name, field.schema());
            if are_required { object.required(field.name) } else { object }
        })
        .build()
}
