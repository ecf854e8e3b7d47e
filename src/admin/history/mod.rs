//! The history: its list and pages, and how what was deleted comes back.

pub mod admin;
pub mod entries;
pub mod pages;
pub mod undo;
