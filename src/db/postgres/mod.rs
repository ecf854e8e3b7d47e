//! PostgreSQL: opening connections, watching for changes, running writes.

mod connections;
mod failures;
mod parameters;
mod watch;
mod writers;

pub use connections::{HOLD, begin, open, open_migrated, probe, rehearse};
pub use failures::explained;
pub use parameters::{ConnectionLimit, PoolMode, authority, hosts, patience};
pub use watch::CommitWatch;
pub use writers::Writers;
