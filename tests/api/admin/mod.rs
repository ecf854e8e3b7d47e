//! The admin site.

mod auth;
mod browser;
mod browser_filters;
mod browser_rows;
mod csv_reader;
mod form;
mod hidden_characters;
mod history;
mod home;
mod import;
mod import_groups;
mod jobs;
mod list;
mod pages;
mod recent_changes;
mod rights;
mod search;
mod tabs;
mod times;
mod weight;
