//! The authenticated caller of a request, for the log and the rate limits.

/// Stored in the request's extensions. A user and a service account may have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerId {
    User(i64),
    ServiceAccount(i64),
}

impl std::fmt::Display for CallerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CallerId::User(id) => write!(f, "user {id}"),
            CallerId::ServiceAccount(id) => write!(f, "service account {id}"),
        }
    }
}
