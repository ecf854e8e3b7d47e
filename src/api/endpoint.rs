//! [`Endpoint`]: the description of a URL, for OPTIONS and the browsable API.

use crate::models::Field;

pub struct Endpoint {
    pub name: String,
    /// With a trailing slash.
    pub path: String,
    pub allow: &'static str,
    /// The method that takes a body, and its fields.
    pub action: Option<(&'static str, Vec<SerializerField>)>,
    pub parent: Option<Parent>,
    /// Whether the objects have URLs of their own: their ids below this path.
    pub has_items: bool,
}

#[derive(Clone, Copy)]
pub struct SerializerField {
    pub field: &'static Field,
    pub is_read_only: bool,
}

pub struct Parent {
    pub name: String,
    pub path: String,
}
