//! What every request passes.

mod assets;
mod compression;
mod connections;
mod headers;
mod pages;
mod paths;
mod rate_limit;
mod requests;
mod trace_context;
mod well_known;
