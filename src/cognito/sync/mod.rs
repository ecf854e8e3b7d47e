//! Keeps local users in step with the pool: [`prepare`] lists the pool's users, compares them with the local ones and
//! makes a [`Plan`], and [`Prepared::apply`] carries it out. The pool is only read. `gatepost sync` does this once,
//! [`PoolSync`] again and again.

mod apply;
mod file;
mod groups;
mod listing;
mod max_changes;
mod plan;
mod pool_list;
mod prepare;
mod regular;

pub use apply::Applied;
pub use file::read as read_file;
pub use max_changes::MaxChanges;
pub use plan::Plan;
pub use prepare::{Prepared, Source, SyncError, prepare};
pub use regular::{PoolSync, SyncMetrics};
