//! Accounts.

mod api;
