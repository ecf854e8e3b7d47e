//! What the pool says of its users. The JSON is that of `ListUsers`, which `aws cognito-idp list-users` prints as well.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html>

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;

use crate::cognito::pool_api::PoolUser;

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
