//! The lists of rows.

mod actions;
mod change_list;
mod display;
mod export;
mod filters;
mod page;
mod properties;
mod query;
mod references;
mod saved_views;
mod statements;
