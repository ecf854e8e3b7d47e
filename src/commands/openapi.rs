//! `openapi`: prints the OpenAPI document, for example to generate clients.

use super::output::{CommandError, say};
use crate::server;
use crate::server::openapi::document;

pub fn run() -> Result<(), CommandError> {
    say!("{}", document(&server::api(), None).to_pretty_json().map_err(CommandError::new)?)
}
