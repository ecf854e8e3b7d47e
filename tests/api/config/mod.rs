//! Settings.

mod settings;
