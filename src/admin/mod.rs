//! The admin: pages behind a session, on which the staff looks after every registered model.
//!
//! It is a registry, as Django's is: a feature implements [`ModelAdmin`] in its `admin.rs` and is added to the
//! [`Site`] in one line. Nothing in here names a feature, except that whoever signs in is a user.
//!
//! A request goes through [`errors::surround`] (headers), [`session`] (reads the session), [`errors::error_pages`]
//! (makes errors pages), [`staff::authenticate`] (finds the user) and [`csrf::check_origin`] to its handler. What
//! the handler may do it says by its arguments: [`StaffUser`], [`PostForm`].

pub mod cookies;
pub mod credentials;
pub mod csrf;
pub mod device;
pub mod errors;
pub mod forms;
pub mod index;
pub mod model_admin;
pub mod pages;
pub mod password_change;
pub mod session;
pub mod sessions;
pub mod sign_in;
pub mod site;
pub mod staff;
pub mod theme;
pub mod throttle;
pub mod urls;
pub mod user_agent;

pub use forms::{FormData, PostForm};
pub use model_admin::{ModelAdmin, Staff, Values};
pub use pages::{Frame, Message};
pub use site::Site;
pub use staff::StaffUser;
pub use urls::Admin;
