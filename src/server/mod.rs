//! Assembles the application: all URLs, and pages for operators.

mod build;
mod docs;
mod health;
pub mod logging;
mod metrics;
mod open;
pub mod openapi;
mod pool_sync;
pub mod probe;
mod sign_in;
pub mod signals;
mod start_error;
mod status;
pub mod systemd;
mod triggers;
mod urls;

pub use build::{Built, build, build_with};
pub use open::{open, open_local_pool};
pub use pool_sync::{pool_api, sync_rules};
pub use start_error::StartError;
pub use urls::{Resources, api, site};
