//! The history, and what it brings back.

mod deleted_rows;
