//! The tests: each starts the real server on a port and a database of its own and speaks HTTP to it.
//! Test names are sentences about what the service does.

mod harness;

mod articles;
mod http;
mod keys;
