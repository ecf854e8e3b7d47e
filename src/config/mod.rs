//! All settings, read from the environment once at start.
//!
//! [`SETTINGS`] lists them with default and meaning; a test compares it with the table in docs/settings.md. No other
//! module reads the environment.

mod configuration;
mod env_file;
mod environment;
mod log_filter;
mod mode;
mod settings;
mod values;
mod variables;

pub use configuration::{Basics, Config, Superuser};
pub use environment::{read_environment, unknown_variables};
pub use mode::{Mode, Pool};
pub use settings::{SETTINGS, Setting};
pub use values::bind_address;
pub use variables::ConfigError;
