//! Finds credentials, and keeps them until shortly before they end.

use std::path::PathBuf;

use chrono::{TimeDelta, Utc};
use tokio::sync::Mutex;

use super::{Credentials, CredentialsError, container, instance, web_identity};
use crate::aws::environment::Environment;
use crate::crypto::Secret;

/// How long before their end credentials are replaced, as in AWS's SDKs.
const EARLY: TimeDelta = TimeDelta::minutes(5);

pub struct Chain {
    environment: Environment,
    /// Of the regional endpoint of STS.
    region: String,
    ca_file: Option<PathBuf>,
    kept: Mutex<Option<Credentials>>,
}

impl Chain {
    pub fn new(environment: Environment, region: String, ca_file: Option<PathBuf>) -> Chain {
        Chain { environment, region, ca_file, kept: Mutex::default() }
    }

    /// Those that are kept, unless they end soon.
    pub async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut kept = self.kept.lock().await;
        let now = Utc::now();
        if let Some(fresh) = kept.as_ref().filter(|kept| kept.last_beyond(now + EARLY)) {
            return Ok(fresh.clone());
        }
        match (self.find().await, &*kept) {
            (Ok(found), _) => {
                *kept = Some(found.clone());
                Ok(found)
            }
            (Err(error), Some(old)) if old.last_beyond(now) => {
                log::warn!("{error}; the old ones are still good");
                Ok(old.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// AWS says that they are over. Returns whether there can be others.
    pub async fn forget(&self) -> bool {
        self.kept.lock().await.take().is_some_and(|kept| kept.expires.is_some())
    }

    async fn find(&self) -> Result<Credentials, CredentialsError> {
        let is_set = |name| self.environment.get(name).is_some();
        let (source, found) = if is_set("AWS_ACCESS_KEY_ID") || is_set("AWS_SECRET_ACCESS_KEY") {
            ("the environment", from_environment(&self.environment))
        } else if is_set("AWS_WEB_IDENTITY_TOKEN_FILE") {
            ("the web identity", web_identity::fetch(&self.environment, &self.region, self.ca_file.as_deref()).await)
        } else if container::is_set(&self.environment) {
            ("the container's endpoint", container::fetch(&self.environment, self.ca_file.as_deref()).await)
        } else if instance::is_disabled(&self.environment) {
            return Err(CredentialsError::Missing);
        } else {
            ("the instance (nor are there any in the environment)", instance::fetch(&self.environment).await)
        };
        found.map_err(|problem| CredentialsError::Failed(source, problem))
    }
}

fn from_environment(environment: &Environment) -> Result<Credentials, String> {
    let id = environment.require("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")?;
    let secret = environment.require("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")?;
    Ok(Credentials {
        access_key_id: id.to_owned(),
        secret_access_key: Secret::new(secret.to_owned()),
        session_token: environment.get("AWS_SESSION_TOKEN").map(|token| Secret::new(token.to_owned())),
        expires: None,
    })
}
