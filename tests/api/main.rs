//! The tests: each starts the real server on a port and a database of its own and speaks HTTP to it.
//! Test names are sentences about what the service does.

mod harness;

mod articles;
mod command_line;
mod data;
mod drf;
mod emulators;
mod http;
mod keys;
mod linking;
mod me;
mod openapi;
mod post_confirmation;
mod properties_api;
mod properties_token;
mod settings;
mod tokens;
