//! The history: its pages, and undoing deletions and actions.

pub mod entries;
pub mod model;
pub mod outcome;
pub mod pages;
pub mod undo;
