//! The authenticated user of a request, for the log.

/// Stored in the request's extensions.
#[derive(Clone, Copy)]
pub struct CallerId(pub i64);
