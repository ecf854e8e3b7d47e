//! Articles, the example resource.

pub mod admin;
pub mod api;
pub mod models;
