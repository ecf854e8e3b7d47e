//! The forms that add, change and delete a row, conflicts between two people's changes, and forms whose session ended.

pub mod change_form;
pub mod conflict;
pub mod delete;
pub mod field_views;
pub mod fields;
pub mod kept_form;
pub mod model_form;
pub mod page;
pub mod related;
