//! The admin: pages behind a session, on which the staff looks after every registered model.
//!
//! It is a registry, as Django's is: a feature implements [`ModelAdmin`] in its `admin.rs` and is added to the
//! [`Site`] in one line. Nothing in here names a feature, except that whoever signs in is a user.

pub mod csv_file;
pub mod forms;
pub mod import;
pub mod model_admin;
pub mod pages;
pub mod site;
pub mod staff;

pub use forms::{FormData, PostForm};
pub use model_admin::{ModelAdmin, Staff, Values};
pub use pages::{Frame, Message};
pub use site::Site;
pub use staff::StaffUser;
