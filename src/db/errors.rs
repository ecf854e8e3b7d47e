//! Converts a failed query to an [`Error`]: 503 for temporary failures, 500 for all others.

use crate::error::Error;

impl From<diesel::result::Error> for Error {
    /// Where the error kind is not specific enough, the message decides (<https://www.sqlite.org/rescode.html>,
    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>).
    fn from(error: diesel::result::Error) -> Error {
        use diesel::result::DatabaseErrorKind as Kind;
        use diesel::result::Error::{BrokenTransactionManager, DatabaseError, RollbackErrorOnCommit};
        const PASSING: [&str; 14] = [
            "database is locked",
            "database table is locked",
            "database or disk is full",
            "readonly database",
            "disk I/O error",
            "unable to open database file",
            // PostgreSQL from here on: the server is shutting down, is full, or has become a standby.
            "terminating connection",
            "the database system is",
            "could not extend file",
            "No space left on device",
            "lock timeout",
            "read-only transaction",
            // SQLSTATE 0A000, and before 25006: a writer's transaction is serializable.
            "in a hot standby",
            "during recovery",
        ];
        let cause = error.to_string();
        match &error {
            RollbackErrorOnCommit { commit_error, .. } => {
                return DatabaseError(Kind::Unknown, Box::new(commit_error.to_string())).into();
            }
            DatabaseError(Kind::SerializationFailure, _) => return Error::Collision(cause),
            DatabaseError(Kind::Unknown, _) if cause.contains("deadlock detected") => return Error::Collision(cause),
            BrokenTransactionManager
            | DatabaseError(Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::ReadOnlyTransaction, _) => {
                return Error::Unavailable(cause);
            }
            _ => {}
        }
        if PASSING.iter().any(|passing| cause.contains(passing)) {
            Error::Unavailable(cause)
        } else {
            Error::Internal(cause)
        }
    }
}
