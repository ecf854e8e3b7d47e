//! [`Caller`]: whom a request's token stands for.

use std::sync::Arc;

use chrono::NaiveDateTime;

use super::service_accounts::{Machine, active};
use crate::db::Connection;
use crate::db::rows::Sql;
use crate::error::{Error, Refusal};
use crate::history::{Actor, Source};
use crate::http::caller::CallerId;
use crate::users::models::{self, User};
use crate::users::service_accounts::{self, ServiceAccount};

#[derive(Clone)]
pub enum Caller {
    User(Arc<User>),
    ServiceAccount { account: Arc<ServiceAccount>, machine: Arc<Machine> },
}

impl Caller {
    pub fn id(&self) -> CallerId {
        match self {
            Caller::User(user) => CallerId::User(user.id),
            Caller::ServiceAccount { account, .. } => CallerId::ServiceAccount(account.id),
        }
    }

    pub fn last_seen_at(&self) -> Option<NaiveDateTime> {
        match self {
            Caller::User(user) => user.last_seen_at,
            Caller::ServiceAccount { account, .. } => account.last_seen_at,
        }
    }

    pub fn actor(&self, source: Source) -> Actor {
        match self {
            Caller::User(user) => user.actor(source),
            Caller::ServiceAccount { account, .. } => account.actor(source),
        }
    }

    /// A condition for the statement of a change, which saves [`Caller::refresh_from_db`] where it holds. `None` for a
    /// service account, whose permissions are other rows.
    pub fn is_unchanged(&self) -> Option<Sql> {
        match self {
            Caller::User(user) => Some(user.is_unchanged()),
            Caller::ServiceAccount { .. } => None,
        }
    }

    /// Call in the transaction of a change: while the body arrived, the caller may have lost rights or been deleted.
    pub fn refresh_from_db(&self, conn: &mut Connection) -> Result<Caller, Error> {
        match self {
            Caller::User(user) => match models::find(conn, user.id)? {
                Some(user) if user.is_active => Ok(Caller::User(Arc::new(user))),
                Some(_) => Err(Refusal::UserInactive.into()),
                None => Err(Refusal::UserUnknown.into()),
            },
            Caller::ServiceAccount { machine, .. } => {
                let account = service_accounts::find_by_client_id(conn, &machine.client_id)?;
                Ok(Caller::ServiceAccount { account: active(account.map(Arc::new))?, machine: machine.clone() })
            }
        }
    }
}
