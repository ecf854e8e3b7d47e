//! HTTP basics shared by all paths: middleware, headers, limits, negotiation.

pub mod assets;
pub mod body;
pub mod caller;
pub mod charset;
pub mod client_address;
pub mod compression;
pub mod cookies;
pub mod cors;
pub mod edge;
pub mod etag;
pub mod forms;
pub mod header_values;
pub mod idle;
pub mod listener;
pub mod media_type;
pub mod negotiation;
pub mod pages;
pub mod public_origin;
pub mod rate_limit;
pub mod routes;
pub mod theme;
pub mod trace_context;
pub mod visible;
pub mod well_known;
