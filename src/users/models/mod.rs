//! The `users` table.

mod bulk;
mod changes;
mod linked;
mod user;

pub use bulk::{StoredUser, create_all};
pub use changes::{
    NewUser, create, delete, link, record_change, replace_hash, set_last_seen, set_password, unlink, update,
};
pub use linked::{LinkedUser, email_keys, linked};
pub use user::{
    Origin, USER, User, count_linked_elsewhere, django_works, django_works_of_others, email_key, find, find_by_email,
    find_by_link, find_by_link_with_groups, find_by_username, has_linkable_staff, is_empty,
};
