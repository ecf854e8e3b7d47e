//! The authenticated user of a request, for the log.

/// The user's id, stored in the request's extensions.
#[derive(Clone, Copy)]
pub struct CallerId(pub i64);
