//! [`Endpoint`]: what a URL says of itself.

use crate::models::Field;

/// What is known of a URL before anybody calls it.
pub struct Endpoint {
    /// The view's name for people; Django REST framework derives it from the class.
    pub name: String,
    /// The path, with a slash at its end.
    pub path: String,
    /// The value of `Allow`.
    pub allow: &'static str,
    /// The method that takes a body, and the fields that are shown or taken.
    pub action: Option<(&'static str, Vec<SerializerField>)>,
    /// The URL above this one.
    pub parent: Option<Parent>,
    /// Whether the answers' objects have URLs of their own, which are their ids below this one.
    pub has_items: bool,
}

/// A field of the objects at a URL.
#[derive(Clone, Copy)]
pub struct SerializerField {
    /// The field.
    pub field: &'static Field,
    /// Whether it is shown and cannot be set.
    pub is_read_only: bool,
}

/// The URL above another one.
pub struct Parent {
    /// Its view's name.
    pub name: String,
    /// Its path.
    pub path: String,
}
