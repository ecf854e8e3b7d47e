//! The admin site.

mod auth;
mod browser;
mod form;
mod history;
mod import;
pub mod list;
mod pages;
mod rights;
