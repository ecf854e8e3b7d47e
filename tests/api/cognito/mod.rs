//! Tokens, keys, the user that a token stands for, and the Post Confirmation trigger.

mod emulators;
mod groups;
mod inspector;
mod jwks;
mod linking;
mod local_pool;
mod pool_actions;
mod post_confirmation;
mod properties;
mod refusals;
mod service_accounts;
pub mod sign_in;
mod sync;
mod tokens;
mod user_migration;
