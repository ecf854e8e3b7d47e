//! What every request passes.

mod assets;
mod compression;
mod messages;
mod rate_limit;
mod trace_context;
