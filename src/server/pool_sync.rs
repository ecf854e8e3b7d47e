//! What calls the pool's API, from the settings.

use std::sync::Arc;

use crate::aws::AwsError;
use crate::cognito::linking::{Creation, Rules};
use crate::cognito::pool_actions::PoolActions;
use crate::cognito::pool_api::PoolApi;
use crate::cognito::sync::{PoolSync, SyncMetrics};
use crate::cognito::user_pool::UserPool;
use crate::config::{Config, Pool};
use crate::users::models::Origin;

/// `creation`: whether it creates users whom only the pool has.
pub fn sync_rules(config: &Config, pool: &UserPool, creation: Creation) -> Arc<Rules> {
    Arc::new(Rules {
        issuer: pool.issuer().to_owned(),
        staff_group: config.staff_group.clone(),
        link_unverified_email: config.link_unverified_email,
        creation,
        origin: Origin::PoolSync,
    })
}

pub fn pool_api(config: &Config, pool: &UserPool) -> Result<PoolApi, AwsError> {
    PoolApi::open(pool.id.clone(), config.aws.clone(), config.jwks.ca_file.clone())
}

/// `None` unless the settings ask for regular syncs.
pub fn pool_sync(config: &Config) -> Result<Option<PoolSync>, AwsError> {
    let (Some(every), Pool::Cognito(pool)) = (config.sync_every, &config.pool) else { return Ok(None) };
    let (api, rules) = (pool_api(config, pool)?, sync_rules(config, pool, Creation::Never));
    Ok(Some(PoolSync { api, rules, every, max_changes: config.sync_max_changes, metrics: SyncMetrics::new() }))
}

/// `None` unless the settings allow any.
pub fn open_pool_actions(config: &Config) -> Result<Option<PoolActions>, AwsError> {
    let Pool::Cognito(pool) = &config.pool else { return Ok(None) };
    if config.pool_actions.is_empty() {
        return Ok(None);
    }
    let (api, issuer, staff_group) = (pool_api(config, pool)?, pool.issuer().to_owned(), config.staff_group.clone());
    Ok(Some(PoolActions::new(api, issuer, config.pool_actions.clone(), staff_group)))
}
