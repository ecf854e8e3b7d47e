//! The history: its list and pages, and how what was deleted comes back.

pub mod entries;
pub mod model;
pub mod pages;
pub mod undo;
