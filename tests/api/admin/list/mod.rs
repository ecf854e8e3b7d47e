//! The lists of rows.

mod actions;
mod change_list;
mod display;
mod export;
mod page;
mod properties;
mod query;
mod references;
