//! What decides about a user, besides the pool.

use std::sync::Arc;

use crate::cognito::linking::Policy;

#[derive(Clone)]
pub struct Rules {
    /// Users are linked under it.
    pub issuer: String,
    pub policy: Policy,
    /// The group of the pool whose members are staff.
    pub staff_group: Option<Arc<str>>,
}
