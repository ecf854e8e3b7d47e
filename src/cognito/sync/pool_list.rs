//! Lists the users of the pool.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::Utc;
use serde_json::{Value, json};

use super::listing::Listing;
use crate::aws::AwsError;
use crate::cognito::pool_api::{PoolApi, PoolUser, UsersPage};

/// The most that Cognito gives.
const PER_PAGE: u32 = 60;

impl PoolApi {
    /// All users, and the members of these groups.
    pub async fn list(&self, groups: &BTreeSet<String>, progress: &mut dyn FnMut(usize)) -> Result<Listing, AwsError> {
        let began = Utc::now().naive_utc();
        let mut users = HashMap::new();
        let request = json!({ "Limit": PER_PAGE });
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
        let request = json!({ "GroupName": group, "Limit": PER_PAGE });
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
            let page: UsersPage = self.call(action, request.clone()).await?;
            page.users.into_iter().for_each(&mut take);
            let Some(token) = page.token.map(Value::from) else { return Ok(()) };
            if request.get(token_name) == Some(&token) {
                return Err(AwsError::Unusable("the list goes round in a circle".to_owned()));
            }
            request[token_name] = token;
        }
    }
}
