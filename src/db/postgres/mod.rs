//! PostgreSQL: how its connections are opened, what watches for changes, and how writes are run.

mod connections;
mod parameters;
mod watch;
mod writers;

pub use connections::{open, open_migrated, probe};
pub use parameters::ConnectionLimit;
pub use watch::CommitWatch;
pub use writers::Writers;
