//! Moving in from a Django project: its users, groups, permissions, articles and admin log.
//!
//! The path of a row, which [`import()`] leads:
//! 1. [`database`] or [`dump`] reads it from the source, each value as a [`cell`]. [`user_table`] says which columns a
//!    user has.
//! 2. [`intake`] checks it by itself, with [`rules`] and [`time`], and puts it into a [`staging`] database.
//! 3. [`conflicts`] holds it against all others and against the target, finds what its [`permissions`] are called here
//!    and what an entry of the admin [`log`] is about, and gives it an id.
//! 4. [`writer`] writes it, if it is new.
//! 5. [`report`] says what became of it, if it did not come as it was.

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

pub use error::ImportError;
pub use import::import;
pub use options::{KeepEmail, Options, Outcome, Passwords, Source};
pub use report::{Report, ReportedRow};
pub use time::Zone;
pub use user_table::{FIELDS, UserTable};
