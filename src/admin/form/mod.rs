//! The forms that add, change and delete a row, and conflicts between two people's changes.

pub mod change_form;
pub mod conflict;
pub mod delete;
pub mod field_views;
pub mod fields;
pub mod model_form;
pub mod page;
pub mod related;
