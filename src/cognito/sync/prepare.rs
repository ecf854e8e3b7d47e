//! Makes a plan while no other sync runs.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::file;
use super::plan::Plan;
use crate::aws::AwsError;
use crate::cognito::linking::Rules;
use crate::cognito::pool_api::PoolApi;
use crate::db::{Db, Lock};
use crate::error::Error;
use crate::users::cognito_groups;

/// Where the pool's users come from.
pub enum Source<'a> {
    Pool(&'a PoolApi),
    File(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("another sync is running")]
    Busy,
    #[error("nothing was changed: {0}")]
    Pool(#[from] AwsError),
    #[error("nothing was changed: {0}")]
    File(String),
    #[error("{}", .0.cause().unwrap_or(&.0.to_string()))]
    Database(#[from] Error),
}

/// A plan, and the lock that keeps other syncs away until it is dropped.
pub struct Prepared {
    pub plan: Plan,
    pub(super) rules: Arc<Rules>,
    _lock: Lock,
}

/// `progress` is called with the number of users listed so far.
pub async fn prepare(
    db: &Db,
    source: Source<'_>,
    rules: &Arc<Rules>,
    progress: &mut dyn FnMut(usize),
) -> Result<Prepared, SyncError> {
    let lock = db.try_lock("sync").await?.ok_or(SyncError::Busy)?;
    let listing = match source {
        Source::Pool(api) => {
            let groups = names_of_groups(db, rules).await?;
            api.list(&groups, progress).await?
        }
        Source::File(path) => {
            let read = tokio::task::spawn_blocking(move || file::open(&path)).await;
            read.map_err(|error| SyncError::File(error.to_string()))?.map_err(SyncError::File)?
        }
    };
    let for_plan = rules.clone();
    let plan = db.read(move |conn| Plan::make(conn, listing, &for_plan)).await?;
    Ok(Prepared { plan, rules: rules.clone(), _lock: lock })
}

/// The groups of the pool that give something.
async fn names_of_groups(db: &Db, rules: &Rules) -> Result<BTreeSet<String>, Error> {
    let mapped = db.read(|conn| Ok(cognito_groups::mapped(conn)?)).await?;
    let staff_group = rules.staff_group.iter().map(|name| name.to_string());
    Ok(mapped.into_iter().map(|group| group.cognito_group).chain(staff_group).collect())
}
