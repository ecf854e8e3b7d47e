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

use std::sync::Arc;

pub use apply::Applied;
pub use file::read as read_file;
pub use max_changes::MaxChanges;
pub use plan::Plan;
pub use prepare::{Prepared, Source, SyncError, prepare};
pub use regular::{PoolSync, SyncMetrics};

use super::linking::Policy;

/// What decides about a user, besides the pool.
#[derive(Clone)]
pub struct Rules {
    /// Users are linked under it.
    pub issuer: String,
    pub policy: Policy,
    /// The group of the pool whose members are staff.
    pub staff_group: Option<Arc<str>>,
}
