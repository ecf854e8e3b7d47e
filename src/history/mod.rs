//! The change history, undoing deletions and actions, and retention periods.

mod actor;
pub mod api_requests;
pub mod batches;
pub mod changed_rows;
pub mod deleted_rows;
pub mod expiry;
mod records;

pub use actor::{Actor, Source};
pub use records::{
    Action, Changes, Entry, NewEntry, Object, PastEntry, newest_since, record, record_all, record_past, version,
};
