//! The tests: each starts the real server on a port and a database of its own and speaks HTTP to it.
//! Test names are sentences about what the service does.

mod harness;

mod admin_browser;
mod admin_csrf;
mod admin_export;
mod admin_form;
mod admin_form_conflict;
mod admin_form_delete;
mod admin_frame;
mod admin_history;
mod admin_import;
mod admin_list;
mod admin_rights;
mod admin_session;
mod admin_sign_in;
mod admin_throttle;
mod articles;
mod assets;
mod backup;
mod browsable;
mod browsing;
mod command_line;
mod compression;
mod contributing;
mod copy_database;
mod data;
mod deploy;
mod documentation;
mod drf;
mod emulators;
mod error_bodies;
mod http;
mod inspector;
mod keys;
mod linking;
mod me;
mod metrics;
mod migrations;
mod openapi;
mod post_confirmation;
#[cfg(feature = "postgres")]
mod postgres;
mod problem;
mod properties_api;
mod properties_list;
mod properties_token;
mod rate_limit;
mod settings;
mod status;
mod tokens;
mod trace_context;
