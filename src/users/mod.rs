//! Local users: Django's fields, and the link to a user of the pool.

pub mod api;
pub mod models;
pub mod password;
pub mod permissions;
pub mod sessions;
pub mod validators;
