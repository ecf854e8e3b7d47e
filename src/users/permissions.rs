//! Django's permissions: view, add, change and delete for each model, given to users and to groups.
//! Superusers have all of them.

use std::collections::HashSet;

use diesel::prelude::*;

use super::models::User;
use crate::db::Connection;
use crate::schema::{group_permissions, user_groups, user_permissions};

/// What somebody does with the rows of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verb {
    View,
    Add,
    Change,
    Delete,
}

impl Verb {
    /// All four, in Django's order.
    pub const ALL: &'static [Verb] = &[Verb::Add, Verb::Change, Verb::Delete, Verb::View];

    /// The word in a permission's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::View => "view",
            Verb::Add => "add",
            Verb::Change => "change",
            Verb::Delete => "delete",
        }
    }
}

/// What a user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Whether the user may do everything.
    pub is_superuser: bool,
    /// The names of the permissions, such as `articles.change_article`: the user's own and those of the groups.
    pub permissions: HashSet<String>,
}

impl Rights {
    /// Reads a user's rights. Who is not active has none.
    pub fn of(conn: &mut Connection, user: &User) -> QueryResult<Rights> {
        if !user.is_active {
            return Ok(Rights::default());
        }
        let own = user_permissions::table
            .filter(user_permissions::user_id.eq(user.id))
            .select(user_permissions::permission)
            .load::<String>(conn)?;
        let groups = user_groups::table.filter(user_groups::user_id.eq(user.id)).select(user_groups::group_id);
        let by_group = group_permissions::table
            .filter(group_permissions::group_id.eq_any(groups))
            .select(group_permissions::permission)
            .load::<String>(conn)?;
        Ok(Rights { is_superuser: user.is_superuser, permissions: own.into_iter().chain(by_group).collect() })
    }

    /// Whether a permission is among them.
    pub fn has(&self, permission: &str) -> bool {
        self.is_superuser || self.permissions.contains(permission)
    }

    /// Whether nobody with `other` could do more.
    pub fn cover(&self, other: &Rights) -> bool {
        self.is_superuser || (!other.is_superuser && other.permissions.is_subset(&self.permissions))
    }
}
