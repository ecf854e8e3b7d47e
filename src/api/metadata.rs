//! The body of OPTIONS, like Django REST framework's `SimpleMetadata`.

use serde_json::{Map, Value, json};

use super::endpoint::{Endpoint, SerializerField};
use super::parsers;
use crate::http::negotiation;
use crate::models::Kind;

impl Endpoint {
    pub fn metadata(&self) -> Value {
        let mut metadata = json!({
            "name": self.name,
            "description": "",
            "renders": negotiation::MEDIA_TYPES,
            "parses": parsers::MEDIA_TYPES,
        });
        if let Some((method, fields)) = &self.action {
            let id = json!({ "type": "integer", "required": false, "read_only": true, "label": "ID" });
            let fields = fields.iter().map(|field| (field.field.name.to_owned(), of_field(field)));
            let fields: Map<String, Value> = [("id".to_owned(), id)].into_iter().chain(fields).collect();
            metadata["actions"] = json!({ *method: fields });
        }
        metadata
    }
}

fn of_field(SerializerField { field, is_read_only }: &SerializerField) -> Value {
    let mut metadata = json!({
        "type": type_of(field.kind),
        "required": !is_read_only && field.is_required(),
        "read_only": is_read_only,
        "label": field.verbose_name(),
    });
    if !field.help_text.is_empty() {
        metadata["help_text"] = field.help_text.into();
    }
    match field.kind {
        Kind::Char(max_length) => metadata["max_length"] = max_length.into(),
        Kind::Choice(choices) => {
            let choice = |(value, name): &(&str, &str)| json!({ "value": value, "display_name": name });
            metadata["choices"] = choices.iter().map(choice).collect();
        }
        _ => {}
    }
    metadata
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Char(_) | Kind::Password => "string",
        Kind::Email => "email",
        Kind::Integer => "integer",
        Kind::Boolean => "boolean",
        Kind::DateTime => "datetime",
        Kind::Choice(_) => "choice",
        Kind::ForeignKey(_) | Kind::ManyToMany => "field",
    }
}
