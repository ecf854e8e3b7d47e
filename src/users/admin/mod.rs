//! Users and groups in the admin.

mod actions;
mod groups;
mod link;
mod options;
mod rights;
mod users;

pub use groups::GroupAdmin;
pub use users::UserAdmin;
