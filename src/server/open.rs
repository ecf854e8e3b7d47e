//! Opens what tokens are checked with: the database and the user pool.

use super::start_error::StartError;
use crate::cognito::Authenticator;
use crate::cognito::jwks::Jwks;
use crate::cognito::linking::{Creation, Rules};
use crate::cognito::local_pool::LocalPool;
use crate::cognito::verifier::Verifier;
use crate::config::{Config, Pool};
use crate::db::Db;
use crate::users::models::Origin;

/// Must be called within a Tokio runtime.
pub fn open(config: &Config) -> Result<(Db, Authenticator, Option<LocalPool>), StartError> {
    let (db, applied) = Db::open(&config.database)?;
    if applied > 0 {
        log::info!("{applied} migrations applied");
    }
    let db = match &config.read_database {
        Some(standby) => db.with_standby(standby)?,
        None => db,
    };
    let local_pool = open_local_pool(config)?;
    let (pool, jwks) = match (&config.pool, &local_pool) {
        (Pool::Cognito(pool), _) => {
            (pool.clone(), Jwks::start(&pool.jwks_urls, &config.jwks).map_err(StartError::Jwks)?)
        }
        (Pool::Local, Some(local)) => (local.user_pool(), Jwks::fixed(local.key_set())),
        (Pool::Local, None) => return Err(StartError::Jwks("no user pool is configured".to_owned())),
    };
    let rules = Rules {
        issuer: pool.issuer().to_owned(),
        staff_group: config.staff_group.clone(),
        link_unverified_email: config.link_unverified_email,
        creation: if config.create_users { Creation::WithEmail } else { Creation::Never },
        origin: Origin::FirstToken,
    };
    let verifier = Verifier::new(pool, config.token_use, config.leeway, jwks);
    let authenticator = Authenticator::new(verifier, rules, config.resource_server.clone(), db.clone());
    Ok((db, authenticator, local_pool))
}

pub fn open_local_pool(config: &Config) -> Result<Option<LocalPool>, StartError> {
    if config.pool != Pool::Local {
        return Ok(None);
    }
    let path = config.local_pool_keys();
    LocalPool::open(&path).map(Some).map_err(|error| StartError::LocalPool(path.display().to_string(), error))
}
