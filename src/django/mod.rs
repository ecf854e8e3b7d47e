//! Moving in from a Django project: its users, groups, permissions, articles and admin log.
//!
//! [`database`] and [`dump`] read a source and hand its rows to [`intake`], which checks each row by itself with [`rules`]
//! and keeps it in a [`staging`] database. [`conflicts`] holds the rows against each other and against the target.
//! [`writer`] writes what is left. [`report`] says what became of the rows that did not come as they were.

mod cell;
mod conflicts;
mod database;
mod dump;
mod error;
mod import;
mod intake;
mod log;
mod options;
mod permissions;
mod report;
mod rules;
mod staging;
mod time;
mod user_table;
mod writer;
mod zone;

pub use error::ImportError;
pub use import::import;
pub use options::{KeepEmail, Options, Outcome, Passwords, Progress, Source};
pub use report::{Count, Report, ReportedRow};
pub use user_table::{FIELDS, UserTable};
pub use zone::Zone;
