//! The `users` table.

mod changes;
mod user;

pub(in crate::users) use changes::record_change;
pub use changes::{NewUser, create, delete, link, set_last_seen, set_password, unlink, update};
pub use user::{
    Origin, USER, User, count_linked_elsewhere, email_key, find, find_by_email, find_by_link, find_by_username,
    has_linkable_staff, is_empty,
};
