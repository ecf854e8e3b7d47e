//! Users and groups in the admin.

mod groups;
mod link;
mod options;
mod users;

pub use groups::GroupAdmin;
pub use users::UserAdmin;
