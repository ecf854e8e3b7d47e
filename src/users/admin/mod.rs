//! Users, groups and service accounts in the admin.

mod actions;
mod groups;
mod link;
mod options;
mod rights;
mod service_accounts;
mod users;

pub use actions::{activate, deactivate};
pub use groups::GroupAdmin;
pub use service_accounts::ServiceAccountAdmin;
pub use users::UserAdmin;
