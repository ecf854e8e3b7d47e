//! The lists of rows.

mod export;
mod properties;
pub mod query;
