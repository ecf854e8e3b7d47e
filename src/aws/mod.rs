//! Calls of AWS's APIs: [`json_api`] signs each with [`sigv4`] and the [`credentials`], which are found as AWS's own tools
//! find them.

mod backoff;
pub mod credentials;
mod environment;
mod error;
pub mod http_client;
pub mod json_api;
pub mod partition;
mod sigv4;

pub use environment::{Environment, VARIABLES};
pub use error::AwsError;
