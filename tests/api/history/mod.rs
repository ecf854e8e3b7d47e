//! The history, and what it brings back.

mod changed_rows;
mod deleted_rows;
