//! Articles.

mod create;
mod detail;
