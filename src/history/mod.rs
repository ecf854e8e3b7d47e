//! The change history, restoring deleted rows, and retention periods.

pub mod deleted_rows;
pub mod expiry;
mod records;

pub use records::{
    Action, Actor, Changes, Entry, NewEntry, Object, PastEntry, Source, newest_since, record, record_all, record_past,
    record_written, version,
};
