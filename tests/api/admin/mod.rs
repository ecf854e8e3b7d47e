//! The admin site.

mod auth;
mod browser;
mod browser_rows;
mod csv_reader;
mod form;
mod hidden_characters;
mod history;
mod import;
mod list;
mod pages;
mod rights;
mod search;
mod tabs;
mod times;
mod weight;
