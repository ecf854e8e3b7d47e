//! Accounts.

mod api;
mod password;
mod validators;
