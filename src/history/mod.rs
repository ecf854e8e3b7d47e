//! The change history, undoing deletions and actions, and retention periods.

pub mod api_requests;
pub mod batches;
pub mod changed_rows;
pub mod deleted_rows;
pub mod expiry;
mod records;

pub use records::{
    Action, Actor, Changes, Entry, NewEntry, Object, PastEntry, Source, newest_id, newest_of, newest_since, record,
    record_all, record_past, version,
};
