//! PostgreSQL: opening connections, watching for changes, running writes, reading from a standby.

mod connections;
mod failures;
mod parameters;
mod standby;
mod watch;
mod writers;

pub use connections::{HOLD, begin, open, open_migrated, probe, rehearse};
pub use failures::explained;
pub use parameters::{ConnectionLimit, PoolMode, authority, hosts, patience};
pub use standby::{Standby, probe_standby};
pub use watch::CommitWatch;
pub use writers::Writers;
