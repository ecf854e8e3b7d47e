//! Accounts.

mod api;
mod password;
