//! Users, groups, service accounts and refusals in the admin.

mod actions;
mod groups;
mod link;
mod members;
mod memberships;
mod options;
mod refusals;
mod rights;
mod service_accounts;
mod user_page;
mod users;

pub use actions::{activate, deactivate};
pub use groups::GroupAdmin;
pub use refusals::PAGE as REFUSALS;
pub use service_accounts::ServiceAccountAdmin;
pub use users::UserAdmin;
