//! Who a request comes from, as far as the log needs it.

/// The caller's id, left in the request for the log.
#[derive(Clone, Copy)]
pub struct CallerId(pub i64);
