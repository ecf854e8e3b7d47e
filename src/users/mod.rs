//! Local users: Django's fields, and the link to a user of the pool. Service accounts, for machines.

pub mod admin;
pub mod api;
pub mod cognito_groups;
pub mod django_hashes;
pub mod groups;
pub mod models;
pub mod page_user;
pub mod password;
pub mod permissions;
pub mod refusals;
pub mod rules;
pub mod second_factor;
pub mod service_accounts;
pub mod sessions;
pub mod validators;
