//! Settings.

mod secret_files;
mod settings;
