//! [`Endpoint`]: the description of a URL.

use crate::models::Field;

/// The description of a URL, for OPTIONS and the browsable API.
pub struct Endpoint {
    /// The view's display name. Django REST framework derives it from the class.
    pub name: String,
    /// The path, with a trailing slash.
    pub path: String,
    /// The value of `Allow`.
    pub allow: &'static str,
    /// The method that takes a body, and its fields.
    pub action: Option<(&'static str, Vec<SerializerField>)>,
    /// The parent URL.
    pub parent: Option<Parent>,
    /// Whether the objects have URLs of their own: their ids below this URL.
    pub has_items: bool,
}

/// A field of the objects at a URL.
#[derive(Clone, Copy)]
pub struct SerializerField {
    /// The field.
    pub field: &'static Field,
    /// Whether it cannot be set.
    pub is_read_only: bool,
}

/// A parent URL.
pub struct Parent {
    /// Its view's name.
    pub name: String,
    /// Its path.
    pub path: String,
}
