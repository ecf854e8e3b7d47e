//! The admin: pages behind a session, on which the staff looks after every registered model.
//!
//! It is a registry, as Django's is: a feature implements [`ModelAdmin`] in its `admin.rs` and is added to the
//! [`Site`] in one line. Nothing in here names a feature, except that whoever signs in is a user.
//!
//! A request goes through [`errors::surround`] (headers), [`session`] (reads the session), [`errors::error_pages`]
//! (makes errors pages), [`staff::authenticate`] (finds the user) and [`csrf::check_origin`] to its handler. What
//! the handler may do it says by its arguments: [`StaffUser`], [`PostForm`].

pub mod actions;
pub mod addresses;
pub mod browsing;
pub mod cells;
pub mod change_form;
pub mod change_list;
pub mod conflict;
pub mod cookies;
pub mod credentials;
pub mod csrf;
pub mod csv_file;
pub mod delete;
pub mod device;
pub mod entries;
pub mod errors;
pub mod export;
pub mod facets;
pub mod field_views;
pub mod fields;
pub mod form_page;
pub mod forms;
pub mod history_admin;
pub mod history_pages;
pub mod import;
pub mod import_page;
pub mod index;
pub mod list_page;
pub mod list_query;
pub mod list_view;
pub mod matches;
pub mod model_admin;
pub mod pages;
pub mod password_change;
pub mod recent;
pub mod related;
pub mod search;
pub mod session;
pub mod sessions;
pub mod sign_in;
pub mod site;
pub mod staff;
pub mod theme;
pub mod throttle;
pub mod undo;
pub mod urls;
pub mod user_agent;
pub mod user_password;

pub use forms::{FormData, PostForm};
pub use model_admin::{ModelAdmin, Staff, Values};
pub use pages::{Frame, Message};
pub use site::Site;
pub use staff::StaffUser;
pub use urls::Admin;
