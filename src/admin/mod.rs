//! The admin: pages behind a session, on which the staff looks after every registered model.
//!
//! It is a registry, as Django's is: a feature implements [`ModelAdmin`] in its `admin.rs` and is added to the
//! [`Site`] in one line. Nothing in here names a feature, except that whoever signs in is a user.
//!
//! A request goes through [`errors::surround`] (headers), [`auth::session`] (reads the session),
//! [`errors::error_pages`] (makes errors pages), [`auth::staff::authenticate`] (finds the user) and
//! [`auth::origin::check_origin`] to its handler. What the handler may do it says by its arguments: [`AdminContext`],
//! [`PostForm`].

pub mod addresses;
pub mod auth;
pub mod columns;
pub mod context;
pub mod default_admin;
pub mod errors;
pub mod filters;
pub mod form;
pub mod form_data;
pub mod history;
pub mod import;
pub mod index;
pub mod list;
pub mod message;
pub mod model_admin;
pub mod moment;
pub mod pages;
pub mod search;
pub mod site;
pub mod text;
pub mod theme;
pub mod urls;
pub mod values;

pub use auth::staff::StaffUser;
pub use context::AdminContext;
pub use form_data::{FormData, PostForm};
pub use message::Message;
pub use model_admin::{ModelAdmin, Staff, Values};
pub use pages::Frame;
pub use site::Site;
pub use urls::{Admin, AdminSettings};
