//! What staff do in the pool from a user's page in the admin: `/admin/users/<id>/cognito/`. `COGNITO_ADMIN_ACTIONS` says
//! which actions there are. No database connection is held during a call.

use std::sync::Arc;

mod action;
mod comparison;
mod create;
mod page;
mod pool;
mod problem;
mod run;

pub use action::PoolAction;
pub use page::TAB;
pub use run::SLUG;

use super::linking::{Creation, Rules};
use super::pool_api::PoolApi;
use crate::users::models::Origin;

pub struct PoolActions {
    api: PoolApi,
    rules: Arc<Rules>,
    offered: Vec<PoolAction>,
}

impl PoolActions {
    pub fn new(api: PoolApi, issuer: String, offered: Vec<PoolAction>, staff_group: Option<Arc<str>>) -> PoolActions {
        // Whatever the settings say of tokens.
        let (link_unverified_email, creation, origin) = (false, Creation::Never, Origin::Admin);
        let rules = Arc::new(Rules { issuer, staff_group, link_unverified_email, creation, origin });
        PoolActions { api: api.in_haste(), rules, offered }
    }
}
