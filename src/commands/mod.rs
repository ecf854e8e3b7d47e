//! The commands, with Django's names where Django has them.

pub mod backup;
pub mod changepassword;
pub mod check;
pub mod check_token;
pub mod completion;
pub mod copy_database;
pub mod createsuperuser;
pub mod health;
pub mod import;
pub mod import_django;
pub mod man;
pub mod migrate;
pub mod openapi;
mod output;
mod progress;
mod prompt;
pub mod resetsecondfactor;
pub mod serve;
pub mod sync;
pub mod token;
mod user;
mod version;

pub use output::{CommandError, fail, seen};
pub use user::Username;
pub use version::VERSION;
