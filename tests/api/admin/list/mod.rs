//! The lists of rows.

mod actions;
mod change_list;
mod export;
mod page;
mod properties;
mod query;
mod references;
