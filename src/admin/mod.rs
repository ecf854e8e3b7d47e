//! The admin: pages with which signed-in staff manage every registered model.
//!
//! It is a registry like Django's: a feature implements [`ModelAdmin`] in its `admin.rs` and is added to the [`Site`]
//! in one line. No feature is named here, except that only users sign in.
//!
//! A request goes through [`errors::surround`] (headers), [`auth::session`] (reads the session),
//! [`errors::error_pages`] (renders errors), [`auth::staff::authenticate`] (finds the user) and
//! [`auth::origin::check_origin`]. The arguments of a handler are its guards: [`AdminContext`], [`PostForm`].

pub mod action;
pub mod addresses;
pub mod auth;
pub mod chart;
pub mod columns;
pub mod context;
pub mod default_admin;
pub mod errors;
pub mod figures;
pub mod filters;
pub mod form;
pub mod form_data;
pub mod grouped;
pub mod header;
pub mod history;
pub mod import;
pub mod index;
pub mod jobs;
pub mod list;
pub mod message;
pub mod model_admin;
pub mod moment;
pub mod options;
pub mod pages;
pub mod recent_changes;
pub mod row_head;
pub mod search;
pub mod site;
pub mod staff;
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
