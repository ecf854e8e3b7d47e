//! The tests: each starts the real server on a port and a database of its own and speaks HTTP to it.
//! Test names are sentences about what the service does.

mod harness;

mod admin_session;
mod articles;
mod assets;
mod browsable;
mod command_line;
mod compression;
mod data;
mod drf;
mod emulators;
mod http;
mod keys;
mod linking;
mod me;
mod openapi;
mod post_confirmation;
mod problem;
mod properties_api;
mod properties_token;
mod rate_limit;
mod settings;
mod tokens;
