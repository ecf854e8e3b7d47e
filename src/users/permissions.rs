//! Django's permissions: view, add, change and delete for each model, given to users and groups. Superusers have all.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use diesel::prelude::*;

use super::models::User;
use crate::db::Connection;
use crate::models::Model;
use crate::schema::{group_permissions, groups, user_cognito_groups, user_groups, user_permissions};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    View,
    Add,
    Change,
    Delete,
}

impl Verb {
    pub const ALL: &'static [Verb] = &[Verb::Add, Verb::Change, Verb::Delete, Verb::View];

    pub fn as_str(self) -> &'static str {
        match self {
            Verb::View => "view",
            Verb::Add => "add",
            Verb::Change => "change",
            Verb::Delete => "delete",
        }
    }
}

/// As Django names it: `articles.change_article`.
pub fn permission(model: &Model, verb: Verb) -> String {
    format!("{}.{}_{}", model.plural, verb.as_str(), model.name)
}

/// Given by hand: without the permissions of the groups, and without the groups that come from the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    pub groups: BTreeSet<i64>,
    pub permissions: BTreeSet<String>,
}

impl Grants {
    pub fn of(conn: &mut Connection, user_id: i64) -> QueryResult<Grants> {
        let groups = user_groups::table.filter(user_groups::user_id.eq(user_id)).select(user_groups::group_id);
        let permissions =
            user_permissions::table.filter(user_permissions::user_id.eq(user_id)).select(user_permissions::permission);
        Ok(Grants {
            groups: groups.load(conn)?.into_iter().collect(),
            permissions: permissions.load(conn)?.into_iter().collect(),
        })
    }

    /// Only for [`super::models`], which writes the history.
    pub(super) fn store(&self, conn: &mut Connection, user_id: i64) -> QueryResult<()> {
        diesel::delete(user_groups::table.filter(user_groups::user_id.eq(user_id))).execute(conn)?;
        diesel::delete(user_permissions::table.filter(user_permissions::user_id.eq(user_id))).execute(conn)?;
        for group in &self.groups {
            let row = (user_groups::user_id.eq(user_id), user_groups::group_id.eq(group));
            diesel::insert_into(user_groups::table).values(row).execute(conn)?;
        }
        for permission in &self.permissions {
            let row = (user_permissions::user_id.eq(user_id), user_permissions::permission.eq(permission));
            diesel::insert_into(user_permissions::table).values(row).execute(conn)?;
        }
        Ok(())
    }
}

pub fn of_group(conn: &mut Connection, group_id: i64) -> QueryResult<BTreeSet<String>> {
    let rows = group_permissions::table.filter(group_permissions::group_id.eq(group_id));
    Ok(rows.select(group_permissions::permission).load::<String>(conn)?.into_iter().collect())
}

/// What gives a user a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenBy {
    Hand,
    /// The group's name.
    Group(String),
    CognitoGroup(String),
}

/// The permissions of a user, with all that gives each of them. Superusers have the others, too.
pub fn with_givers(conn: &mut Connection, user_id: i64) -> QueryResult<BTreeMap<String, Vec<GivenBy>>> {
    let own = user_permissions::table.filter(user_permissions::user_id.eq(user_id));
    let own: Vec<String> = own.select(user_permissions::permission).load(conn)?;
    let of_groups = group_permissions::table
        .inner_join(groups::table.on(groups::id.eq(group_permissions::group_id)))
        .order(groups::name)
        .select((group_permissions::permission, groups::name));
    let by_hand = user_groups::table.filter(user_groups::user_id.eq(user_id)).select(user_groups::group_id);
    let by_pool = user_cognito_groups::table
        .filter(user_cognito_groups::user_id.eq(user_id))
        .select(user_cognito_groups::group_id);
    let by_hand: Vec<(String, String)> = of_groups.filter(groups::id.eq_any(by_hand)).load(conn)?;
    let by_pool: Vec<(String, String)> = of_groups.filter(groups::id.eq_any(by_pool)).load(conn)?;
    let own = own.into_iter().map(|permission| (permission, GivenBy::Hand));
    let by_hand = by_hand.into_iter().map(|(permission, group)| (permission, GivenBy::Group(group)));
    let by_pool = by_pool.into_iter().map(|(permission, group)| (permission, GivenBy::CognitoGroup(group)));
    let mut all = BTreeMap::<String, Vec<GivenBy>>::new();
    for (permission, giver) in own.chain(by_hand).chain(by_pool) {
        all.entry(permission).or_default().push(giver);
    }
    Ok(all)
}

/// Includes the permissions of the groups, whoever gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    pub is_superuser: bool,
    pub permissions: HashSet<String>,
}

impl Rights {
    pub fn all() -> Rights {
        Rights { is_superuser: true, permissions: HashSet::new() }
    }

    /// Inactive users have none.
    pub fn of(conn: &mut Connection, user: &User) -> QueryResult<Rights> {
        if user.is_active { Rights::given(conn, user) } else { Ok(Rights::default()) }
    }

    /// Even if the user is inactive: to check whether staff may change that user.
    pub fn given(conn: &mut Connection, user: &User) -> QueryResult<Rights> {
        let own = user_permissions::table
            .filter(user_permissions::user_id.eq(user.id))
            .select(user_permissions::permission)
            .load::<String>(conn)?;
        let groups = user_groups::table.filter(user_groups::user_id.eq(user.id)).select(user_groups::group_id);
        let cognito_groups = user_cognito_groups::table
            .filter(user_cognito_groups::user_id.eq(user.id))
            .select(user_cognito_groups::group_id);
        let is_member =
            group_permissions::group_id.eq_any(groups).or(group_permissions::group_id.eq_any(cognito_groups));
        let by_group =
            group_permissions::table.filter(is_member).select(group_permissions::permission).load::<String>(conn)?;
        Ok(Rights { is_superuser: user.is_superuser, permissions: own.into_iter().chain(by_group).collect() })
    }

    pub fn has(&self, permission: &str) -> bool {
        self.is_superuser || self.permissions.contains(permission)
    }

    pub fn has_all<'a>(&self, permissions: impl IntoIterator<Item = &'a String>) -> bool {
        permissions.into_iter().all(|permission| self.has(permission))
    }

    /// Whether `other` contains nothing beyond these rights.
    pub fn cover(&self, other: &Rights) -> bool {
        self.is_superuser || (!other.is_superuser && other.permissions.is_subset(&self.permissions))
    }
}
