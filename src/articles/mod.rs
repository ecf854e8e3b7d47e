//! Articles: what the API is about.

pub mod admin;
pub mod api;
pub mod models;
