//! All settings, read from the environment once at start; no other module reads it. A test compares [`SETTINGS`] with
//! the table in docs/settings.md.

mod configuration;
mod env_file;
mod environment;
mod invocation;
mod log_filter;
mod mode;
mod origins;
mod secret_files;
mod settings;
mod superuser;
mod values;
mod variables;

pub use configuration::{Basics, Config};
pub use environment::{read_environment, unknown_variables};
pub use invocation::invocation;
pub use mode::{Mode, Pool};
pub use origins::LOOPBACK_HOSTS;
pub use secret_files::SECRETS;
pub use settings::{SETTINGS, Setting};
pub use superuser::Superuser;
pub use values::bind_address;
pub use variables::ConfigError;
