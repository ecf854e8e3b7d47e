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

use super::pool_api::PoolApi;

pub struct PoolActions {
    api: PoolApi,
    /// Users are linked under it.
    issuer: String,
    offered: Vec<PoolAction>,
    /// The group of the pool whose members are staff.
    staff_group: Option<Arc<str>>,
}

impl PoolActions {
    pub fn new(api: PoolApi, issuer: String, offered: Vec<PoolAction>, staff_group: Option<Arc<str>>) -> PoolActions {
        PoolActions { api: api.in_haste(), issuer, offered, staff_group }
    }
}
