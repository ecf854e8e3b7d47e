//! Accounts.

mod api;
mod memberships;
mod password;
mod service_accounts;
mod validators;
