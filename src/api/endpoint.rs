//! [`Endpoint`]: what a path says of itself.

use serde_json::{Value, json};

use super::fields::CharField;
use super::parsers;
use crate::http::negotiation;

/// What is known of an address before anybody calls it.
pub struct Endpoint {
    /// The view's name for people; Django REST framework derives it from the class.
    pub name: &'static str,
    /// The address, with a slash at its end.
    pub path: &'static str,
    /// The value of `Allow`.
    pub allow: &'static str,
    /// The method that takes a body, and the fields it takes.
    pub action: Option<(&'static str, &'static [CharField])>,
    /// The address above this one.
    pub parent: Option<&'static Endpoint>,
    /// Whether the answers' objects have addresses of their own, which are their ids below this one.
    pub has_items: bool,
}

impl Endpoint {
    /// The answer to OPTIONS.
    pub(super) fn metadata(&self) -> Value {
        let mut metadata = json!({
            "name": self.name,
            "description": "",
            "renders": negotiation::MEDIA_TYPES,
            "parses": parsers::MEDIA_TYPES,
        });
        if let Some((method, fields)) = self.action {
            let id = json!({ "type": "integer", "required": false, "read_only": true, "label": "ID" });
            let fields = fields.iter().map(|field| (field.name.to_owned(), field.metadata()));
            let fields: Value = [("id".to_owned(), id)].into_iter().chain(fields).collect();
            metadata["actions"] = json!({ method: fields });
        }
        metadata
    }
}
