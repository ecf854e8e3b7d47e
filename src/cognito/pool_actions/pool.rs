//! The calls of the pool's API.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::PoolActions;
use super::problem::PoolError;
use crate::aws::AwsError;
use crate::cognito::pool_api::{PoolUser, UsersPage};

/// Of one call, with the search for credentials.
const PATIENCE: Duration = Duration::from_secs(10);
/// A user is in at most 100 groups, and a page has 60.
const MAX_PAGES: usize = 2;

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "User")]
    user: PoolUser,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupsPage {
    groups: Vec<Group>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    group_name: String,
}

impl PoolActions {
    async fn call<T: DeserializeOwned>(&self, call: &'static str, request: Value) -> Result<T, PoolError> {
        let late = || AwsError::Unreachable(format!("no answer within {} seconds", PATIENCE.as_secs()));
        let answer = tokio::time::timeout(PATIENCE, self.api.call(call, request)).await;
        answer.unwrap_or_else(|_| Err(late())).map_err(|error| {
            log::warn!("{call}: {error}");
            PoolError { call, error }
        })
    }

    /// The user who is linked by this `sub`. `AdminGetUser` takes aliases as well, and somebody may have chosen one that
    /// looks like a `sub`, so the answer counts only with this very `sub`.
    pub(super) async fn find(&self, sub: &str) -> Result<Option<PoolUser>, PoolError> {
        if let Some(user) = self.get(sub).await?.filter(|user| user.identity.sub == sub) {
            return Ok(Some(user));
        }
        // Users of other identity providers can be had by their `Username` alone.
        Ok(self.list("sub", sub).await?.into_iter().find(|user| user.identity.sub == sub))
    }

    /// The users with this attribute.
    pub(super) async fn list(&self, attribute: &str, value: &str) -> Result<Vec<PoolUser>, PoolError> {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        let filter = format!("{attribute} = \"{value}\"");
        self.call("ListUsers", json!({ "Filter": filter })).await.map(|page: UsersPage| page.users)
    }

    pub(super) async fn get(&self, username: &str) -> Result<Option<PoolUser>, PoolError> {
        match self.call("AdminGetUser", json!({ "Username": username })).await {
            Err(error) if error.is_user_missing() => Ok(None),
            user => user.map(Some),
        }
    }

    pub(super) async fn groups(&self, in_pool: &PoolUser) -> Result<Vec<String>, PoolError> {
        let mut request = json!({ "Username": in_pool.identity.username, "Limit": 60 });
        let mut names = Vec::new();
        for _ in 0..MAX_PAGES {
            let page: GroupsPage = self.call("AdminListGroupsForUser", request.clone()).await?;
            names.extend(page.groups.into_iter().map(|group| group.group_name));
            let Some(token) = page.next_token else { break };
            request["NextToken"] = token.into();
        }
        Ok(names)
    }

    /// Cognito sends the invitation. Only those who read it can use the account, so the e-mail is theirs.
    pub(super) async fn create(&self, username: &str, email: &str) -> Result<PoolUser, PoolError> {
        let attributes = json!([{ "Name": "email", "Value": email }, { "Name": "email_verified", "Value": "true" }]);
        let request =
            json!({ "Username": username, "UserAttributes": attributes, "DesiredDeliveryMediums": ["EMAIL"] });
        self.call("AdminCreateUser", request).await.map(|created: Created| created.user)
    }

    pub(super) async fn resend(&self, in_pool: &PoolUser) -> Result<(), PoolError> {
        let request = json!({
            "Username": in_pool.identity.username, "MessageAction": "RESEND", "DesiredDeliveryMediums": ["EMAIL"],
        });
        self.call("AdminCreateUser", request).await.map(|_: Value| ())
    }

    /// A call that needs no more than the user.
    pub(super) async fn change(&self, call: &'static str, in_pool: &PoolUser) -> Result<(), PoolError> {
        self.call(call, json!({ "Username": in_pool.identity.username })).await.map(|_: Value| ())
    }
}
