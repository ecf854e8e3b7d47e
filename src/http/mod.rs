//! HTTP basics shared by all paths: middleware, headers, limits, negotiation.

pub mod assets;
pub mod body;
pub mod caller;
pub mod client_address;
pub mod compression;
pub mod cookies;
pub mod edge;
pub mod etag;
pub mod idle;
pub mod negotiation;
pub mod pages;
pub mod public_url;
pub mod rate_limit;
pub mod routes;
pub mod theme;
pub mod trace_context;
