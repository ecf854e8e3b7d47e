//! Accounts.

mod api;
mod password;
mod service_accounts;
mod validators;
