//! The tests: each starts the real server on a port and a database of its own and speaks HTTP to it.
//! Test names are sentences about what the service does. The folders are those of `src`.

mod harness;

mod admin;
mod api;
mod articles;
mod cognito;
mod commands;
mod config;
mod contributing;
mod db;
mod deploy;
mod django;
mod documentation;
mod error;
mod history;
mod http;
mod metrics;
mod server;
mod users;
