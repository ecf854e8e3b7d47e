//! The pool's own API, as far as a sync reads it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use chrono::Utc;
use serde_json::{Value, json};

use super::listing::{Listing, Page, PoolUser};
use crate::aws::json_api::{JsonApi, Service};
use crate::aws::{AwsError, Environment};
use crate::cognito::user_pool::PoolId;

/// The most that Cognito gives.
const PER_PAGE: u32 = 60;

const COGNITO: Service = Service {
    name: "cognito-idp",
    target: "AWSCognitoIdentityProviderService",
    endpoint: "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
};

pub struct PoolApiSettings {
    pub pool_id: String,
    pub environment: Environment,
    pub ca_file: Option<PathBuf>,
}

pub struct PoolApi {
    api: JsonApi,
    pool_id: String,
}

impl PoolApi {
    pub fn open(settings: PoolApiSettings) -> Result<PoolApi, AwsError> {
        let PoolApiSettings { pool_id, environment, ca_file } = settings;
        let id = PoolId::parse(&pool_id).map_err(|problem| {
            AwsError::Settings(format!("AWS_USER_POOLS_ID: {problem}; its first part is the region of the pool's API"))
        })?;
        Ok(PoolApi { api: JsonApi::open(COGNITO, id.region(), environment, ca_file)?, pool_id })
    }

    /// All users, and the members of these groups.
    pub async fn list(&self, groups: &[String], progress: &mut dyn FnMut(usize)) -> Result<Listing, AwsError> {
        let began = Utc::now().naive_utc();
        let mut users = HashMap::new();
        let request = json!({ "UserPoolId": self.pool_id, "Limit": PER_PAGE });
        let take = |user: PoolUser| {
            users.insert(user.identity.sub.clone(), user);
            progress(users.len());
        };
        self.each("ListUsers", request, "PaginationToken", take).await?;
        let mut members = HashMap::new();
        for group in groups {
            members.insert(group.clone(), self.members(group).await?);
        }
        Ok(Listing { users, began, incomplete: None, groups: Some(members) })
    }

    async fn members(&self, group: &str) -> Result<HashSet<String>, AwsError> {
        let mut members = HashSet::new();
        let request = json!({ "UserPoolId": self.pool_id, "GroupName": group, "Limit": PER_PAGE });
        let take = |user: PoolUser| {
            members.insert(user.identity.sub);
        };
        match self.each("ListUsersInGroup", request, "NextToken", take).await {
            // The list of users has just shown that there is the pool, so it is the group that is missing.
            Err(error) if error.is_not_found() => {
                log::warn!("the user pool has no group `{}`", group.escape_debug());
                Ok(members)
            }
            listed => listed.map(|()| members),
        }
    }

    async fn each(
        &self,
        action: &str,
        mut request: Value,
        token_name: &str,
        mut take: impl FnMut(PoolUser),
    ) -> Result<(), AwsError> {
        loop {
            let page: Page = self.api.call(action, &request).await?;
            page.users.into_iter().for_each(&mut take);
            let Some(token) = page.token.map(Value::from) else { return Ok(()) };
            if request.get(token_name) == Some(&token) {
                return Err(AwsError::Unusable("the list goes round in a circle".to_owned()));
            }
            request[token_name] = token;
        }
    }
}
