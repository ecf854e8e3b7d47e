//! What the pool says of its users. The JSON is that of `ListUsers`, which `aws cognito-idp list-users` prints as well.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html>

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;
use serde::Deserialize;

use crate::cognito::linking::Identity;

/// Cognito's have 36 characters.
const MAX_SUB_CHARS: usize = 255;

#[derive(Debug)]
pub struct Listing {
    /// By `sub`.
    pub users: HashMap<String, PoolUser>,
    /// A user who was linked later may be missing.
    pub began: NaiveDateTime,
    pub incomplete: Option<Incomplete>,
    /// The members of groups by their `sub`. `None` if they were not listed.
    pub groups: Option<HashMap<String, HashSet<String>>>,
}

/// Why users who are not in a list may be in the pool all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    #[error("the list goes on after the last page of the file")]
    Continued,
    #[error("the file has pages of several lists")]
    SeveralLists,
    #[error("the list has no users at all")]
    Empty,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawUser")]
pub struct PoolUser {
    pub identity: Identity,
    pub is_enabled: bool,
    /// A user who has not confirmed the sign-up cannot sign in yet.
    pub is_confirmed: bool,
}

/// A page of `ListUsers` or `ListUsersInGroup`.
#[derive(Deserialize)]
pub struct Page {
    #[serde(rename = "Users")]
    pub users: Vec<PoolUser>,
    /// Leads to the next page.
    #[serde(rename = "PaginationToken", alias = "NextToken", default)]
    pub token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawUser {
    username: String,
    enabled: bool,
    #[serde(default)]
    user_status: String,
    #[serde(default)]
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
        if sub.is_empty() || sub.chars().count() > MAX_SUB_CHARS || sub.contains('\0') {
            return Err("a user has no valid `sub`; list all attributes".to_owned());
        }
        let email_verified = values.get("email_verified").is_some_and(|verified| verified == "true");
        let identity = Identity { sub, username: Some(raw.username), email: values.remove("email"), email_verified };
        Ok(PoolUser { identity, is_enabled: raw.enabled, is_confirmed: raw.user_status != "UNCONFIRMED" })
    }
}
