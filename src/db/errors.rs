//! Converts a failed query to an [`Error`]: 503 for temporary failures, 500 for all others.

use crate::error::Error;

/// Words of SQLite, which has one language (<https://www.sqlite.org/rescode.html>). Diesel hides its codes, and those of
/// PostgreSQL, whose words depend on the server's language: see [`super::postgres`].
const PASSING: [&str; 6] = [
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "readonly database",
    "disk I/O error",
    "unable to open database file",
];

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Error {
        use diesel::result::DatabaseErrorKind as Kind;
        use diesel::result::Error::{BrokenTransactionManager, DatabaseError, RollbackErrorOnCommit};
        let cause = error.to_string();
        match error {
            RollbackErrorOnCommit { commit_error, .. } => Error::from(*commit_error),
            DatabaseError(Kind::SerializationFailure, _) => Error::Collision(cause),
            BrokenTransactionManager
            | DatabaseError(Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::ReadOnlyTransaction, _) => {
                Error::Unavailable(cause)
            }
            _ if PASSING.iter().any(|passing| cause.contains(passing)) => Error::Unavailable(cause),
            DatabaseError(Kind::Unknown, _) => Error::Unknown(cause),
            _ => Error::Internal(cause),
        }
    }
}
