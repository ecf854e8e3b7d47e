//! Tags: words for articles.

pub mod admin;
pub mod api;
pub mod models;
