//! The forms that add, change and delete rows.

mod change_form;
mod conflict;
mod delete;
mod kept_form;
mod untouched;
