//! The history: its pages, and restoring deleted rows.

pub mod entries;
pub mod model;
pub mod pages;
pub mod undo;
