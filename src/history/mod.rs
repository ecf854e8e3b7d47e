//! What was done: who changed what, how deleted rows come back, and what is kept for a time only.

pub mod deleted_rows;
pub mod expiry;
mod records;

pub use records::{Action, Actor, Changes, Entry, Object, Source, newest_since, record, version};
