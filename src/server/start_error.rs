//! [`StartError`]: why the server cannot start.

use crate::db::OpenError;
use crate::http::listener::ListenAddress;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error("{0}: cannot listen on {1}: {2}")]
    Listen(&'static str, ListenAddress, std::io::Error),
    #[error("systemd passes a socket that others can reach; the local user pool is for this machine alone")]
    Reachable,
    #[error("{0}: {1}")]
    LocalPool(String, std::io::Error),
    #[error("the admin: {0}")]
    Admin(String),
    #[error("{0}")]
    Jwks(String),
    #[error("COGNITO_SYNC_SECONDS: {0}")]
    Sync(String),
    #[error("COGNITO_ADMIN_ACTIONS: {0}")]
    PoolActions(String),
    #[error("{0}")]
    Resource(String),
}
