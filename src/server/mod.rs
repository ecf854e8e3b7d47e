//! Assembles the application: all URLs, and pages for operators.

mod build;
mod docs;
mod health;
pub mod logging;
mod metrics;
pub mod openapi;
mod pool_sync;
pub mod probe;
pub mod signals;
mod status;
pub mod systemd;
mod urls;

pub use build::{Built, StartError, build, build_with, open, open_local_pool};
pub use pool_sync::{pool_api, sync_rules};
pub use urls::{Resources, api, site};
