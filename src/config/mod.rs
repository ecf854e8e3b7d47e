//! All settings, read from the environment once at start; no other module reads it.
//!
//! 1. [`settings`] lists them. A test compares [`SETTINGS`] with the table in docs/settings.md.
//! 2. [`environment`] reads their texts, with those in `.env` ([`env_file`]) and in files of secrets ([`secret_files`]).
//! 3. [`variables`] gives them types. Those with rules of their own are parsed in [`values`], [`origins`] and
//!    [`log_filter`].
//! 4. [`configuration`] has the result.

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
