//! [`PoolApi`]: the pool's own API, and [`PoolUser`]: what it says of a user.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::linking::{Identity, is_sub};
use super::user_pool::PoolId;
use crate::aws::json_api::{JsonApi, Service};
use crate::aws::{AwsError, Environment};

const COGNITO: Service = Service {
    name: "cognito-idp",
    target: "AWSCognitoIdentityProviderService",
    endpoint: "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
};

pub struct PoolApi {
    api: JsonApi,
    pool_id: String,
}

impl PoolApi {
    pub fn open(pool_id: String, environment: Environment, ca_file: Option<PathBuf>) -> Result<PoolApi, AwsError> {
        let id = PoolId::parse(&pool_id).map_err(|problem| {
            AwsError::Settings(format!("AWS_USER_POOLS_ID: {problem}; its first part is the region of the pool's API"))
        })?;
        Ok(PoolApi { api: JsonApi::open(COGNITO, id.region(), environment, ca_file)?, pool_id })
    }

    /// For calls that a person waits for.
    pub fn in_haste(self) -> PoolApi {
        PoolApi { api: self.api.in_haste(), ..self }
    }

    /// Of the credentials that calls are signed with. Makes no call of the pool's API.
    pub async fn access_key_id(&self) -> Result<String, AwsError> {
        Ok(self.api.access_key_id().await?)
    }

    pub async fn call<T: DeserializeOwned>(&self, action: &str, mut request: Value) -> Result<T, AwsError> {
        request["UserPoolId"] = self.pool_id.as_str().into();
        self.api.call(action, &request).await
    }
}

/// The answer to `ListUsers` or `ListUsersInGroup`.
#[derive(Deserialize)]
pub struct UsersPage {
    #[serde(rename = "Users")]
    pub users: Vec<PoolUser>,
    /// Leads to the next page.
    #[serde(rename = "PaginationToken", alias = "NextToken", default)]
    pub token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawUser")]
pub struct PoolUser {
    pub identity: Identity,
    pub is_enabled: bool,
    pub status: UserStatus,
}

/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserType.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// Has not confirmed the sign-up, and cannot sign in yet.
    Unconfirmed,
    Confirmed,
    ExternalProvider,
    ResetRequired,
    /// Was invited, and has not signed in yet.
    ForceChangePassword,
    #[default]
    #[serde(other)]
    Other,
}

/// The JSON of `ListUsers`, `AdminGetUser` and `AdminCreateUser`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawUser {
    username: String,
    enabled: bool,
    #[serde(default)]
    user_status: UserStatus,
    #[serde(default, alias = "UserAttributes")]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    name: String,
    #[serde(default)]
    value: Option<String>,
}

impl TryFrom<RawUser> for PoolUser {
    type Error = String;

    fn try_from(raw: RawUser) -> Result<PoolUser, String> {
        let mut values: HashMap<String, String> =
            raw.attributes.into_iter().filter_map(|attribute| Some((attribute.name, attribute.value?))).collect();
        let sub = values.remove("sub").unwrap_or_default();
        if !is_sub(&sub) {
            return Err("a user has no valid `sub`; list all attributes".to_owned());
        }
        let email_verified = values.get("email_verified").is_some_and(|verified| verified == "true");
        let identity = Identity { sub, username: Some(raw.username), email: values.remove("email"), email_verified };
        Ok(PoolUser { identity, is_enabled: raw.enabled, status: raw.user_status })
    }
}
