//! `health`: whether the server responds, for containers that have no other HTTP client.

use super::output::{CommandError, say};
use crate::http::listener::ListenAddress;
use crate::server::probe::ask;

pub fn run(bind: &ListenAddress) -> Result<(), CommandError> {
    if bind.address().is_some_and(|address| address.port() == 0) {
        return Err(CommandError::new("BIND_ADDRESS has port 0, so only the server knows the actual port"));
    }
    let status = ask(bind).map_err(|error| CommandError::new(format!("{bind} does not respond: {error}")))?;
    if status != "200" {
        return Err(CommandError::new(format!("{bind} answers {}", status.escape_debug())));
    }
    say!("ok")
}
