//! What the listed groups of the pool give to whom.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use diesel::QueryResult;

use crate::cognito::linking::Rules;
use crate::db::Connection;
use crate::history::Source;
use crate::users::cognito_groups::{self, MappedGroup, TokenGroups};
use crate::users::models::LinkedUser;

pub struct Groups {
    /// Members by the name of the group.
    members: HashMap<String, HashSet<String>>,
    mapped: Vec<MappedGroup>,
    /// The ids of groups that the pool has given, by user.
    given: HashMap<i64, BTreeSet<i64>>,
    staff_group: Option<Arc<str>>,
    /// When the list was begun, in Unix seconds.
    iat: i64,
}

impl Groups {
    pub fn of(
        conn: &mut Connection,
        members: HashMap<String, HashSet<String>>,
        iat: i64,
        rules: &Rules,
    ) -> QueryResult<Groups> {
        let (mapped, given) = (cognito_groups::mapped(conn)?, cognito_groups::of_all_users(conn)?);
        Ok(Groups { members, mapped, given, staff_group: rules.staff_group.clone(), iat })
    }

    /// The groups that were listed and have the user as a member.
    pub fn of_user(&self, sub: &str) -> TokenGroups {
        let names = self.members.iter().filter(|(_, members)| members.contains(sub)).map(|(name, _)| name.clone());
        let (names, staff_group) = (names.collect(), self.staff_group.clone());
        TokenGroups { names, iat: self.iat, staff_group, source: Source::PoolSync }
    }

    /// What `groups` would change, in words. `None`: nothing.
    pub fn difference(&self, user: &LinkedUser, groups: &TokenGroups) -> Option<String> {
        if user.cognito_groups_iat > Some(self.iat) {
            return None;
        }
        let none = BTreeSet::new();
        let old = self.given.get(&user.id).unwrap_or(&none);
        let mut parts = Vec::new();
        for group in &self.mapped {
            match (old.contains(&group.id), groups.names.contains(&group.cognito_group)) {
                (false, true) => parts.push(format!("+ {}", group.name)),
                (true, false) => parts.push(format!("- {}", group.name)),
                _ => {}
            }
        }
        match (groups.makes_staff(), user.is_staff, user.staff_by_cognito) {
            (true, false, _) if !user.is_superuser => parts.push("+ staff".to_owned()),
            (false, _, true) => parts.push("- staff".to_owned()),
            _ => {}
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
