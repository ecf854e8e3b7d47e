//! The `articles` table.

use crate::models::{Field, Model};
use crate::users::models::USER;

/// An article. It outlives its author.
pub static ARTICLE: Model = Model {
    name: "article",
    plural: "articles",
    title: "name",
    fields: &[
        Field::char("name", 50).search().order(),
        Field::foreign_key("created_by", &USER).set_to_caller(),
        Field::datetime("created_at").label("Created").order().auto_now_add(),
        Field::datetime("updated_at").label("Updated").auto_now(),
    ],
};
