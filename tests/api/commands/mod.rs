//! The command line. Each command runs as a process.

mod backup;
mod copy_database;
mod serve;
