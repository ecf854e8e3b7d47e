//! Articles: what the API is about.

pub mod api;
pub mod models;
